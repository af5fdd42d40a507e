// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  encodeBase64,
  encodeUtf8,
  formatNote,
  formatNoteVerifierKey,
  NOTE_TYPE_COSIGNATURE_ED25519,
  parseNote,
  toNoteVerifierKey,
} from '@witnessmark/core';
import { cosignedMessage, formatCosignature } from '@witnessmark/tlog';
import { caseMaker, toJsonFile, type VectorFormat } from '../../../../vectors/vector-case.ts';
import { fixedEd25519 } from '../../../core/test/fixed-keys.ts';
import { FixedLog } from '../fixed-log.ts';

const { accepted, refused } = caseMaker('input.note');

const log = new FixedLog('log.example/line-1', 12);
const other = new FixedLog('log.example/line-2', 12);
const text = log.checkpointText();
const root = encodeBase64(log.rootHash());

/** Signed by the right key, so that the text is the only defect. */
const signed = (damaged: string): Uint8Array => log.signNote(damaged);

const witness = fixedEd25519('vectors/witness');
const witnessKey = toNoteVerifierKey('witness.example/w1', witness.publicKey, NOTE_TYPE_COSIGNATURE_ED25519);
const cosignedAt = Date.UTC(2026, 0, 2, 3, 4, 5);
const cosignature = {
  name: witnessKey.name,
  keyId: witnessKey.keyId,
  signature: formatCosignature(cosignedAt, witness.sign(cosignedMessage(text, cosignedAt))),
};
const logSignatures = parseNote(log.checkpoint()).signatures;

export const CHECKPOINT_VECTORS: VectorFormat = {
  format: 'checkpoint',
  given: { 'given.json': toJsonFile({ verifierKey: formatNoteVerifierKey(log.verifierKey) }) },
  cases: [
    accepted('twelve-entries', 'A checkpoint signed by its log.', log.checkpoint()),
    accepted('empty-tree', 'The tree without entries.', log.checkpoint(0)),
    accepted(
      'cosigned',
      'A witness cosigned it; its key is unknown here.',
      formatNote({ text, signatures: [...logSignatures, cosignature] }),
    ),
    refused(
      'cosigned-only',
      'ERR_NOTE_UNVERIFIED',
      'A witness signed, the log did not.',
      formatNote({ text, signatures: [cosignature] }),
    ),
    refused('other-log', 'ERR_NOTE_UNVERIFIED', 'The checkpoint of another log.', other.checkpoint()),
    refused(
      'other-origin',
      'ERR_TLOG_CHECKPOINT_ORIGIN',
      'Signed by the key of this log, for the origin of another.',
      signed(other.checkpointText()),
    ),
    refused(
      'root-changed',
      'ERR_NOTE_SIGNATURE',
      'The root hash was changed after signing.',
      encodeUtf8(log.checkpointNote().replace(root, encodeBase64(log.rootHash(11)))),
    ),
    refused(
      'size-changed',
      'ERR_NOTE_SIGNATURE',
      'The tree size was changed after signing.',
      encodeUtf8(log.checkpointNote().replace('\n12\n', '\n13\n')),
    ),
    refused(
      'signature-of-older',
      'ERR_NOTE_SIGNATURE',
      'The signature of an older checkpoint of the same log.',
      formatNote({ text, signatures: parseNote(log.checkpoint(11)).signatures }),
    ),
    refused(
      'extension-line',
      'ERR_TLOG_CHECKPOINT_EXTENSION',
      'An extension line, which no monitor can audit.',
      signed(`${text}extension\n`),
    ),
    refused(
      'leading-zero',
      'ERR_TLOG_CHECKPOINT',
      'A size with a leading zero.',
      signed(text.replace('\n12\n', '\n012\n')),
    ),
    refused(
      'signed-size',
      'ERR_TLOG_CHECKPOINT',
      'A size with a plus sign.',
      signed(text.replace('\n12\n', '\n+12\n')),
    ),
    refused(
      'hexadecimal-size',
      'ERR_TLOG_CHECKPOINT',
      'A size in hexadecimal.',
      signed(text.replace('\n12\n', '\n0xc\n')),
    ),
    refused(
      'size-2-53',
      'ERR_TLOG_CHECKPOINT',
      'A size of 2^53.',
      signed(text.replace('\n12\n', '\n9007199254740992\n')),
    ),
    refused(
      'no-root',
      'ERR_TLOG_CHECKPOINT',
      'The root hash is missing.',
      signed(text.split('\n').slice(0, 2).join('\n') + '\n'),
    ),
    refused(
      'short-root',
      'ERR_TLOG_CHECKPOINT',
      'A root hash of 31 bytes.',
      signed(text.replace(root, encodeBase64(log.rootHash().slice(1)))),
    ),
    refused(
      'long-root',
      'ERR_TLOG_CHECKPOINT',
      'A root hash of 33 bytes.',
      signed(text.replace(root, encodeBase64(concatBytes(log.rootHash(), Uint8Array.of(0))))),
    ),
    refused(
      'root-with-stray-bits',
      'ERR_TLOG_CHECKPOINT',
      'Base64 whose last bits are not zero.',
      signed(text.replace(root, `${'A'.repeat(42)}B=`)),
    ),
    refused(
      'empty-tree-other-root',
      'ERR_TLOG_CHECKPOINT',
      'Size 0 has one root hash, and this is another.',
      signed(text.replace('\n12\n', '\n0\n')),
    ),
    refused('no-origin', 'ERR_TLOG_CHECKPOINT', 'The origin line is empty.', signed(text.slice(text.indexOf('\n')))),
    refused(
      'too-long',
      'ERR_TLOG_CHECKPOINT',
      'An origin of 2,000 characters.',
      signed(text.replace('log.example', 'l'.repeat(2_000))),
    ),
  ],
};
