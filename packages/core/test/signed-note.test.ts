// SPDX-License-Identifier: Apache-2.0
/** Signed notes against https://c2sp.org/signed-note; scenario A58 and A59 rest on them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
  formatNote,
  formatNoteVerifierKey,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  NOTE_TYPE_COSIGNATURE_ED25519,
  parseNote,
  parseNoteVerifierKey,
  toNoteVerifierKey,
  verifyNote,
  type NoteSignature,
  type NoteVerifierKey,
} from '@witnessmark/core';
import { codeOf, expectCode } from './expect-code.ts';
import { fixedEd25519, fixedP256 } from './fixed-keys.ts';

const TEXT = 'line one\n\nline three\n';
const log = noteKey('log.example/line-1');
const other = noteKey('other.example');

interface NoteKey {
  readonly verifierKey: NoteVerifierKey;
  sign(text: string): NoteSignature;
}

function noteKey(name: string, label = name): NoteKey {
  const key = fixedEd25519(label);
  const verifierKey = toNoteVerifierKey(name, key.publicKey);
  const { keyId } = verifierKey;
  return { verifierKey, sign: (text) => ({ name, keyId, signature: key.sign(encodeUtf8(text)) }) };
}

const note = (...signatures: readonly NoteSignature[]): string => decodeUtf8(formatNote({ text: TEXT, signatures }));
const open = (text: string, ...keys: readonly NoteKey[]): readonly NoteVerifierKey[] =>
  verifyNote(
    parseNote(encodeUtf8(text)),
    keys.map(({ verifierKey }) => verifierKey),
  ).signers;

describe('parseNote', () => {
  it('splits at the last empty line, so that the text may hold empty lines', () => {
    const parsed = parseNote(encodeUtf8(note(log.sign(TEXT), other.sign(TEXT))));
    expect(parsed.text).toBe(TEXT);
    expect(parsed.signatures).toEqual([log.sign(TEXT), other.sign(TEXT)]);
  });

  it('reads the example of the specification', () => {
    const example =
      'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
      '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';
    const parsed = parseNote(encodeUtf8(example));
    expect(parsed.text).toMatch(/^Ognuno.*sera\.\n$/s);
    expect(parsed.signatures[0]).toMatchObject({ name: 'quasimodo.example/salvatore' });
    expect(parsed.signatures[0]?.signature).toHaveLength(64);
    expect(decodeUtf8(formatNote(parsed))).toBe(example);
  });

  it('round-trips any text and names', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '—', ' ', '+', '\u007f', '\u2028', '𝄞') });
    const name = fc.string({ unit: fc.constantFrom('a', '/', '.', 'é', '—', '\ufeff', '\u007f', '𝄞'), minLength: 1 });
    const signature = fc.record({
      name,
      keyId: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1 }),
        fc.array(signature, { minLength: 1, maxLength: 4 }),
        (lines, signatures) => {
          const written = { text: `${lines.join('\n')}\n`, signatures };
          expect(parseNote(formatNote(written))).toEqual(written);
        },
      ),
    );
  });

  const line = note(log.sign(TEXT)).slice(TEXT.length + 1);
  const blob = line.split(' ')[2]!.trimEnd();
  it.each([
    ['nothing', ''],
    ['text alone', TEXT],
    ['no signature after the empty line', `${TEXT}\n`],
    ['a signature alone', line],
    ['no newline at the end', note(log.sign(TEXT)).slice(0, -1)],
    ['an empty line after the signatures', `${note(log.sign(TEXT))}\n`],
    ['text after the signatures', `${note(log.sign(TEXT))}text\n`],
    ['a tab', note(log.sign(TEXT)).replace('one', 'o\tne')],
    ['a carriage return', note(log.sign(TEXT)).replaceAll('\n', '\r\n')],
    ['a NUL', note(log.sign(TEXT)).replace('one', 'o\u0000ne')],
    ['an escape', note(log.sign(TEXT)).replace('one', '\u001b[2J')],
    ['a hyphen for the dash', `${TEXT}\n${line.replace('—', '-')}`],
    ['an en dash', `${TEXT}\n${line.replace('—', '–')}`],
    ['no dash', `${TEXT}\n${line.slice(2)}`],
    ['two spaces', `${TEXT}\n${line.replace('— ', '—  ')}`],
    ['a space at the end', `${TEXT}\n${line.trimEnd()} \n`],
    ['no name', `${TEXT}\n— ${blob}\n`],
    ['a plus in the name', `${TEXT}\n— a+b ${blob}\n`],
    ['a no-break space in the name', `${TEXT}\n— a\u00a0b ${blob}\n`],
    ['a next-line character in the name', `${TEXT}\n— a\u0085b ${blob}\n`],
    ['an ideographic space in the name', `${TEXT}\n— a\u3000b ${blob}\n`],
    ['base64 without padding', `${TEXT}\n${line.replace(/=+\n$/, '\n')}`],
    ['the URL-safe alphabet', `${TEXT}\n— a ____${blob.slice(4)}\n`],
    ['a key id and no signature', `${TEXT}\n— a ${encodeBase64(Uint8Array.of(1, 2, 3, 4))}\n`],
    ['a short key id', `${TEXT}\n— a ${encodeBase64(Uint8Array.of(1, 2, 3))}\n`],
  ])('refuses a note with %s', (_what, text) => {
    expectCode('ERR_NOTE_FORMAT', () => parseNote(encodeUtf8(text)));
  });

  it('refuses what is not UTF-8', () => {
    expectCode('ERR_CORE_UTF8', () => parseNote(concatBytes(Uint8Array.of(0xff), encodeUtf8(note(log.sign(TEXT))))));
  });

  it('takes U+007F and a text of one newline, as the specification does', () => {
    expect(codeOf(() => parseNote(encodeUtf8(note(log.sign(TEXT)).replace('one', '\u007f'))))).toBeUndefined();
    expect(parseNote(encodeUtf8(`\n\n${line}`)).text).toBe('\n');
  });

  it('takes MAX_NOTE_SIGNATURES and refuses one more', () => {
    const signatures = Array.from({ length: MAX_NOTE_SIGNATURES + 1 }, () => log.sign(TEXT));
    expect(parseNote(encodeUtf8(note(...signatures.slice(1)))).signatures).toHaveLength(MAX_NOTE_SIGNATURES);
    expectCode('ERR_NOTE_FORMAT', () => parseNote(encodeUtf8(note(...signatures))));
  });

  it('takes MAX_NOTE_BYTES and refuses one more', () => {
    const end = `\n\n${line}`;
    const filling = 'x'.repeat(MAX_NOTE_BYTES - encodeUtf8(end).length);
    expect(codeOf(() => parseNote(encodeUtf8(filling + end)))).toBeUndefined();
    expectCode('ERR_NOTE_TOO_LARGE', () => parseNote(encodeUtf8(`x${filling}${end}`)));
  });

  it('has room for 16 post-quantum signatures', () => {
    const large = { ...log.sign(TEXT), signature: new Uint8Array(5_000) };
    expect(parseNote(encodeUtf8(note(...Array.from({ length: 16 }, () => large)))).signatures).toHaveLength(16);
  });
});

describe('verifyNote', () => {
  it('names the trusted keys that signed', () => {
    expect(open(note(log.sign(TEXT)), log)).toEqual([log.verifierKey]);
    expect(open(note(log.sign(TEXT), other.sign(TEXT)), log, other)).toEqual([log.verifierKey, other.verifierKey]);
    expect(open(note(other.sign(TEXT), log.sign(TEXT)), log)).toEqual([log.verifierKey]);
  });

  it('refuses a note that no trusted key signed', () => {
    expectCode('ERR_NOTE_UNVERIFIED', () => open(note(other.sign(TEXT)), log));
    expectCode('ERR_NOTE_UNVERIFIED', () => open(note(log.sign(TEXT))));
  });

  it('passes over a key that shares only the name or only the id', () => {
    const sameName = noteKey('log.example/line-1', 'another key');
    const sameId = { ...log.sign(TEXT), name: 'elsewhere.example' };
    expectCode('ERR_NOTE_UNVERIFIED', () => open(note(sameName.sign(TEXT), sameId), log));
    expect(open(note(sameName.sign('other text'), sameId, log.sign(TEXT)), log)).toEqual([log.verifierKey]);
  });

  it('refuses the note when a known key’s signature fails, whatever else verifies', () => {
    const forged = { ...other.sign(TEXT), signature: log.sign(TEXT).signature };
    expectCode('ERR_NOTE_SIGNATURE', () => open(note(log.sign(TEXT), forged), log, other));
    expectCode('ERR_NOTE_SIGNATURE', () => open(note(log.sign(TEXT), log.sign('other text')), log));
    expectCode('ERR_NOTE_SIGNATURE', () => open(note(log.sign('other text')), log));
  });

  it('counts a key that signed twice once', () => {
    expect(open(note(log.sign(TEXT), log.sign(TEXT)), log)).toEqual([log.verifierKey]);
  });

  it('does not take a cosignature key for a note key', () => {
    const witness = toNoteVerifierKey('log.example/line-1', log.verifierKey.publicKey, NOTE_TYPE_COSIGNATURE_ED25519);
    const signed = note({ ...log.sign(TEXT), keyId: witness.keyId });
    expectCode('ERR_NOTE_UNVERIFIED', () => verifyNote(parseNote(encodeUtf8(signed)), [witness]));
  });

  it('refuses every changed byte of the text', () => {
    const bytes = encodeUtf8(note(log.sign(TEXT)));
    for (let index = 0; index < TEXT.length; index += 1) {
      const changed = Uint8Array.from(bytes);
      changed[index]! ^= 1;
      expect(codeOf(() => verifyNote(parseNote(changed), [log.verifierKey]))).toMatch(/^ERR_NOTE_/);
    }
  });

  it('refuses every changed bit of the signature', () => {
    const { signature } = log.sign(TEXT);
    for (let bit = 0; bit < signature.length * 8; bit += 7) {
      const changed = Uint8Array.from(signature);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expectCode('ERR_NOTE_SIGNATURE', () => open(note({ ...log.sign(TEXT), signature: changed }), log));
    }
  });
});

describe('verifier keys', () => {
  const text = formatNoteVerifierKey(log.verifierKey);

  it('round-trip', () => {
    expect(parseNoteVerifierKey(text)).toEqual(log.verifierKey);
    const witness = toNoteVerifierKey('w.example', log.verifierKey.publicKey, NOTE_TYPE_COSIGNATURE_ED25519);
    expect(parseNoteVerifierKey(formatNoteVerifierKey(witness))).toEqual(witness);
  });

  it('read the key of the Go checksum database', () => {
    const key = parseNoteVerifierKey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8');
    expect(key.name).toBe('sum.golang.org');
  });

  it('differ by name and by type, though the key is the same', () => {
    const { publicKey } = log.verifierKey;
    const ids = [
      toNoteVerifierKey('a', publicKey).keyId,
      toNoteVerifierKey('b', publicKey).keyId,
      toNoteVerifierKey('a', publicKey, NOTE_TYPE_COSIGNATURE_ED25519).keyId,
    ];
    expect(new Set(ids.map((id) => encodeBase64(id))).size).toBe(3);
  });

  const [, id, key] = text.split('+', 2).concat(text.slice(text.indexOf('+', text.indexOf('+') + 1) + 1)) as [
    string,
    string,
    string,
  ];
  it.each([
    ['nothing', '', 'ERR_NOTE_VERIFIER_KEY'],
    ['no name', text.slice(text.indexOf('+')), 'ERR_NOTE_VERIFIER_KEY'],
    ['no key', `log+${id}+`, 'ERR_NOTE_VERIFIER_KEY'],
    ['a space in the name', text.replace('line-1', 'line 1'), 'ERR_NOTE_VERIFIER_KEY'],
    ['a newline in the name', text.replace('line-1', 'line\n1'), 'ERR_NOTE_VERIFIER_KEY'],
    ['a newline at the end', `${text}\n`, 'ERR_NOTE_VERIFIER_KEY'],
    ['another name', text.replace('line-1', 'line-2'), 'ERR_NOTE_VERIFIER_KEY'],
    ['another id', text.replace(id, '00000000'), 'ERR_NOTE_VERIFIER_KEY'],
    ['an upper-case id', text.replace(id, id.toUpperCase()), 'ERR_NOTE_VERIFIER_KEY'],
    ['a short id', text.replace(id, id.slice(1)), 'ERR_NOTE_VERIFIER_KEY'],
    ['base64 without padding', text.replace(key, 'AQI'), 'ERR_NOTE_VERIFIER_KEY'],
    [
      'another algorithm',
      text.replace(key, encodeBase64(concatBytes(Uint8Array.of(2), new Uint8Array(32)))),
      'ERR_NOTE_VERIFIER_KEY',
    ],
    ['a short key', text.replace(key, encodeBase64(Uint8Array.of(1, 2, 3))), 'ERR_NOTE_VERIFIER_KEY'],
    [
      'a long key',
      text.replace(key, encodeBase64(concatBytes(Uint8Array.of(1), new Uint8Array(33)))),
      'ERR_NOTE_VERIFIER_KEY',
    ],
    [
      'a key of low order',
      text.replace(key, encodeBase64(concatBytes(Uint8Array.of(1, 1), new Uint8Array(31)))),
      'ERR_KEY_LOW_ORDER',
    ],
    ['too many characters', text.padStart(1_025, 'x'), 'ERR_NOTE_VERIFIER_KEY'],
  ])('refuse %s', (_what, damaged, code) => {
    expectCode(code, () => parseNoteVerifierKey(damaged));
  });

  it.each(['', 'a b', 'a+b', 'a\nb', '\u2003', 'a\u0000', '\ud800'])('cannot be named %j', (name) => {
    expectCode('ERR_NOTE_VERIFIER_KEY', () => toNoteVerifierKey(name, log.verifierKey.publicKey));
  });

  it('are Ed25519 only', () => {
    expectCode('ERR_NOTE_VERIFIER_KEY', () => toNoteVerifierKey('log', fixedP256('log').publicKey));
  });
});
