// SPDX-License-Identifier: Apache-2.0
/** A9: what configurations can say at all. The extremes of the line's rules are tried in packages/line. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commands } from '../src/commands/index.ts';
import { lineConfigSchema, officeConfigSchema, stationConfigSchema } from '../src/config.ts';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
}

/** Every setting by its path, with its schema. */
function settings(schema: Schema, path: string): readonly (readonly [string, Schema])[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => settings(inner, `${path}.${name}`));
  const inner = [...(schema.items === undefined ? [] : [schema.items]), ...(schema.anyOf ?? [])];
  const nested = inner.flatMap((one) => settings(one, path));
  return own.length + nested.length > 0 ? [...own, ...nested] : [[path, schema]];
}

const SETTINGS = Object.entries({
  line: lineConfigSchema,
  station: stationConfigSchema,
  office: officeConfigSchema,
}).flatMap(([name, schema]) =>
  settings(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema, name),
);

const BYPASS = /skip|bypass|force|ignore|disable|insecure|unsafe|trustall|noverif|nolog|unsigned/i;

describe('A9: no setting removes verification or evidence', () => {
  it('knows the settings', () => {
    expect(SETTINGS.length).toBeGreaterThan(50);
  });

  it.each(SETTINGS.map(([path]) => path))('%s is no way around a rule by its name', (path) => {
    expect(path).not.toMatch(BYPASS);
  });

  it('has switches that make stricter, and no other', () => {
    const switches = SETTINGS.filter(([, { type }]) => type === 'boolean').map(([path]) => path);
    const stricter = /\.(permitsNeedReview|needsReason|perSlot|required|require[A-Z]\w*|tokens)$/;
    // A station that wants to work on when the line is away may do so as far as the line allowed it before.
    const asks = switches.filter((path) => !stricter.test(path));
    expect(asks).toEqual(['station.worksOffline']);
  });

  it('asks for one approval at least, wherever approvals are counted', () => {
    const thresholds = SETTINGS.filter(([path]) => path.endsWith('approvals.threshold'));
    expect(thresholds.length).toBeGreaterThanOrEqual(3);
    for (const [, { minimum }] of thresholds) expect(minimum).toBeGreaterThanOrEqual(1);
  });

  it('no command has a flag for it either', () => {
    const flags = commands.flatMap(({ path, options }) =>
      Object.values(options).map((option) => `${path.join(' ')} ${option.flags}`),
    );
    expect(flags.filter((flag) => BYPASS.test(flag))).toEqual([]);
  });
});
