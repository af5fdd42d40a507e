// SPDX-License-Identifier: Apache-2.0
/** DSSE envelopes; A17 and its kin (one person, two signatures) rest on the counting of unique keys. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  findSigners,
  formatEnvelope,
  formatJson,
  fromEnvelope,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_SIGNATURES,
  parseEnvelope,
  preAuthEncoding,
  STATEMENT_PAYLOAD_TYPE,
  toEnvelope,
  verifyEnvelope,
  type Envelope,
  type EnvelopeSignature,
} from '@witnessmark/core';
import { codeOf, expectCode } from './expect-code.ts';
import { fixedEd25519, fixedP256, type FixedKey } from './fixed-keys.ts';

const payload = encodeUtf8('{"what":"was programmed"}');
const station = fixedP256('station');
const line = fixedP256('line');
const office = fixedEd25519('office');
const stranger = fixedP256('stranger');

function signature(key: FixedKey, type = STATEMENT_PAYLOAD_TYPE, body = payload): EnvelopeSignature {
  return { keyid: key.publicKey.keyid, sig: key.sign(preAuthEncoding(type, body)) };
}

function envelope(...signatures: readonly EnvelopeSignature[]): Envelope {
  return { payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures };
}

const verify = (signed: Envelope, threshold: number, ...keys: readonly FixedKey[]): readonly string[] =>
  verifyEnvelope(signed, {
    keys: keys.map(({ publicKey }) => publicKey),
    threshold,
    payloadType: STATEMENT_PAYLOAD_TYPE,
  }).signers.map(({ keyid }) => keyid);

const ids = (...keys: readonly FixedKey[]): readonly string[] => keys.map(({ publicKey }) => publicKey.keyid);

describe('preAuthEncoding', () => {
  it('gives the vector of the specification', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', encodeUtf8('hello world'));
    expect(decodeUtf8(encoded)).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(decodeUtf8(preAuthEncoding('é', encodeUtf8('𝄞')))).toBe('DSSEv1 2 é 4 𝄞');
    expect(decodeUtf8(preAuthEncoding('', new Uint8Array(0)))).toBe('DSSEv1 0  0 ');
  });

  it('never encodes two inputs alike', () => {
    const text = fc.string({ unit: fc.constantFrom('1', '0', ' ', 'a'), maxLength: 4 });
    fc.assert(
      fc.property(text, text, text, text, (type, body, otherType, otherBody) => {
        fc.pre(type !== otherType || body !== otherBody);
        expect(preAuthEncoding(type, encodeUtf8(body))).not.toEqual(preAuthEncoding(otherType, encodeUtf8(otherBody)));
      }),
    );
  });
});

describe('parseEnvelope and formatEnvelope', () => {
  it('round-trip in one text', () => {
    fc.assert(
      fc.property(
        fc.record({
          payloadType: fc.string({ minLength: 1, maxLength: 128, unit: 'grapheme-ascii' }),
          payload: fc.uint8Array(),
          signatures: fc.array(
            fc.record({
              keyid: fc.string({ maxLength: 128 }),
              sig: fc.uint8Array({ minLength: 1, maxLength: 128 }),
            }),
            { minLength: 1, maxLength: MAX_ENVELOPE_SIGNATURES },
          ),
        }),
        (written) => {
          const bytes = formatEnvelope(written);
          expect(parseEnvelope(bytes)).toEqual(written);
          expect(formatEnvelope(parseEnvelope(bytes))).toEqual(bytes);
        },
      ),
    );
  });

  it('ignores unknown members and reads a missing key id as an empty one', () => {
    const { sig } = signature(station);
    const read = parseEnvelope(
      formatJson({ extra: 1, payloadType: 't', payload: 'AQID', signatures: [{ sig: encodeBase64(sig), cert: 'x' }] }),
    );
    expect(read).toEqual({ payloadType: 't', payload: Uint8Array.of(1, 2, 3), signatures: [{ keyid: '', sig }] });
  });

  const valid = fromEnvelope(envelope(signature(station))) as Record<string, unknown>;
  const [validSignature] = valid['signatures'] as readonly Record<string, unknown>[];
  it.each([
    ['an array', []],
    ['null', null],
    ['a string', 'x'],
    ['no payload type', { ...valid, payloadType: undefined }],
    ['an empty payload type', { ...valid, payloadType: '' }],
    ['a number as payload type', { ...valid, payloadType: 1 }],
    ['no payload', { ...valid, payload: undefined }],
    ['a payload that is an object', { ...valid, payload: { a: 1 } }],
    ['a payload in URL-safe base64', { ...valid, payload: '_-__' }],
    ['a payload without padding', { ...valid, payload: 'AQI' }],
    ['a payload with white space', { ...valid, payload: 'AQ\nID' }],
    ['no signatures', { ...valid, signatures: undefined }],
    ['signatures that are an object', { ...valid, signatures: { 0: validSignature, length: 1 } }],
    ['an empty list of signatures', { ...valid, signatures: [] }],
    ['a signature that is text', { ...valid, signatures: ['AQID'] }],
    ['a signature that is null', { ...valid, signatures: [null] }],
    ['no sig', { ...valid, signatures: [{ ...validSignature, sig: undefined }] }],
    ['an empty sig', { ...valid, signatures: [{ ...validSignature, sig: '' }] }],
    ['a sig that is not base64', { ...valid, signatures: [{ ...validSignature, sig: '*' }] }],
    ['a key id that is a number', { ...valid, signatures: [{ ...validSignature, keyid: 7 }] }],
    ['a key id that is null', { ...valid, signatures: [{ ...validSignature, keyid: null }] }],
  ])('refuse %s', (_what, value) => {
    expectCode('ERR_DSSE_FORMAT', () => parseEnvelope(formatJson(value)));
  });

  it('refuse a member that is there twice', () => {
    const text = decodeUtf8(formatEnvelope(envelope(signature(station))));
    const twice = text.replace('"payloadType"', '"payload":"AQID","payloadType"');
    expectCode('ERR_JSON_DUPLICATE_KEY', () => parseEnvelope(encodeUtf8(twice)));
  });

  it('take MAX_ENVELOPE_BYTES and refuse one more', () => {
    const empty = formatEnvelope({ ...envelope(signature(station)), payload: new Uint8Array(0) }).length;
    const room = MAX_ENVELOPE_BYTES - empty;
    const largest = { ...envelope(signature(station)), payload: new Uint8Array(Math.floor(room / 4) * 3) };
    const bytes = formatEnvelope(largest);
    expect(bytes.length).toBeGreaterThan(MAX_ENVELOPE_BYTES - 4);
    const padded = new Uint8Array(MAX_ENVELOPE_BYTES + 1).fill(0x20);
    padded.set(bytes);
    expect(parseEnvelope(padded.subarray(0, MAX_ENVELOPE_BYTES))).toEqual(largest);
    expectCode('ERR_DSSE_TOO_LARGE', () => parseEnvelope(padded));
    const larger = { ...largest, payload: new Uint8Array(largest.payload.length + 3) };
    expectCode('ERR_DSSE_TOO_LARGE', () => formatEnvelope(larger));
  });

  const one = signature(station);
  it.each([
    [
      'signatures',
      envelope(...Array.from({ length: MAX_ENVELOPE_SIGNATURES }, () => one)),
      envelope(...Array.from({ length: MAX_ENVELOPE_SIGNATURES + 1 }, () => one)),
    ],
    [
      'bytes of a signature',
      envelope({ ...one, sig: new Uint8Array(128) }),
      envelope({ ...one, sig: new Uint8Array(129) }),
    ],
    [
      'characters of a key id',
      envelope({ ...one, keyid: 'k'.repeat(128) }),
      envelope({ ...one, keyid: 'k'.repeat(129) }),
    ],
    [
      'characters of a payload type',
      { ...envelope(one), payloadType: 't'.repeat(128) },
      { ...envelope(one), payloadType: 't'.repeat(129) },
    ],
  ])('bound the %s, written or read', (_what, largest, larger) => {
    expect(parseEnvelope(formatEnvelope(largest))).toEqual(largest);
    expectCode('ERR_DSSE_FORMAT', () => formatEnvelope(larger));
    expectCode('ERR_DSSE_FORMAT', () => toEnvelope(fromEnvelope(larger)));
  });
});

describe('verifyEnvelope', () => {
  it('returns the payload and who signed it', () => {
    const verified = verifyEnvelope(envelope(signature(station), signature(office)), {
      keys: [line.publicKey, office.publicKey, station.publicKey],
      threshold: 2,
      payloadType: STATEMENT_PAYLOAD_TYPE,
    });
    expect(verified.payload).toEqual(payload);
    expect(verified.signers).toEqual([station.publicKey, office.publicKey]);
  });

  it('refuses one signature fewer than the threshold', () => {
    expect(verify(envelope(signature(station), signature(line)), 2, station, line, office)).toHaveLength(2);
    expectCode('ERR_DSSE_THRESHOLD', () =>
      verify(envelope(signature(station), signature(line)), 3, station, line, office),
    );
    expectCode('ERR_DSSE_THRESHOLD', () => verify(envelope(signature(station)), 2, station, line));
  });

  it('A17: counts a key once, however often it signed or is listed', () => {
    const twice = envelope(signature(station), signature(station));
    const otherId = envelope(signature(station), { ...signature(station), keyid: line.publicKey.keyid });
    expect(verify(twice, 1, station, station)).toEqual(ids(station));
    expectCode('ERR_DSSE_THRESHOLD', () => verify(twice, 2, station, station));
    expectCode('ERR_DSSE_THRESHOLD', () => verify(otherId, 2, station, line));
  });

  it('gains and loses nothing by key ids: wrong, swapped, missing or borrowed ones change no verdict', () => {
    const keyids = ['', 'x', station.publicKey.keyid, line.publicKey.keyid, stranger.publicKey.keyid];
    for (const first of keyids) {
      for (const second of keyids) {
        const honest = envelope({ ...signature(station), keyid: first }, { ...signature(line), keyid: second });
        expect(verify(honest, 2, station, line)).toEqual(ids(station, line));
        const forged = envelope({ ...signature(stranger), keyid: first }, { ...signature(line), keyid: second });
        expectCode('ERR_DSSE_THRESHOLD', () => verify(forged, 2, station, line));
      }
    }
  });

  it('refuses a changed payload, whatever byte', () => {
    const signed = envelope(signature(station));
    for (let index = 0; index < payload.length; index += 1) {
      const changed = Uint8Array.from(payload);
      changed[index]! ^= 1;
      expectCode('ERR_DSSE_THRESHOLD', () => verify({ ...signed, payload: changed }, 1, station));
    }
  });

  it('refuses another payload type, even one the signature covers', () => {
    const other = { ...envelope(signature(station, 'text/plain')), payloadType: 'text/plain' };
    expectCode('ERR_DSSE_PAYLOAD_TYPE', () => verify(other, 1, station));
  });

  it('refuses a signature over another payload type under the right one', () => {
    expectCode('ERR_DSSE_THRESHOLD', () => verify(envelope(signature(station, 'text/plain')), 1, station));
  });

  it('refuses a signature over the payload alone', () => {
    const bare = envelope({ keyid: station.publicKey.keyid, sig: station.sign(payload) });
    expectCode('ERR_DSSE_THRESHOLD', () => verify(bare, 1, station));
  });

  it('refuses when there is no key', () => {
    expectCode('ERR_DSSE_THRESHOLD', () => verify(envelope(signature(station)), 1));
  });

  it.each([0, -1, 1.5, NaN])('takes a threshold of %d for a mistake of the caller', (threshold) => {
    expect(() => verify(envelope(signature(station)), threshold, station)).toThrow(TypeError);
  });

  it('takes broken signatures beside good ones: they count for nothing', () => {
    const junk = { keyid: line.publicKey.keyid, sig: Uint8Array.of(0x30, 0) };
    expect(verify(envelope(junk, signature(station)), 1, station, line)).toEqual(ids(station));
    expectCode('ERR_DSSE_THRESHOLD', () => verify(envelope(junk, signature(station)), 2, station, line));
  });

  it('counts exactly the distinct trusted keys, for every mixture', () => {
    const all = [station, line, office, stranger] as const;
    const made = all.map((key) => signature(key));
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
        fc.subarray([0, 1, 2, 3]),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
        (signing, trusted, threshold, hints) => {
          const signed = envelope(
            ...signing.map((key, at) => ({ ...made[key]!, keyid: all[hints[at]!]!.publicKey.keyid })),
          );
          const expected = new Set(signing.filter((key) => trusted.includes(key))).size;
          const code = codeOf(() => verify(signed, threshold, ...trusted.map((key) => all[key]!)));
          expect(code).toBe(expected >= threshold ? undefined : 'ERR_DSSE_THRESHOLD');
        },
      ),
    );
  });
});

describe('findSigners', () => {
  it('lists each key once, in the order of the signatures', () => {
    const signed = envelope(signature(line), signature(stranger), signature(station), signature(line));
    expect(findSigners(signed, [station.publicKey, line.publicKey])).toEqual([line.publicKey, station.publicKey]);
    expect(findSigners(signed, [])).toEqual([]);
  });
});
