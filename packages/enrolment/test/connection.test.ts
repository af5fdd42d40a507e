// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import {
  demandProtection,
  formatCertificatePem,
  isLoopback,
  openLineTransport,
  openSecureContext,
  type ConnectionKey,
} from '@witnessmark/enrolment';
import { issue, newKey } from './support/station.ts';

describe('an address', () => {
  it.each(['127.0.0.1', '127.1.2.3', 'localhost', 'LOCALHOST', '::1', '[::1]'])('%s stays on this machine', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(() => {
      demandProtection(host, false);
    }).not.toThrow();
  });

  it.each([
    ...['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', '127.0.0', '0127.0.0.1', '128.0.0.1', 'localhost.example'],
    ...['', 'line-3', '::ffff:127.0.0.1', '2130706433'],
  ])('"%s" may leave it, and needs TLS', (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(() => {
      demandProtection(host, false);
    }).toThrow(expect.objectContaining({ code: 'ID-108' }));
    expect(() => {
      demandProtection(host, true);
    }).not.toThrow();
  });
});

describe('the key of a connection', () => {
  const NAMES = ['PKCS11_MODULE_PATH', 'OPENSSL_ENGINES'] as const;
  const saved = NAMES.map((name) => process.env[name]);
  beforeEach(() => {
    for (const name of NAMES) Reflect.deleteProperty(process.env, name);
  });
  afterEach(() => {
    for (const [index, name] of NAMES.entries()) {
      const value = saved[index];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  const inToken = {
    kind: 'token',
    modulePath: '/nowhere/module.so',
    token: { label: 'ST-07', serial: '1f2e' },
    key: { label: 'station-connection' },
    pin: 'pin-of-the-test',
  } as const;

  it('is the one of its certificate', async () => {
    const [key, other] = [newKey(), newKey()];
    const cert = formatCertificatePem(await issue(key, { kind: 'authority' }, key));
    const pem = (of: typeof key): ConnectionKey => ({ kind: 'file', pem: encodeUtf8(of.exportPem()) });
    expect(openSecureContext(pem(key), { cert })).toBeDefined();
    const refused = expect.objectContaining({ code: 'ERR_ENROLMENT_TLS' }) as Error;
    expect(() => openSecureContext(pem(other), { cert })).toThrow(refused);
    expect(() => openSecureContext({ kind: 'file', pem: encodeUtf8('no key') }, {})).toThrow(refused);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['without the engine', { OPENSSL_ENGINES: '/nowhere' }, /libengine-pkcs11-openssl/],
    ['beside another module', { PKCS11_MODULE_PATH: '/other.so' }, /from \/other\.so already|libengine/],
  ])('is not taken from a token %s, and its PIN is never told', (_how, environment, detail) => {
    Object.assign(process.env, environment);
    let message = '';
    try {
      openSecureContext(inToken, {});
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(detail);
    expect(message).not.toContain(inToken.pin);
  });
});

describe('the transport', () => {
  it('takes no answer without TLS, and ends with its signal', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/slow') return;
      response.writeHead(302, { location: 'https://elsewhere.example/' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const authority = newKey();
    const pem = formatCertificatePem(await issue(authority, { kind: 'authority' }, authority));
    const transport = openLineTransport({ authority: pem, client: null });
    const { port } = server.address() as AddressInfo;
    // Plain HTTP where TLS is expected is no answer.
    await expect(transport.fetch(`https://127.0.0.1:${port}/`)).rejects.toThrow();
    await expect(transport.fetch(`https://127.0.0.1:${port}/slow`, { signal: AbortSignal.abort() })).rejects.toThrow(
      /abort/i,
    );
    transport.close();
    server.close();
    server.closeAllConnections();
  });
});
