// SPDX-License-Identifier: Apache-2.0
import { validate } from '@readme/openapi-parser';
import { describe, expect, it } from 'vitest';
import { buildOpenApiDocument, ROUTES, type Route } from '../src/index.ts';

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const result = await validate(structuredClone(buildOpenApiDocument()) as never);
    expect(result).toMatchObject({ valid: true, specification: 'OpenAPI' });
  });

  it('a document with a broken reference is not', async () => {
    const text = JSON.stringify(buildOpenApiDocument()).replaceAll('schemas/Envelope"', 'schemas/Missing"');
    const result = await validate(JSON.parse(text) as never).catch(() => ({ valid: false }));
    expect(result.valid).toBe(false);
  });

  it('holds every route under its method, once', () => {
    const { paths } = buildOpenApiDocument();
    for (const [operationId, route] of Object.entries<Route>(ROUTES)) {
      expect(paths[route.path]?.[route.method.toLowerCase()]).toMatchObject({ operationId });
    }
    expect(Object.keys(paths)).toHaveLength(Object.keys(ROUTES).length);
  });

  it('refuses unknown members in every body it defines', () => {
    for (const schema of Object.values(buildOpenApiDocument().components.schemas)) {
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });
});
