// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  encodeBase64,
  encodeUtf8,
  formatEnvelope,
  formatNoteVerifierKey,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import type { LoggedEntry } from '@witnessmark/api';
import type { TrustedRoot } from '@witnessmark/attestation';
import { countersign, generateSoftwareKey, NoteSigner, signEnvelope, type SoftwareKey } from '@witnessmark/custody';
import { formatCheckpoint, formatLogProof, hashChildren, hashLeaf } from '@witnessmark/tlog';
import type { SeenHead } from '../src/floor.ts';
import { LineTrust } from '../src/line-trust.ts';
import { verifyReceipt } from '../src/receipt.ts';

const AT = Date.UTC(2027, 2, 4, 12);
const VALIDITY = { validFrom: '2027-01-01T00:00:00Z', validUntil: '2028-01-01T00:00:00Z' };
const LINE = 'L3';

const keys = {
  line: generateSoftwareKey('ecdsa-sha2-nistp256'),
  otherLine: generateSoftwareKey('ecdsa-sha2-nistp256'),
  station: generateSoftwareKey('ecdsa-sha2-nistp256'),
  stranger: generateSoftwareKey('ecdsa-sha2-nistp256'),
};
const log = new NoteSigner('log.example/l3', generateSoftwareKey('ed25519'));
const impostor = new NoteSigner('log.example/l3', generateSoftwareKey('ed25519'));
const unknownLog = new NoteSigner('log.example/l9', generateSoftwareKey('ed25519'));

const root: TrustedRoot = {
  mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
  name: 'test',
  version: 1,
  logs: [{ verifierKey: formatNoteVerifierKey(log.verifierKey), owner: LINE, ...VALIDITY }],
  witnesses: [],
  keys: [member('evidence', LINE, LINE, keys.line), member('evidence', 'L4', 'L4', keys.otherLine)],
  certificateAuthorities: [],
  revocations: [],
};

function member(role: 'evidence', owner: string, scope: string, key: SoftwareKey): TrustedRoot['keys'][number] {
  const publicKey = encodeBase64(key.publicKey.spki);
  return { role, publicKey, owner, scope, custody: 'software', ...VALIDITY };
}

const trust = new LineTrust(root, LINE);
let sent: Envelope;
let logged: Envelope;

beforeAll(async () => {
  sent = await signEnvelope(STATEMENT_PAYLOAD_TYPE, encodeUtf8('{"about":"a unit"}'), [keys.station]);
  logged = await countersign(sent, keys.line);
});

/** A log of two entries whose second is the envelope. */
async function logIt(envelope: Envelope, signer: NoteSigner = log): Promise<{ entry: LoggedEntry; head: SeenHead }> {
  const first = hashLeaf(encodeUtf8('first'));
  const rootHash = hashChildren(first, hashLeaf(formatEnvelope(envelope)));
  const origin = signer.verifierKey.name;
  const checkpoint = await signer.sign(formatCheckpoint({ origin, treeSize: 2, rootHash }));
  const proof = formatLogProof({ index: 1, proof: [first], checkpoint });
  return { entry: { index: 1, envelope, proof }, head: { treeSize: 2, rootHash } };
}

function verify(entry: LoggedEntry, lastHead: SeenHead | null = null): SeenHead {
  return verifyReceipt(entry, { sent, trust, author: keys.station.publicKey, lastHead, at: AT });
}

const BROKEN = expect.objectContaining({ code: 'LS-303' }) as Error;

describe('a receipt', () => {
  it('leads to the head it proves', async () => {
    const { entry, head } = await logIt(logged);
    expect(verify(entry)).toEqual(head);
  });

  it('accepts the same head again, and a larger one', async () => {
    const { entry, head } = await logIt(logged);
    expect(verify(entry, head)).toEqual(head);
    expect(verify(entry, { treeSize: 1, rootHash: hashLeaf(encodeUtf8('first')) })).toEqual(head);
  });

  it('I4 refuses a log that shrank, and another root at a size seen before', async () => {
    const { entry, head } = await logIt(logged);
    expect(() => verify(entry, { ...head, treeSize: 3 })).toThrow(BROKEN);
    expect(() => verify(entry, { ...head, rootHash: new Uint8Array(32) })).toThrow(BROKEN);
  });

  it.each([
    ['without the countersignature', () => sent],
    ['countersigned by another line', () => countersign(sent, keys.otherLine)],
    ['countersigned by a stranger', () => countersign(sent, keys.stranger)],
    ['without the station’s own signature', () => signEnvelope(STATEMENT_PAYLOAD_TYPE, sent.payload, [keys.line])],
    [
      'for another statement',
      () => signEnvelope(STATEMENT_PAYLOAD_TYPE, encodeUtf8('{"about":"another unit"}'), [keys.station, keys.line]),
    ],
  ])('refuses an entry %s', async (_, make) => {
    const { entry } = await logIt(await make());
    expect(() => verify(entry)).toThrow(BROKEN);
  });

  it.each([
    ['a head signed by an impostor', impostor],
    ['a head of a log that nobody trusts', unknownLog],
  ])('refuses %s', async (_, signer) => {
    const { entry } = await logIt(logged, signer);
    expect(() => verify(entry)).toThrow(BROKEN);
  });

  it('refuses a proof of another place, of other bytes, or for another envelope', async () => {
    const { entry } = await logIt(logged);
    expect(() => verify({ ...entry, index: 0 })).toThrow(BROKEN);
    expect(() => verify({ ...entry, proof: entry.proof.replace('index 1', 'index 0') })).toThrow(BROKEN);
    expect(() => verify({ ...entry, proof: 'no proof' })).toThrow(BROKEN);
    // The same statement, signed once more: valid signatures, but not the bytes that are in the log.
    return countersign(sent, keys.line).then((again) => {
      expect(() => verify({ ...entry, envelope: again })).toThrow(BROKEN);
    });
  });

  it('refuses keys that were not valid at that time', async () => {
    const { entry } = await logIt(logged);
    const late = { sent, trust, author: keys.station.publicKey, lastHead: null, at: Date.UTC(2029, 0, 1) };
    expect(() => verifyReceipt(entry, late)).toThrow(BROKEN);
  });

  it('of a statement of the line’s own needs no other author', async () => {
    const payload: Bytes = encodeUtf8('{"about":"a refusal"}');
    const { entry, head } = await logIt(await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [keys.line]));
    const expectation = { sent: null, trust, author: null, lastHead: null, at: AT };
    expect(verifyReceipt(entry, expectation)).toEqual(head);
    expect(() => verifyReceipt(entry, { ...expectation, author: keys.station.publicKey })).toThrow(BROKEN);
  });
});
