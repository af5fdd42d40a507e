// SPDX-License-Identifier: Apache-2.0
/** An implementation that shares no code with ours reads what we write, and refuses what was damaged. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  concatBytes,
  encodeBase64,
  encodeUtf8,
  formatNote,
  formatNoteVerifierKey,
  toNoteVerifierKey,
} from '@witnessmark/core';
import {
  entryBundlePath,
  formatCheckpoint,
  formatEntryBundle,
  Frontier,
  hashLeaf,
  tilePath,
  tilesBetween,
} from '@witnessmark/tlog';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedEd25519 } from '../../core/test/fixed-keys.ts';
import { buildSumdbcheck, hasSumdb, runSumdbcheck } from './sumdbcheck.ts';

const ORIGIN = 'log.example/line-1';
const logKey = fixedEd25519(ORIGIN);
const verifierKey = toNoteVerifierKey(ORIGIN, logKey.publicKey);
const vkey = formatNoteVerifierKey(verifierKey);

function signCheckpoint(treeSize: number, rootHash: Uint8Array, origin = ORIGIN): Uint8Array {
  const text = formatCheckpoint({ origin, treeSize, rootHash });
  return formatNote({
    text,
    signatures: [{ name: ORIGIN, keyId: verifierKey.keyId, signature: logKey.sign(encodeUtf8(text)) }],
  });
}

function write(directory: string, path: string, content: Uint8Array): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), content);
}

/** Writes a whole log of `size` entries; returns its root hash. */
function writeLog(directory: string, size: number): Uint8Array {
  const entries = Array.from({ length: size }, (_, index) => encodeUtf8(`{"entry":${index}}`));
  const hashes: Uint8Array[][] = [];
  const tree = Frontier.empty();
  for (const entry of entries) {
    tree.append(hashLeaf(entry), (level, _index, hash) => {
      if (level % 8 === 0) (hashes[level / 8] ??= []).push(hash);
    });
  }
  for (const { level, index, width } of tilesBetween(0, size)) {
    const start = index * 256;
    write(directory, tilePath(level, index, width), concatBytes(...hashes[level]!.slice(start, start + width)));
    if (level > 0) continue;
    write(directory, entryBundlePath(index, width), formatEntryBundle(entries.slice(start, start + width)));
  }
  write(directory, 'checkpoint', signCheckpoint(size, tree.root()));
  return tree.root();
}

describe.skipIf(!hasSumdb)('needs go and golang-golang-x-mod-dev: the Go checksum database code', () => {
  let scratch = '';
  let program = '';
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'witnessmark-sumdb-'));
    program = buildSumdbcheck(scratch);
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each([0, 1, 2, 255, 256, 257, 700, 65_536, 66_000])('accepts our log of %i entries', (size) => {
    const directory = join(scratch, `size-${size}`);
    writeLog(directory, size);
    const { status, message } = runSumdbcheck(program, vkey, directory);
    expect(message).toMatch(new RegExp(`^ok: ${ORIGIN}, ${size} entries, \\d+ tiles, \\d+ proofs$`));
    expect(status).toBe(0);
  });

  const flip =
    (path: string, at: number) =>
    (directory: string): void => {
      const content = readFileSync(join(directory, path));
      content[at]! ^= 1;
      writeFileSync(join(directory, path), content);
    };
  const cut =
    (path: string) =>
    (directory: string): void => {
      writeFileSync(join(directory, path), readFileSync(join(directory, path)).subarray(0, -1));
    };
  const replace =
    (content: (root: Uint8Array) => Uint8Array) =>
    (directory: string, root: Uint8Array): void => {
      writeFileSync(join(directory, 'checkpoint'), content(root));
    };
  const damages: [string, (directory: string, root: Uint8Array) => void, RegExp][] = [
    ['a changed entry', flip('tile/entries/001', 40), /the entries hash to/],
    ['a changed hash of a leaf', flip('tile/0/001', 100), /tile\/0\/001: does not follow/],
    ['a changed hash one level up', flip('tile/1/000.p/2', 33), /tile\/1\/000\.p\/2: does not follow/],
    ['a truncated entry bundle', cut('tile/entries/002.p/188'), /ends inside entry 699/],
    ['a truncated tile', cut('tile/0/002.p/188'), /does not follow/],
    ['a missing tile', (directory) => rmSync(join(directory, 'tile/0/002.p/188')), /no such file/],
    ['a missing entry bundle', (directory) => rmSync(join(directory, 'tile/entries/000')), /no such file/],
    ['a changed signature', flip('checkpoint', 150), /checkpoint: /],
    ['a changed tree size', flip('checkpoint', ORIGIN.length + 1), /checkpoint: invalid signature/],
    [
      'another root hash, rightly signed',
      replace(() => signCheckpoint(700, hashLeaf(encodeUtf8('x')))),
      /the entries hash to/,
    ],
    ['another size, rightly signed', replace((root) => signCheckpoint(699, root)), /no such file/],
    ['another origin, rightly signed', replace((root) => signCheckpoint(700, root, 'other.example')), /origin/],
  ];
  it.each(damages)('refuses %s', (what, damage, expected) => {
    const pristine = join(scratch, 'pristine');
    const root = writeLog(pristine, 700);
    const directory = join(scratch, encodeBase64(encodeUtf8(what)).replaceAll('/', '_'));
    cpSync(pristine, directory, { recursive: true });
    damage(directory, root);
    const { status, message } = runSumdbcheck(program, vkey, directory);
    expect(message).toMatch(expected);
    expect(status).toBe(1);
  });

  it('refuses the key of another log', () => {
    const directory = join(scratch, 'other-key');
    writeLog(directory, 3);
    const other = formatNoteVerifierKey(toNoteVerifierKey(ORIGIN, fixedEd25519('other').publicKey));
    expect(runSumdbcheck(program, other, directory)).toMatchObject({ status: 1 });
  });
});
