// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeUtf8,
  decodeUtf8,
  findSigners,
  formatEnvelope,
  parseEnvelope,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import { generateSoftwareKey, signEnvelope } from '@witnessmark/custody';
import { EnvelopeVerifier } from '../src/verify/envelope-verifier.ts';

const keys = [generateSoftwareKey('ecdsa-sha2-nistp256'), generateSoftwareKey('ed25519')] as const;
const stranger = generateSoftwareKey('ecdsa-sha2-nistp256');
const publicKeys = keys.map((key) => key.publicKey);
const verifier = new EnvelopeVerifier(publicKeys);

/** What core's reader and verifier say; undefined when it is no envelope. */
function expected(entry: Bytes): readonly number[] | undefined {
  try {
    return findSigners(parseEnvelope(entry), publicKeys).map((signer) => publicKeys.indexOf(signer));
  } catch {
    return undefined;
  }
}

function actual(entry: Bytes): readonly number[] | undefined {
  try {
    return verifier.verify(entry).signers;
  } catch {
    return undefined;
  }
}

async function signed(payload: Bytes, type = STATEMENT_PAYLOAD_TYPE, signers = [keys[0]]): Promise<Envelope> {
  return signEnvelope(type, payload, signers);
}

describe('EnvelopeVerifier', () => {
  it('finds the signers, in the order of the signatures', async () => {
    const entry = formatEnvelope(await signed(encodeUtf8('{}'), STATEMENT_PAYLOAD_TYPE, [keys[1], keys[0]]));
    expect(verifier.verify(entry)).toEqual({ signers: [1, 0], signatures: 2 });
  });

  it('counts a signature nobody trusts, a broken one and a repeated one as none', async () => {
    const good = await signed(encodeUtf8('{"a":1}'), STATEMENT_PAYLOAD_TYPE, [keys[0], stranger]);
    expect(verifier.verify(formatEnvelope(good))).toEqual({ signers: [0], signatures: 2 });
    const [first] = good.signatures;
    if (first === undefined) throw new Error('unsigned');
    const twice = { ...good, signatures: [first, first] };
    expect(verifier.verify(formatEnvelope(twice))).toEqual({ signers: [0], signatures: 2 });
    const other = { ...good, payload: encodeUtf8('{"a":2}'), signatures: [first] };
    expect(verifier.verify(formatEnvelope(other))).toEqual({ signers: [], signatures: 1 });
    const mislabelled = { ...good, signatures: [{ keyid: stranger.publicKey.keyid, sig: first.sig }] };
    expect(verifier.verify(formatEnvelope(mislabelled)).signers).toEqual([]);
  });

  it('agrees with the strict reader on every payload', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (payload) => {
        const entry = formatEnvelope(await signed(payload));
        expect(actual(entry)).toEqual([0]);
        expect(expected(entry)).toEqual([0]);
      }),
      { numRuns: 60 },
    );
  });

  it('never finds a signer the strict reader does not, whichever byte is changed', async () => {
    const entry = formatEnvelope(await signed(encodeUtf8('{"device":"x"}')));
    let refused = 0;
    for (let at = 0; at < entry.length; at += 1) {
      for (const value of [0x00, 0x20, 0x22, 0x2d, 0x3d, 0x41, 0x5c, 0x7d, 0xff]) {
        const changed = Uint8Array.from(entry);
        changed[at] = value;
        const found = actual(changed);
        const right = expected(changed);
        if (right === undefined) expect(found).toBeUndefined();
        else for (const signer of found ?? []) expect(right).toContain(signer);
        if ((found ?? []).length === 0) refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(entry.length * 5);
  });

  it.each([
    ['white space', (text: string) => text.replace(':', ' : ')],
    ['other order', (text: string) => swapMembers(text)],
    ['a further member', (text: string) => text.replace('{"payload"', '{"x":1,"payload"')],
    ['an escape', (text: string) => text.replace('"payload"', '"p\\u0061yload"')],
  ])('takes any JSON text of an envelope: %s', async (_, change) => {
    const entry = encodeUtf8(change(decodeUtf8(formatEnvelope(await signed(encodeUtf8('{"a":"bc"}'))))));
    expect(actual(entry)).toEqual([0]);
  });

  it.each([
    ['url-safe base64', (text: string) => text.replaceAll('+', '-').replaceAll('/', '_')],
    ['missing padding', (text: string) => text.replace('=","payloadType', '","payloadType')],
    ['text behind', (text: string) => `${text} x`],
    ['no signatures', (text: string) => text.replace(/\[.*\]/, '[]')],
    ['a comma too many', (text: string) => text.replace('}]}', '},]}')],
    ['nothing', () => ''],
    ['the head only', () => '{"payload":"'],
  ])('refuses what is no envelope: %s', async (_, change) => {
    const text = decodeUtf8(formatEnvelope(await signed(Uint8Array.of(0xfb, 0xff, 0xfe, 0x3f))));
    expect(change(text)).not.toBe(text);
    expect(() => verifier.verify(encodeUtf8(change(text)))).toThrow(Error);
  });

  it('takes 16 signatures and not 17', async () => {
    const many = Array.from({ length: 17 }, () => generateSoftwareKey('ed25519'));
    const all = new EnvelopeVerifier(many.map((key) => key.publicKey));
    const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, encodeUtf8('{}'), many.slice(0, 16));
    expect(all.verify(formatEnvelope(envelope)).signers).toHaveLength(16);
    const text = decodeUtf8(formatEnvelope(envelope));
    const list = text.slice(text.indexOf('[') + 1, -2);
    const tooMany = encodeUtf8(text.replace(list, `${list},${list.slice(0, list.indexOf('},') + 1)}`));
    expect(() => all.verify(tooMany)).toThrow(Error);
  });

  it('reads other payload types through the strict reader', async () => {
    const entry = formatEnvelope(await signed(encodeUtf8('x'), 'text/plain'));
    expect(actual(entry)).toEqual([0]);
  });
});

function swapMembers(text: string): string {
  const { payload, payloadType, signatures } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify({ signatures, payloadType, payload });
}
