// SPDX-License-Identifier: Apache-2.0
import { decodeUtf8, encodeBase64, encodeUtf8, formatJson, parseInstant } from '@witnessmark/core';
import {
  addKey,
  appendState,
  changeKeyState,
  countUses,
  demandMaySign,
  EMPTY_KEY_REGISTRY,
  findRegisteredKey,
  formatCycloneDx,
  formatKeyRegistry,
  generateSoftwareKey,
  KEY_STATES,
  parseKeyRegistry,
  stateAt,
  type KeyRegistry,
  type KeyState,
  type KeyStateChange,
  type RegisteredKey,
} from '@witnessmark/custody';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const at = (day: number): string => new Date(Date.UTC(2026, 0, day)).toISOString();
const change = (state: KeyState, day: number): KeyStateChange => ({
  state,
  at: at(day),
  by: 's.kim',
  reason: 'ceremony 7',
});
const KEY = register();

describe('the states of a key', () => {
  const allowed = [
    'preActivation>active',
    'preActivation>compromised',
    'preActivation>destroyed',
    'active>suspended',
    'active>deactivated',
    'active>compromised',
    'suspended>active',
    'suspended>deactivated',
    'suspended>compromised',
    'deactivated>compromised',
    'deactivated>destroyed',
    'compromised>destroyed',
  ];
  const pairs = KEY_STATES.flatMap((from) => KEY_STATES.map((to) => [from, to] as const));

  it.each(pairs)('from %s to %s', (from, to) => {
    const step = (): unknown => appendState([change(from, 1)], change(to, 2));
    if (allowed.includes(`${from}>${to}`)) expect(step).not.toThrow();
    else expect(step).toThrow(expect.objectContaining({ code: 'CU-141' }));
  });

  it('begin before activation, and go forward in time', () => {
    expect(() => appendState([], change('active', 1))).toThrow(expect.objectContaining({ code: 'CU-141' }));
    expect(() => appendState([change('preActivation', 2)], change('active', 1))).toThrow(
      expect.objectContaining({ code: 'CU-141' }),
    );
  });

  it('never come back from compromised or destroyed, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...KEY_STATES), { maxLength: 12 }), (wishes) => {
        let history: readonly KeyStateChange[] = [change('preActivation', 1)];
        for (const wish of wishes) {
          try {
            history = appendState(history, change(wish, 2));
          } catch {
            continue;
          }
        }
        const states = history.map(({ state }) => state);
        const end = states.findIndex((state) => state === 'compromised' || state === 'destroyed');
        if (end !== -1) expect(states.slice(end + 1).every((state) => state === 'destroyed')).toBe(true);
      }),
    );
  });

  it('are known for every moment', () => {
    const history = [change('preActivation', 1), change('active', 3), change('compromised', 5)];
    expect([0, 1, 2, 3, 4, 6].map((day) => stateAt(history, parseInstant(at(day))))).toEqual([
      null,
      'preActivation',
      'preActivation',
      'active',
      'active',
      'compromised',
    ]);
  });
});

describe('the key registry', () => {
  const active = changeKeyState(addKey(EMPTY_KEY_REGISTRY, KEY), KEY.keyid, change('active', 2));

  it('lets an active key sign within its period', () => {
    expect(demandMaySign(active, KEY.keyid, parseInstant(at(3))).uses).toBe(0);
  });

  it.each([
    ['before it is active', addKey(EMPTY_KEY_REGISTRY, KEY), 3, 'CU-142'],
    ['when nobody knows it', EMPTY_KEY_REGISTRY, 3, 'CU-142'],
    ['when it is suspended', changeKeyState(active, KEY.keyid, change('suspended', 3)), 4, 'CU-142'],
    [
      'when its end has been written for a later day',
      changeKeyState(active, KEY.keyid, change('compromised', 9)),
      4,
      'CU-142',
    ],
    ['before its period', active, 1, 'CU-143'],
    ['after its period', active, 31, 'CU-143'],
  ])('refuses a signature %s', (_, registry: KeyRegistry, day, code) => {
    expect(() => demandMaySign(registry, KEY.keyid, parseInstant(at(day)) - 1)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('counts uses, and nothing but uses', () => {
    expect(findRegisteredKey(countUses(countUses(active, KEY.keyid, 40), KEY.keyid, 2), KEY.keyid).uses).toBe(42);
    expect(() => countUses(active, KEY.keyid, -1)).toThrow(TypeError);
  });

  it('holds a key once', () => {
    expect(() => addKey(active, KEY)).toThrow(expect.objectContaining({ code: 'CU-145' }));
  });

  it('is the same after it was written and read', () => {
    expect(parseKeyRegistry(formatKeyRegistry(active))).toEqual(active);
    expect(parseKeyRegistry(formatKeyRegistry(EMPTY_KEY_REGISTRY))).toEqual(EMPTY_KEY_REGISTRY);
  });

  it.each<[string, object]>([
    ['an id of another key', { keyid: '0'.repeat(64) }],
    ['a member nobody knows', { note: 'x' }],
    ['a period that ends before it begins', { originatorUntil: at(1) }],
    ['a recipient period that ends too early', { recipientUntil: at(2) }],
    ['no state', { states: [] }],
    ['a grade nobody knows', { attestation: { grade: 'certain', certificates: [] } }],
    ['a use count below zero', { uses: -1 }],
    ['base64 that is not canonical', { spki: `${KEY.spki.slice(0, -1)}*` }],
    ['seventeen custodians', { custodians: Array(17).fill('x') }],
    ['a line break in a name', { holder: 'a\nb' }],
  ])('refuses an entry with %s', (_, defect) => {
    const bytes = formatJson({ ...EMPTY_KEY_REGISTRY, keys: [{ ...KEY, ...defect }] });
    expect(() => parseKeyRegistry(bytes)).toThrow(expect.objectContaining({ code: 'CU-148' }));
  });

  it('refuses a history that skips a step', () => {
    const keys = [{ ...KEY, states: [change('preActivation', 1), change('deactivated', 2)] }];
    const bytes = formatJson({ ...EMPTY_KEY_REGISTRY, keys });
    expect(() => parseKeyRegistry(bytes)).toThrow(expect.objectContaining({ code: 'CU-141' }));
  });

  it('refuses two members of one name', () => {
    expect(() => parseKeyRegistry(encodeUtf8('{"keys":[],"keys":[]}'))).toThrow(
      expect.objectContaining({ code: 'ERR_JSON_DUPLICATE_KEY' }),
    );
  });

  it('is exported as CycloneDX 1.6 with the states of SP 800-57', () => {
    const made = { at: parseInstant(at(4)), serialNumber: '0197a8a2-0000-7000-8000-000000000001' };
    const bom: unknown = JSON.parse(decodeUtf8(formatCycloneDx(active, made)));
    expect(bom).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      components: [
        { 'bom-ref': 'algorithm/ecdsa-p256-sha256', cryptoProperties: { assetType: 'algorithm' } },
        {
          type: 'cryptographic-asset',
          cryptoProperties: {
            assetType: 'related-crypto-material',
            relatedCryptoMaterialProperties: {
              type: 'private-key',
              id: KEY.keyid,
              state: 'active',
              algorithmRef: 'algorithm/ecdsa-p256-sha256',
              activationDate: at(2),
              expirationDate: KEY.originatorUntil,
              securedBy: { mechanism: 'HSM' },
            },
          },
        },
      ],
    });
    const fresh: unknown = JSON.parse(decodeUtf8(formatCycloneDx(addKey(EMPTY_KEY_REGISTRY, KEY), made)));
    expect(JSON.stringify(fresh)).toContain('"state":"pre-activation"');
  });
});

function register(): RegisteredKey {
  const { publicKey } = generateSoftwareKey('ecdsa-sha2-nistp256');
  return {
    keyid: publicKey.keyid,
    spki: encodeBase64(publicKey.spki),
    policy: 'line-evidence',
    holder: 'custody of line 1',
    custodians: ['s.kim', 'l.meyer'],
    token: {
      label: 'service-hsm',
      serial: '1f2e',
      manufacturer: 'SoftHSM project',
      model: 'SoftHSM v2',
      firmware: '2.6',
    },
    attestation: { grade: 'selfReported', certificates: [] },
    ceremony: 'ceremony 7',
    rehearsal: false,
    originatorFrom: at(2),
    originatorUntil: at(30),
    recipientUntil: at(31),
    states: [change('preActivation', 1)],
    uses: 0,
  };
}
