// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CEREMONY_TYPES } from '@witnessmark/attestation';
import { ceremonyActs, checkActs, parseScript, toActTable, type ActPorts, type AnyAct } from '@witnessmark/ceremony';
import { describe, expect, it } from 'vitest';
import { SCRIPTS } from './support/house.ts';

const NAMES = readdirSync(SCRIPTS);
/** Checking a script needs no token. */
const acts = ceremonyActs({} as ActPorts);
const table = toActTable(acts);
const read = (name: string) => parseScript(Uint8Array.from(readFileSync(join(SCRIPTS, name))));

describe('the ceremony scripts', () => {
  it.each(NAMES)('%s is one this program can hold, and warns of what cannot be taken back', (name) => {
    const { script } = read(name);
    expect(() => checkActs(script, table)).not.toThrow();
    expect(`${script.name}.ceremony.json`).toBe(name);
  });

  it.each(NAMES)('%s: every step says what is read aloud, checked, expected and seen', (name) => {
    const { script } = read(name);
    for (const step of script.steps) {
      for (const text of [step.readAloud, step.check, step.expected, step.witness])
        expect(text.length).toBeGreaterThan(3);
      expect(step.readAloud).toMatch(/[.]$/);
      const typing = Object.values((step.act?.parameters ?? {}) as Record<string, unknown>).filter(
        (value): value is string => typeof value === 'string' && value.startsWith('holder-'),
      );
      expect(step.roles).toEqual(expect.arrayContaining(typing));
    }
  });

  it('there is one for every type of ceremony, and every act is used in one', () => {
    const scripts = NAMES.map((name) => read(name).script);
    expect(new Set(scripts.map(({ type }) => type))).toEqual(new Set(CEREMONY_TYPES));
    const used = new Set(scripts.flatMap(({ steps }) => steps.flatMap(({ act }) => (act === null ? [] : [act.kind]))));
    expect(used).toEqual(new Set(acts.map(({ kind }: AnyAct) => kind)));
  });

  it('A27: no script gives one person two secrets', () => {
    const { script } = read('transport-key.ceremony.json');
    const combine = script.steps.find(({ id }) => id === 'combine')!.act!;
    const twice = structuredClone(combine.parameters) as { components: { custodian: string }[] };
    twice.components[1]!.custodian = 'holder-3';
    expect(table.get(combine.kind)!.checkParameters(twice)).toBeNull();
    const pins = { equipment: 'x', securityOfficer: 'holder-1', user: 'holder-1' };
    expect(table.get('set-user-pin')!.checkParameters(pins)).not.toBeNull();
    expect(table.get('set-user-pin')!.checkParameters({ ...pins, user: 'holder-2' })).toBeNull();
    const card = { equipment: 'x', holder: 'holder-1', pukKeeper: 'holder-1' };
    expect(table.get('change-card-secrets')!.checkParameters(card)).not.toBeNull();
  });
});
