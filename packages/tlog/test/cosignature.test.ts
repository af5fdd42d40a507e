// SPDX-License-Identifier: Apache-2.0
/** Witness cosignatures; A59 and A61 rest on them. */
import {
  decodeUtf8,
  formatNote,
  NOTE_TYPE_COSIGNATURE_ED25519,
  parseNote,
  toNoteVerifierKey,
  verifyNote,
  type NoteSignature,
  type SignedNote,
} from '@witnessmark/core';
import { cosignedMessage, findCosignatures, formatCosignature } from '@witnessmark/tlog';
import { describe, expect, it } from 'vitest';
import { expectCode } from '../../core/test/expect-code.ts';
import { fixedEd25519 } from '../../core/test/fixed-keys.ts';
import { FixedLog } from './fixed-log.ts';

const log = new FixedLog('log.example/line-1', 12);
const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

function witness(name: string) {
  const key = fixedEd25519(name);
  const verifierKey = toNoteVerifierKey(name, key.publicKey, NOTE_TYPE_COSIGNATURE_ED25519);
  const cosign = (cosignedAt = AT, text = log.checkpointText(), claimedAt = cosignedAt): NoteSignature => ({
    name,
    keyId: verifierKey.keyId,
    signature: formatCosignature(claimedAt, key.sign(cosignedMessage(text, cosignedAt))),
  });
  return { verifierKey, cosign };
}

const w1 = witness('witness.example/w1');
const w2 = witness('witness.example/w2');

function noteWith(...cosignatures: readonly NoteSignature[]): SignedNote {
  const note = parseNote(log.checkpoint());
  return parseNote(formatNote({ ...note, signatures: [...note.signatures, ...cosignatures] }));
}

describe('cosignatures', () => {
  it('sign the message of the specification', () => {
    const example = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    expect(decodeUtf8(cosignedMessage(example, 1_679_315_147_000))).toBe(`cosignature/v1\ntime 1679315147\n${example}`);
  });

  it('say which witness saw the checkpoint when', () => {
    const note = noteWith(w1.cosign(), w2.cosign(AT + 1_000));
    expect(findCosignatures(note, [w1.verifierKey, w2.verifierKey])).toEqual([
      { witness: w1.verifierKey, cosignedAt: AT },
      { witness: w2.verifierKey, cosignedAt: AT + 1_000 },
    ]);
  });

  it('leave the signature of the log as it was', () => {
    expect(verifyNote(noteWith(w1.cosign()), [log.verifierKey]).signers).toEqual([log.verifierKey]);
  });

  it('A61: count a witness once, at its earliest', () => {
    const note = noteWith(w1.cosign(AT + 5_000), w1.cosign(AT), w1.cosign(AT + 9_000));
    expect(findCosignatures(note, [w1.verifierKey])).toEqual([{ witness: w1.verifierKey, cosignedAt: AT }]);
  });

  it('pass over witnesses nobody asked for', () => {
    expect(findCosignatures(noteWith(w2.cosign()), [w1.verifierKey])).toEqual([]);
    expect(findCosignatures(noteWith(), [w1.verifierKey])).toEqual([]);
  });

  it('are not the note signatures of a witness that also signs notes', () => {
    const plain = toNoteVerifierKey('witness.example/w1', w1.verifierKey.publicKey);
    expect(findCosignatures(noteWith(w1.cosign()), [plain])).toEqual([]);
  });

  it.each([
    ['over another checkpoint', w1.cosign(AT, log.checkpointText(11))],
    ['with another time', w1.cosign(AT, log.checkpointText(), AT + 1_000)],
    ['of another witness', { ...w1.cosign(), signature: w2.cosign().signature }],
    ['without time', { ...w1.cosign(), signature: w1.cosign().signature.slice(8) }],
    ['one byte short', { ...w1.cosign(), signature: w1.cosign().signature.slice(0, -1) }],
    ['one byte long', { ...w1.cosign(), signature: Uint8Array.of(...w1.cosign().signature, 0) }],
    ['at an impossible time', { ...w1.cosign(), signature: w1.cosign().signature.with(0, 0xff) }],
  ])('refuse one %s', (_what, damaged) => {
    expectCode('ERR_TLOG_COSIGNATURE', () =>
      findCosignatures(noteWith(damaged, w2.cosign()), [w1.verifierKey, w2.verifierKey]),
    );
  });

  it.each([AT + 1, -1_000, NaN])('name whole seconds, not %d ms', (cosignedAt) => {
    expect(() => cosignedMessage(log.checkpointText(), cosignedAt)).toThrow(TypeError);
  });
});
