// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  encodeBase64,
  encodeUtf8,
  formatNote,
  formatNoteVerifierKey,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  toNoteVerifierKey,
  type NoteSignature,
} from '@witnessmark/core';
import { caseMaker, toJsonFile, type VectorFormat } from '../../../../vectors/vector-case.ts';
import { fixedEd25519 } from '../fixed-keys.ts';

const { accepted, refused } = caseMaker('input.note');

const TEXT = 'A note has a text\n\nand signatures.\n';

function signer(name: string, label = name) {
  const key = fixedEd25519(`vectors/note/${label}`);
  const verifierKey = toNoteVerifierKey(name, key.publicKey);
  const sign = (text = TEXT): NoteSignature => ({
    name,
    keyId: verifierKey.keyId,
    signature: key.sign(encodeUtf8(text)),
  });
  return { verifierKey, sign };
}

const alice = signer('alice.example/notes');
const bob = signer('bob.example/notes');
const mallory = signer('mallory.example');

const note = (signatures: readonly NoteSignature[], text = TEXT): string =>
  new TextDecoder().decode(formatNote({ text, signatures }));
const line = (signature: NoteSignature): string => note([signature]).slice(TEXT.length + 1);
const valid = note([alice.sign()]);
const blob = encodeBase64(concatBytes(alice.verifierKey.keyId, alice.sign().signature));

/** A whole note, signed by Alice as it is, whose text the format does not allow. */
const signedText = (text: string): string => note([alice.sign(text)], text);

/** A signature line that no key of ours made, after a valid one. */
const withLine = (damaged: string): string => `${valid}${damaged}\n`;

export const NOTE_VECTORS: VectorFormat = {
  format: 'note',
  given: {
    'given.json': toJsonFile({
      verifierKeys: [alice, bob].map(({ verifierKey }) => formatNoteVerifierKey(verifierKey)),
    }),
  },
  cases: [
    accepted('one-signature', 'A trusted key signed; the text holds an empty line.', valid),
    accepted('two-signatures', 'Both trusted keys signed.', note([alice.sign(), bob.sign()])),
    accepted(
      'unknown-signature-beside',
      'Signatures of unknown keys are passed over.',
      note([mallory.sign(), alice.sign()]),
    ),
    accepted('same-key-twice', 'A key may sign twice; it counts once.', note([alice.sign(), alice.sign()])),
    accepted(
      'sixteen-signatures',
      'A verifier must accept 16 signatures.',
      note([...Array.from({ length: 15 }, () => mallory.sign()), alice.sign()]),
    ),
    accepted('delete-character', 'U+007F is no control character below U+0020.', signedText('a\u007fb\n')),
    accepted('separators-in-text', 'Unicode line separators do not end lines.', signedText('a\u2028b\u0085c\n')),
    refused('unknown-key', 'ERR_NOTE_UNVERIFIED', 'Only an unknown key signed.', note([mallory.sign()])),
    refused(
      'same-name-other-key',
      'ERR_NOTE_UNVERIFIED',
      'A key that shares only the name of a trusted one.',
      note([signer('alice.example/notes', 'impostor').sign()]),
    ),
    refused(
      'same-id-other-name',
      'ERR_NOTE_UNVERIFIED',
      'A signature line that shares only the key id of a trusted one.',
      note([{ ...alice.sign(), name: 'alice.example' }]),
    ),
    refused(
      'text-changed',
      'ERR_NOTE_SIGNATURE',
      'One letter of the text was changed.',
      valid.replace('A note', 'B note'),
    ),
    refused(
      'signature-changed',
      'ERR_NOTE_SIGNATURE',
      'One bit of the signature was changed.',
      note([{ ...alice.sign(), signature: alice.sign().signature.with(9, alice.sign().signature[9]! ^ 1) }]),
    ),
    refused(
      'known-signature-fails-beside-good',
      'ERR_NOTE_SIGNATURE',
      'One trusted signature verifies, another trusted one does not.',
      note([alice.sign(), { ...bob.sign(), signature: alice.sign().signature }]),
    ),
    refused(
      'second-signature-fails',
      'ERR_NOTE_SIGNATURE',
      'The first signature of a key verifies, its second does not.',
      note([alice.sign(), alice.sign('other text\n')]),
    ),
    refused(
      'signed-without-last-newline',
      'ERR_NOTE_SIGNATURE',
      'Signed over the text without its last newline.',
      note([alice.sign(TEXT.slice(0, -1))]),
    ),
    refused('carriage-return', 'ERR_NOTE_FORMAT', 'Lines end in a newline alone.', signedText('a\r\n')),
    refused('tab', 'ERR_NOTE_FORMAT', 'A tab is a control character.', signedText('a\tb\n')),
    refused('escape', 'ERR_NOTE_FORMAT', 'A terminal would obey it.', signedText('a\u001b[2Jb\n')),
    refused(
      'invalid-utf8',
      'ERR_CORE_UTF8',
      'A byte that is no UTF-8.',
      concatBytes(Uint8Array.of(0xff), encodeUtf8(valid)),
    ),
    refused(
      'no-empty-line',
      'ERR_NOTE_FORMAT',
      'Nothing separates text and signature.',
      `A note\n${line(alice.sign('A note\n'))}`,
    ),
    refused('no-signature', 'ERR_NOTE_FORMAT', 'Text and empty line, then nothing.', `${TEXT}\n`),
    refused('no-last-newline', 'ERR_NOTE_FORMAT', 'The last line is not ended.', valid.slice(0, -1)),
    refused(
      'text-after-signatures',
      'ERR_NOTE_FORMAT',
      'A line after the signatures that is none.',
      `${valid}unsigned text\n`,
    ),
    refused('empty-line-after-signatures', 'ERR_NOTE_FORMAT', 'An empty line after the signatures.', `${valid}\n`),
    refused('hyphen', 'ERR_NOTE_FORMAT', 'A hyphen instead of the em dash.', valid.replace('—', '-')),
    refused('two-spaces', 'ERR_NOTE_FORMAT', 'Two spaces before the name.', valid.replace('— ', '—  ')),
    refused('plus-in-name', 'ERR_NOTE_FORMAT', 'A plus sign in a key name.', withLine(`— a+b ${blob}`)),
    refused(
      'no-break-space-in-name',
      'ERR_NOTE_FORMAT',
      'A Unicode space in a key name.',
      withLine(`— a\u00a0b ${blob}`),
    ),
    refused('next-line-in-name', 'ERR_NOTE_FORMAT', 'U+0085 is a Unicode space too.', withLine(`— a\u0085b ${blob}`)),
    refused(
      'base64-without-padding',
      'ERR_NOTE_FORMAT',
      'The padding of a signature is missing.',
      valid.replace(/=+\n$/, '\n'),
    ),
    refused(
      'signature-too-short',
      'ERR_NOTE_FORMAT',
      'A key id and no signature.',
      withLine(`— a ${encodeBase64(Uint8Array.of(1, 2, 3, 4))}`),
    ),
    refused(
      'too-many-signatures',
      'ERR_NOTE_FORMAT',
      `One signature more than ${MAX_NOTE_SIGNATURES}.`,
      note(Array.from({ length: MAX_NOTE_SIGNATURES + 1 }, () => alice.sign())),
    ),
    refused(
      'too-large',
      'ERR_NOTE_TOO_LARGE',
      `One byte more than ${MAX_NOTE_BYTES}.`,
      signedText(`${'x'.repeat(MAX_NOTE_BYTES - valid.length + TEXT.length + 2)}\n`),
    ),
  ],
};
