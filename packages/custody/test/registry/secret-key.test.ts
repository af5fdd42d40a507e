// SPDX-License-Identifier: Apache-2.0
import { encodeUtf8, type JsonValue } from '@witnessmark/core';
import {
  addSecretKey,
  changeSecretKeyState,
  EMPTY_KEY_REGISTRY,
  formatKeyRegistry,
  parseKeyRegistry,
  secretKeyId,
  type RegisteredSecretKey,
} from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';

const AT = '2026-11-20T08:00:00.000Z';
const FACTS = {
  algorithm: 'aes-256' as const,
  checkValue: '0a1b2c',
  token: { label: 'transport', serial: '1f2e', manufacturer: 'M', model: 'N', firmware: '2.6', keyLabel: 'transport' },
};
const KEY: RegisteredSecretKey = {
  keyid: secretKeyId(FACTS),
  policy: 'transport',
  ...FACTS,
  origin: 'broughtIn',
  components: 2,
  holder: 'the line',
  custodians: ['s.kim', 'l.meyer'],
  ceremony: 'transport-1',
  rehearsal: false,
  states: [{ state: 'preActivation', at: AT, by: 'transport-1', reason: 'combined' }],
};

describe('secret keys in the key registry', () => {
  it('are written and read back; a registry without one does not name them', () => {
    const registry = addSecretKey(EMPTY_KEY_REGISTRY, KEY);
    expect(parseKeyRegistry(formatKeyRegistry(registry))).toEqual(registry);
    expect(formatKeyRegistry(EMPTY_KEY_REGISTRY)).toEqual(
      encodeUtf8('{"mediaType":"application/vnd.witnessmark.key-registry.v1+json","keys":[]}'),
    );
  });

  it('are there once, and go through the states of every key', () => {
    const registry = addSecretKey(EMPTY_KEY_REGISTRY, KEY);
    expect(() => addSecretKey(registry, KEY)).toThrow(expect.objectContaining({ code: 'CU-145' }));
    const change = { state: 'destroyed', at: AT, by: 'x', reason: 'y' } as const;
    const [destroyed] = changeSecretKeyState(registry, KEY.keyid, change).secretKeys!;
    expect(destroyed!.states.at(-1)).toEqual(change);
    const again = (): unknown => changeSecretKeyState({ ...registry, secretKeys: [destroyed!] }, KEY.keyid, change);
    expect(again).toThrow(expect.objectContaining({ code: 'CU-141' }));
    expect(() => changeSecretKeyState(registry, 'ab'.repeat(32), change)).toThrow(
      expect.objectContaining({ code: 'CU-142' }),
    );
  });

  it('have an id that follows from token, label and check value', () => {
    for (const changed of [
      { ...FACTS, checkValue: '0a1b2d' },
      { ...FACTS, token: { ...FACTS.token, serial: '1f2f' } },
      { ...FACTS, token: { ...FACTS.token, keyLabel: 'other' } },
    ]) {
      expect(secretKeyId(changed)).not.toBe(KEY.keyid);
    }
  });

  it.each<[string, object]>([
    ['another id', { checkValue: '0a1b2d' }],
    ['one component', { components: 1 }],
    ['one person for two components', { custodians: ['s.kim', 's.kim'] }],
    ['no state', { states: [] }],
    ['a claim to be born there', { origin: 'generated' }],
    ['a member nobody knows', { value: 'x' }],
  ])('are refused with %s', (_why, change) => {
    const document = JSON.parse(new TextDecoder().decode(formatKeyRegistry(addSecretKey(EMPTY_KEY_REGISTRY, KEY))));
    Object.assign(document.secretKeys[0], change);
    const read = (): unknown => parseKeyRegistry(encodeUtf8(JSON.stringify(document as JsonValue)));
    expect(read).toThrow(expect.objectContaining({ code: 'CU-148' }));
  });

  it('are refused as an empty list, which nobody writes', () => {
    const text = '{"mediaType":"application/vnd.witnessmark.key-registry.v1+json","keys":[],"secretKeys":[]}';
    expect(() => parseKeyRegistry(encodeUtf8(text))).toThrow(expect.objectContaining({ code: 'CU-148' }));
  });
});
