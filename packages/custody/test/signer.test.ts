// SPDX-License-Identifier: Apache-2.0
import { decodeUtf8, encodeUtf8, parseNote, verifyEnvelope, verifyNote } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import {
  countersign,
  generateSoftwareKey,
  NoteSigner,
  signEnvelope,
  signEnvelopePart,
  type Signer,
} from '../src/index.ts';

const TYPE = 'application/vnd.in-toto+json';
const PAYLOAD = encodeUtf8('{"_type":"x"}');
const first = generateSoftwareKey('ecdsa-sha2-nistp256');
const second = generateSoftwareKey('ed25519');

describe('an envelope', () => {
  it('is signed by each signer over the same bytes', async () => {
    const envelope = await signEnvelope(TYPE, PAYLOAD, [first, second]);
    const keys = [first.publicKey, second.publicKey];
    expect(verifyEnvelope(envelope, { keys, threshold: 2, payloadType: TYPE }).payload).toEqual(PAYLOAD);
    expect(envelope.signatures.map(({ keyid }) => keyid)).toEqual(keys.map(({ keyid }) => keyid));
  });

  it('keeps its first signature when it is countersigned', async () => {
    const envelope = await signEnvelope(TYPE, PAYLOAD, [first]);
    const both = await countersign(envelope, second);
    expect(both.signatures[0]).toEqual(envelope.signatures[0]);
    expect(envelope.signatures).toHaveLength(1);
    verifyEnvelope(both, { keys: [first.publicKey, second.publicKey], threshold: 2, payloadType: TYPE });
    expect(() => verifyEnvelope(both, { keys: [first.publicKey], threshold: 2, payloadType: TYPE })).toThrow(
      expect.objectContaining({ code: 'ERR_DSSE_THRESHOLD' }),
    );
  });

  it('binds payload and type', async () => {
    const signature = await signEnvelopePart(first, TYPE, PAYLOAD);
    const check = (payloadType: string, payload: Uint8Array) => () =>
      verifyEnvelope(
        { payloadType, payload, signatures: [signature] },
        { keys: [first.publicKey], threshold: 1, payloadType },
      );
    expect(check(TYPE, PAYLOAD)).not.toThrow();
    expect(check('text/plain', PAYLOAD)).toThrow(expect.objectContaining({ code: 'ERR_DSSE_THRESHOLD' }));
    expect(check(TYPE, encodeUtf8('{"_type":"y"}'))).toThrow(expect.objectContaining({ code: 'ERR_DSSE_THRESHOLD' }));
  });

  it('is not made when a key cannot be reached', async () => {
    const away: Signer = {
      custody: 'hardware',
      publicKey: second.publicKey,
      sign: () => Promise.reject(new Error('no token')),
    };
    await expect(signEnvelope(TYPE, PAYLOAD, [first, away])).rejects.toThrow('no token');
  });
});

describe('a note signer', () => {
  it('signs notes under its name', async () => {
    const signer = new NoteSigner('witnessmark.dev/log/test', second);
    const note = await signer.sign('witnessmark.dev/log/test\n1\nAAAA\n');
    expect(decodeUtf8(note)).toContain('\n\n— witnessmark.dev/log/test ');
    expect(verifyNote(parseNote(note), [signer.verifierKey]).text).toBe('witnessmark.dev/log/test\n1\nAAAA\n');
    const other = new NoteSigner('witnessmark.dev/log/test', generateSoftwareKey('ed25519'));
    expect(() => verifyNote(parseNote(note), [other.verifierKey])).toThrow(
      expect.objectContaining({ code: 'ERR_NOTE_UNVERIFIED' }),
    );
  });

  it('needs a text that ends in a newline, and an Ed25519 key', async () => {
    const signer = new NoteSigner('witnessmark.dev/log/test', second);
    await expect(signer.sign('no newline')).rejects.toThrow(TypeError);
    expect(() => new NoteSigner('witnessmark.dev/log/test', first)).toThrow();
  });
});
