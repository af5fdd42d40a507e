// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, encodeUtf8, sha256 } from '@witnessmark/core';
import { EMPTY_ROOT, formatCheckpoint, openCheckpoint, parseCheckpoint } from '@witnessmark/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, expectCode } from '../../core/test/expect-code.ts';
import { FixedLog } from './fixed-log.ts';

const log = new FixedLog('log.example/line-1', 12);
const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
const EXAMPLE = `example.com/behind-the-sofa\n20852163\n${ROOT}\n`;

describe('parseCheckpoint', () => {
  it('reads the example of the specification', () => {
    const checkpoint = parseCheckpoint(EXAMPLE);
    expect(checkpoint.origin).toBe('example.com/behind-the-sofa');
    expect(checkpoint.treeSize).toBe(20_852_163);
    expect(encodeBase64(checkpoint.rootHash)).toBe(ROOT);
    expect(formatCheckpoint(checkpoint)).toBe(EXAMPLE);
  });

  it('round-trips', () => {
    const origin = fc.string({ unit: fc.constantFrom('a', '.', '/', ' ', '+', 'é', '𝄞'), minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        origin,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array(),
        (name, treeSize, seed) => {
          const checkpoint = { origin: name, treeSize, rootHash: sha256(seed) };
          expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
        },
      ),
    );
  });

  it('knows the empty tree by its only root', () => {
    const empty = { origin: 'log', treeSize: 0, rootHash: EMPTY_ROOT };
    expect(parseCheckpoint(formatCheckpoint(empty))).toEqual(empty);
    expectCode('ERR_TLOG_CHECKPOINT', () => parseCheckpoint(`log\n0\n${ROOT}\n`));
  });

  const lines = (origin: string, size: string, root: string): string => `${origin}\n${size}\n${root}\n`;
  it.each([
    ['nothing', ''],
    ['one line', 'log\n'],
    ['two lines', 'log\n1\n'],
    ['no last line end', EXAMPLE.slice(0, -1)],
    ['an empty origin', lines('', '1', ROOT)],
    ['a tab in the origin', lines('lo\tg', '1', ROOT)],
    ['a lone surrogate in the origin', lines('lo\ud800g', '1', ROOT)],
    ['CRLF', EXAMPLE.replaceAll('\n', '\r\n')],
    ['no size', lines('log', '', ROOT)],
    ['a leading zero', lines('log', '01', ROOT)],
    ['two zeros', lines('log', '00', ROOT)],
    ['a plus sign', lines('log', '+1', ROOT)],
    ['a negative size', lines('log', '-1', ROOT)],
    ['hexadecimal', lines('log', '0x10', ROOT)],
    ['an exponent', lines('log', '1e3', ROOT)],
    ['a space before the size', lines('log', ' 1', ROOT)],
    ['a space after the size', lines('log', '1 ', ROOT)],
    ['other digits', lines('log', '１', ROOT)],
    ['2^53', lines('log', '9007199254740992', ROOT)],
    ['a very long number', lines('log', '9'.repeat(400), ROOT)],
    ['a short root hash', lines('log', '1', encodeBase64(new Uint8Array(31)))],
    ['a long root hash', lines('log', '1', encodeBase64(new Uint8Array(33)))],
    ['a root hash without padding', lines('log', '1', ROOT.slice(0, -1))],
    ['a root hash with stray bits', lines('log', '1', `${ROOT.slice(0, -2)}J=`)],
    ['a root hash in the URL-safe alphabet', lines('log', '1', ROOT.replace('/', '_'))],
    ['a space after the root hash', lines('log', '1', `${ROOT} `)],
    ['too many characters', lines('l'.repeat(1_024), '1', ROOT)],
  ])('refuses %s', (_what, text) => {
    expectCode('ERR_TLOG_CHECKPOINT', () => parseCheckpoint(text));
  });

  it.each([
    ['one', 'extension\n'],
    ['an empty one', '\n'],
    ['several', 'a\nb\n'],
  ])('refuses extension lines: %s', (_what, extension) => {
    expectCode('ERR_TLOG_CHECKPOINT_EXTENSION', () => parseCheckpoint(EXAMPLE + extension));
  });

  it('takes 1,024 characters and refuses one more', () => {
    const filled = (length: number): string => EXAMPLE.padStart(length, 'x');
    expect(codeOf(() => parseCheckpoint(filled(1_024)))).toBeUndefined();
    expectCode('ERR_TLOG_CHECKPOINT', () => parseCheckpoint(filled(1_025)));
  });
});

describe('formatCheckpoint', () => {
  it.each([
    ['a line break in the origin', { origin: 'log\n7' }],
    ['an empty origin', { origin: '' }],
    ['a negative size', { treeSize: -1 }],
    ['a size that is not whole', { treeSize: 1.5 }],
    ['a size beyond 2^53', { treeSize: 2 ** 53 }],
    ['a short root hash', { rootHash: new Uint8Array(31) }],
    ['another root of the empty tree', { treeSize: 0 }],
  ])('never writes %s', (_what, change) => {
    const checkpoint = { origin: 'log', treeSize: 1, rootHash: sha256(encodeUtf8('x')), ...change };
    expect(codeOf(() => formatCheckpoint(checkpoint))).toMatch(/^ERR_TLOG_CHECKPOINT/);
  });
});

describe('openCheckpoint', () => {
  it('returns what the log signed', () => {
    expect(openCheckpoint(log.checkpoint(), log.verifierKey)).toEqual({
      origin: 'log.example/line-1',
      treeSize: 12,
      rootHash: log.rootHash(),
    });
  });

  it('refuses a checkpoint of another log, whichever way it is shown', () => {
    const other = new FixedLog('log.example/line-2', 12);
    expectCode('ERR_NOTE_UNVERIFIED', () => openCheckpoint(other.checkpoint(), log.verifierKey));
    expectCode('ERR_TLOG_CHECKPOINT_ORIGIN', () =>
      openCheckpoint(log.signNote(other.checkpointText()), log.verifierKey),
    );
  });

  it('judges the signature before it reads the text', () => {
    const note = new TextEncoder().encode('not a checkpoint\n\n— log.example/line-1 AAAAAAAA\n');
    expectCode('ERR_NOTE_UNVERIFIED', () => openCheckpoint(note, log.verifierKey));
    expectCode('ERR_TLOG_CHECKPOINT', () => openCheckpoint(log.signNote('not a checkpoint\n'), log.verifierKey));
    const extended = log.signNote(`${log.checkpointText()}extension\n`);
    expectCode('ERR_TLOG_CHECKPOINT_EXTENSION', () => openCheckpoint(extended, log.verifierKey));
  });

  it('refuses every changed byte of the note', () => {
    const note = log.checkpoint();
    for (let index = 0; index < note.length; index += 1) {
      const changed = Uint8Array.from(note);
      changed[index]! ^= 1;
      expect(codeOf(() => openCheckpoint(changed, log.verifierKey))).toBeDefined();
    }
  });
});
