// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, encodeUtf8 } from '@witnessmark/core';
import { formatLogProof, parseLogProof, verifyLogProof } from '@witnessmark/tlog';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, expectCode } from '../../core/test/expect-code.ts';
import { FixedLog } from './fixed-log.ts';

const log = new FixedLog('log.example/line-1', 21);
const text = log.proofText(5);

describe('parseLogProof and formatLogProof', () => {
  it('write the format of the specification', () => {
    const { index, proof } = log.proof(5);
    expect(text).toBe(
      `c2sp.org/tlog-proof@v1\nindex ${index}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${log.checkpointNote()}`,
    );
    expect(parseLogProof(text)).toEqual(log.proof(5));
  });

  it('round-trip', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.array(hash, { maxLength: 53 }),
        fc.string({ unit: 'grapheme' }),
        (index, proof, note) => {
          const written = { index, proof, checkpoint: encodeUtf8(note) };
          expect(parseLogProof(formatLogProof(written))).toEqual(written);
        },
      ),
    );
  });

  it('hold no hash in a log of one entry', () => {
    const one = new FixedLog('one.example', 1);
    expect(parseLogProof(one.proofText(0)).proof).toEqual([]);
    verifyLogProof(one.entries[0]!, one.proof(0), one.verifierKey);
  });

  const [hashLine = ''] = text.split('\n').slice(2);
  const withLine = (line: string): string => text.replace(`${hashLine}\n`, `${line}\n`);
  it.each([
    ['nothing', ''],
    ['no header', text.slice(text.indexOf('\n') + 1)],
    ['another version', text.replace('@v1', '@v2')],
    ['a space after the header', text.replace('@v1', '@v1 ')],
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${text}`],
    ['no index', text.replace('index 5\n', '')],
    ['a second index', text.replace('index 5\n', 'index 5\nindex 6\n')],
    ['an index with a leading zero', text.replace('index 5', 'index 05')],
    ['a negative index', text.replace('index 5', 'index -5')],
    ['a signed index', text.replace('index 5', 'index +5')],
    ['two spaces before the index', text.replace('index 5', 'index  5')],
    ['no space before the index', text.replace('index 5', 'index5')],
    ['an upper-case keyword', text.replace('index', 'Index')],
    ['an index of 2^53', text.replace('index 5', 'index 9007199254740992')],
    ['extra data', text.replace('index 5', 'extra AAAA\nindex 5')],
    ['extra data after the index', text.replace('index 5\n', 'index 5\nextra AAAA\n')],
    ['a short hash', withLine(encodeBase64(new Uint8Array(31)))],
    ['a long hash', withLine(encodeBase64(new Uint8Array(33)))],
    ['a hash without padding', withLine(hashLine.slice(0, -1))],
    ['a hash with stray bits', withLine(`${'A'.repeat(42)}B=`)],
    ['a hash in hexadecimal', withLine('ab'.repeat(32))],
    ['a space before a hash', withLine(` ${hashLine}`)],
    ['no empty line before the checkpoint', text.replace('=\n\n', '=\n')],
    ['a lone surrogate', text.replace('log.example', '\ud800')],
  ])('refuse %s', (_what, damaged) => {
    expectCode('ERR_TLOG_LOG_PROOF', () => parseLogProof(damaged));
  });

  it('take 53 hashes and refuse one more', () => {
    const filled = (count: number): string => withLine(Array.from({ length: count - 4 }, () => hashLine).join('\n'));
    expect(log.proof(5).proof).toHaveLength(5);
    expect(parseLogProof(filled(53)).proof).toHaveLength(53);
    expectCode('ERR_TLOG_LOG_PROOF', () => parseLogProof(filled(54)));
  });

  it('refuse more text than a head and a note can have', () => {
    expectCode('ERR_TLOG_LOG_PROOF', () => parseLogProof(text + 'x'.repeat(140_000)));
  });

  it('do not write what could not be read', () => {
    expect(() => formatLogProof({ ...log.proof(5), index: 1.5 })).toThrow(TypeError);
    expect(() => formatLogProof({ ...log.proof(5), proof: [new Uint8Array(31)] })).toThrow(TypeError);
  });
});

describe('verifyLogProof', () => {
  it('returns the checkpoint that covers the entry', () => {
    for (const [index, entry] of log.entries.entries()) {
      expect(verifyLogProof(entry, parseLogProof(log.proofText(index)), log.verifierKey).treeSize).toBe(21);
    }
  });

  it('refuses a valid proof of another entry', () => {
    expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyLogProof(log.entries[6]!, log.proof(5), log.verifierKey));
    expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyLogProof(log.entries[5]!, log.proof(6), log.verifierKey));
  });

  it('refuses the right proof against a checkpoint of another size', () => {
    const claim = { ...log.proof(5), checkpoint: log.checkpoint(20) };
    expectCode('ERR_TLOG_INCLUSION_PROOF', () => verifyLogProof(log.entries[5]!, claim, log.verifierKey));
  });

  it('refuses the checkpoint of another log with the same root hash', () => {
    const other = new FixedLog('other.example', 21);
    const renamed = log.checkpointText().replace('log.example/line-1', 'other.example');
    const claim = { ...log.proof(5), checkpoint: other.signNote(renamed) };
    verifyLogProof(log.entries[5]!, claim, other.verifierKey);
    expectCode('ERR_NOTE_UNVERIFIED', () => verifyLogProof(log.entries[5]!, claim, log.verifierKey));
  });

  it('refuses an entry that a proof would show as an inner node', () => {
    const { proof } = log.proof(0);
    const children = Uint8Array.of(...proof[0]!, ...proof[1]!);
    expect(codeOf(() => verifyLogProof(children, { ...log.proof(0), proof: proof.slice(2) }, log.verifierKey))).toBe(
      'ERR_TLOG_INCLUSION_PROOF',
    );
  });
});
