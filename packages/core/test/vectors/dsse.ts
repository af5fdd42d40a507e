// SPDX-License-Identifier: Apache-2.0
import { p256 } from '@noble/curves/nist.js';
import {
  concatBytes,
  encodeBase64,
  encodeUtf8,
  formatEnvelope,
  fromEnvelope,
  MAX_ENVELOPE_BYTES,
  preAuthEncoding,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
  type EnvelopeSignature,
} from '@witnessmark/core';
import { caseMaker, toJsonFile, type VectorFormat } from '../../../../vectors/vector-case.ts';
import { fixedEd25519, fixedP256, type FixedKey } from '../fixed-keys.ts';

const { accepted, refused } = caseMaker('input.json');

const alice = fixedP256('vectors/dsse/alice');
const bob = fixedP256('vectors/dsse/bob');
const carol = fixedEd25519('vectors/dsse/carol');
const mallory = fixedP256('vectors/dsse/mallory');
const trusted = { alice, bob, carol };

const payload = encodeUtf8(
  '{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}',
);

function sign(key: FixedKey, body = payload, type = STATEMENT_PAYLOAD_TYPE): EnvelopeSignature {
  return { keyid: key.publicKey.keyid, sig: key.sign(preAuthEncoding(type, body)) };
}

function envelope(...signatures: readonly EnvelopeSignature[]): Envelope {
  return { payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures };
}

const valid = envelope(sign(alice), sign(bob));
const text = new TextDecoder().decode(formatEnvelope(valid));
const json = (change: object): Uint8Array => toJsonFile({ ...(fromEnvelope(valid) as object), ...change });

/** Replaces Alice's signature, and nothing else, in the valid envelope. */
const withAlice = (change: Partial<EnvelopeSignature>): Uint8Array =>
  formatEnvelope(envelope({ ...sign(alice), ...change }, sign(bob)));

const { r, s } = p256.Signature.fromBytes(sign(alice).sig, 'der');
const highS = new p256.Signature(r, p256.Point.Fn.ORDER - s).toBytes('der');

export const DSSE_VECTORS: VectorFormat = {
  format: 'dsse',
  given: {
    'given.json': toJsonFile({
      payloadType: STATEMENT_PAYLOAD_TYPE,
      threshold: 2,
      keys: Object.entries(trusted).map(([name, { publicKey }]) => ({
        name,
        scheme: publicKey.scheme,
        keyid: publicKey.keyid,
        spki: encodeBase64(publicKey.spki),
      })),
    }),
  },
  cases: [
    accepted('two-of-three', 'Two of the three keys signed.', formatEnvelope(valid)),
    accepted(
      'both-schemes',
      'ECDSA in DER and raw Ed25519 side by side.',
      formatEnvelope(envelope(sign(carol), sign(alice))),
    ),
    accepted(
      'key-ids-exchanged',
      'Key ids are hints; exchanged, they change nothing.',
      formatEnvelope(
        envelope({ ...sign(alice), keyid: bob.publicKey.keyid }, { ...sign(bob), keyid: alice.publicKey.keyid }),
      ),
    ),
    accepted(
      'no-key-ids',
      'Key ids may be missing.',
      json({ signatures: [sign(alice), sign(bob)].map(({ sig }) => ({ sig: encodeBase64(sig) })) }),
    ),
    accepted(
      'unknown-signature-beside',
      'A signature of a stranger counts for nothing and harms nothing.',
      formatEnvelope(envelope(sign(mallory), sign(alice), sign(bob))),
    ),
    accepted('unknown-member', 'Unknown members are ignored.', json({ comment: 'unsigned' })),
    accepted('high-s', 'Both s and n - s are signatures.', withAlice({ sig: highS })),
    refused(
      'one-signature',
      'ERR_DSSE_THRESHOLD',
      'One signature where two are needed.',
      formatEnvelope(envelope(sign(alice))),
    ),
    refused(
      'same-key-twice',
      'ERR_DSSE_THRESHOLD',
      'Two signatures of one key count once.',
      formatEnvelope(envelope(sign(alice), sign(alice))),
    ),
    refused(
      'same-key-two-ids',
      'ERR_DSSE_THRESHOLD',
      'One key under two ids counts once.',
      formatEnvelope(envelope(sign(alice), { ...sign(alice), keyid: bob.publicKey.keyid })),
    ),
    refused(
      'same-key-two-signatures',
      'ERR_DSSE_THRESHOLD',
      'Two different signatures of one key count once.',
      formatEnvelope(envelope(sign(alice), { ...sign(alice), sig: highS })),
    ),
    refused(
      'stranger-under-trusted-id',
      'ERR_DSSE_THRESHOLD',
      'A stranger signed under the key id of a trusted key.',
      formatEnvelope(envelope(sign(alice), { ...sign(mallory), keyid: bob.publicKey.keyid })),
    ),
    refused(
      'payload-changed',
      'ERR_DSSE_THRESHOLD',
      'One bit of the payload was changed after signing.',
      formatEnvelope({ ...valid, payload: payload.with(2, payload[2]! ^ 1) }),
    ),
    refused(
      'signature-changed',
      'ERR_DSSE_THRESHOLD',
      'One bit of a signature was changed.',
      withAlice({ sig: sign(alice).sig.with(20, sign(alice).sig[20]! ^ 1) }),
    ),
    refused(
      'other-payload-type',
      'ERR_DSSE_PAYLOAD_TYPE',
      'Rightly signed, but as another payload type than is asked for.',
      formatEnvelope({
        payloadType: 'text/plain',
        payload,
        signatures: [sign(alice, payload, 'text/plain'), sign(bob, payload, 'text/plain')],
      }),
    ),
    refused(
      'signed-as-other-payload-type',
      'ERR_DSSE_THRESHOLD',
      'A signature made for another payload type.',
      formatEnvelope(envelope(sign(alice, payload, 'text/plain'), sign(bob))),
    ),
    refused(
      'signed-without-encoding',
      'ERR_DSSE_THRESHOLD',
      'A signature over the bare payload, without the pre-authentication encoding.',
      withAlice({ sig: alice.sign(payload) }),
    ),
    refused(
      'signed-text-of-payload',
      'ERR_DSSE_THRESHOLD',
      'A signature over the base64 text of the payload.',
      withAlice({ sig: alice.sign(preAuthEncoding(STATEMENT_PAYLOAD_TYPE, encodeUtf8(encodeBase64(payload)))) }),
    ),
    refused(
      'raw-ecdsa-signature',
      'ERR_DSSE_THRESHOLD',
      'r and s as 64 raw bytes instead of DER.',
      withAlice({ sig: p256.Signature.fromBytes(sign(alice).sig, 'der').toBytes('compact') }),
    ),
    refused(
      'der-with-byte-after',
      'ERR_DSSE_THRESHOLD',
      'A byte after the DER of a signature.',
      withAlice({ sig: concatBytes(sign(alice).sig, Uint8Array.of(0)) }),
    ),
    refused(
      'url-safe-base64',
      'ERR_DSSE_FORMAT',
      'The URL-safe alphabet: this profile has one text for one byte string.',
      json({ payload: '_-8=' }),
    ),
    refused('base64-without-padding', 'ERR_DSSE_FORMAT', 'The padding is missing.', json({ payload: 'AQI' })),
    refused('base64-with-line-break', 'ERR_DSSE_FORMAT', 'A line break inside base64.', json({ payload: 'AQ\nID' })),
    refused(
      'base64-with-stray-bits',
      'ERR_DSSE_FORMAT',
      'Bits after the last byte are not zero.',
      json({ payload: 'AQJ=' }),
    ),
    refused('no-signatures', 'ERR_DSSE_FORMAT', 'An empty list of signatures.', json({ signatures: [] })),
    refused(
      'seventeen-signatures',
      'ERR_DSSE_FORMAT',
      'One signature more than 16.',
      json({ signatures: Array.from({ length: 17 }, () => ({ sig: 'AQID' })) }),
    ),
    refused(
      'signature-too-long',
      'ERR_DSSE_FORMAT',
      'A signature of 129 bytes.',
      json({ signatures: [{ sig: encodeBase64(new Uint8Array(129)) }] }),
    ),
    refused('no-payload-type', 'ERR_DSSE_FORMAT', 'The payload type is missing.', json({ payloadType: undefined })),
    refused(
      'key-id-not-text',
      'ERR_DSSE_FORMAT',
      'A key id that is a number.',
      json({ signatures: [{ keyid: 7, sig: 'AQID' }] }),
    ),
    refused('array', 'ERR_DSSE_FORMAT', 'An array of envelopes is no envelope.', `[${text}]`),
    refused(
      'payload-twice',
      'ERR_JSON_DUPLICATE_KEY',
      'Two payloads, of which readers keep different ones.',
      text.replace('{', '{"payload":"AQID",'),
    ),
    refused('truncated', 'ERR_JSON_SYNTAX', 'The last byte is missing.', text.slice(0, -1)),
    refused(
      'too-large',
      'ERR_DSSE_TOO_LARGE',
      `One byte more than ${MAX_ENVELOPE_BYTES}, which is what a log entry holds.`,
      text.padEnd(MAX_ENVELOPE_BYTES + 1, ' '),
    ),
  ],
};
