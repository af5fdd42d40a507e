// SPDX-License-Identifier: Apache-2.0
/**
 * `log fsck` on a million entries: hashes only, and with every signature, against the bare time of as many verifications
 * on as many cores in the same run. Memory is that of the program as it is installed, all threads included. The log is
 * made once and kept in the folder for temporary files (1.5 GB).
 *
 *   node --conditions=@witnessmark/source bench/fsck.ts [rounds]
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeBase64,
  encodeBase64,
  formatNoteVerifierKey,
  parseEnvelope,
  parseNoteVerifierKey,
  preAuthEncoding,
  type Bytes,
} from '@witnessmark/core';
import { formatTrustedRoot, type TrustedRoot } from '@witnessmark/attestation';
import { fsck } from '@witnessmark/log';
import { parseEntryBundle, TILE_WIDTH } from '@witnessmark/tlog';
import { numberArgument } from './arguments.ts';
import { median, openLog, signedEntries } from './workload.ts';

const ENTRIES = 1_000_000;
/** Signed once and used again and again: a verification costs the same the second time. */
const DIFFERENT_ENTRIES = 20_000;
const CORES = 2;
const BARE_SAMPLE = 20_000;
const GOALS = { hashSeconds: 2, signatureRatio: 1.2, megabytes: 150 };

const PROGRAM = join(import.meta.dirname, '../apps/cli/dist/main.js');
const MEMORY_POLL_MS = 20;
const VALIDITY = { validFrom: '2020-01-01T00:00:00Z', validUntil: null };

interface Order {
  readonly kind: 'hashes' | 'bare';
  readonly directory: string;
}

interface Report {
  readonly seconds: number;
  readonly entries: number;
}

interface ProgramReport {
  readonly seconds: number;
  /** The most that was resident at one time; undefined where the kernel does not tell. */
  readonly megabytes: number | undefined;
}

if (process.send !== undefined) process.once('message', (order: Order) => void obey(order));
else await main();

async function main(): Promise<void> {
  const directory = join(tmpdir(), 'witnessmark-fsck-bench');
  const rounds = numberArgument(3);
  await prepare(directory);
  const hashes: Report[] = [];
  for (let round = 0; round < rounds; round += 1) hashes.push(await run({ kind: 'hashes', directory }));
  const hashSeconds = median(hashes.map(({ seconds }) => seconds));
  const { megabytes } = await runProgram(directory, ['--hashes-only']);
  console.log(
    `hashes only: ${ENTRIES} entries in ${hashSeconds.toFixed(2)} s (goal ${GOALS.hashSeconds} s: ${verdict(hashSeconds, GOALS.hashSeconds)}), ${describeMemory(megabytes)}`,
  );

  const before = await bareSeconds(directory);
  const checked = await runProgram(directory, []);
  const bare = (before + (await bareSeconds(directory))) / 2;
  const ratio = checked.seconds / bare;
  console.log(
    `with signatures: ${checked.seconds.toFixed(1)} s, bare verification of as many on ${CORES} cores ${bare.toFixed(1)} s (${((bare * CORES * 1e6) / ENTRIES).toFixed(1)} µs each): ratio ${ratio.toFixed(2)} (goal ${GOALS.signatureRatio}: ${verdict(ratio, GOALS.signatureRatio)}), ${describeMemory(checked.megabytes)}`,
  );
}

function describeMemory(megabytes: number | undefined): string {
  if (megabytes === undefined) return 'peak memory unknown';
  return `peak memory ${megabytes.toFixed(0)} MB (goal ${GOALS.megabytes} MB: ${verdict(megabytes, GOALS.megabytes)})`;
}

/** `witnessmark log fsck` as it is installed, compiled. */
async function runProgram(directory: string, options: readonly string[]): Promise<ProgramReport> {
  const trust = join(directory, 'trusted-root.json');
  writeFileSync(trust, formatTrustedRoot(toTrustedRoot(readKeys(directory))));
  const args = [PROGRAM, 'log', 'fsck', '--log', join(directory, 'log'), '--trust', trust, '--quiet', ...options];
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let megabytes: number | undefined;
  // A process's own report would begin with the memory of the one that started it; this mark is of its own pages.
  const poll = setInterval(() => (megabytes = readPeakMegabytes(child.pid) ?? megabytes), MEMORY_POLL_MS);
  const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
  clearInterval(poll);
  if (code !== 0) throw new Error('the log of the bench is damaged');
  return { seconds: (performance.now() - start) / 1_000, megabytes };
}

function readPeakMegabytes(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}

function toTrustedRoot(keys: Keys): TrustedRoot {
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'bench',
    version: 1,
    logs: [{ verifierKey: keys.log, owner: 'bench', ...VALIDITY }],
    witnesses: [],
    keys: [{ role: 'station', publicKey: keys.entries, owner: 'ST-1', scope: 'L1', custody: 'software', ...VALIDITY }],
    certificateAuthorities: [],
    revocations: [],
  };
}

/** Seconds that bare verifications of all entries take on all cores, from a sample on each. */
async function bareSeconds(directory: string): Promise<number> {
  const reports = await Promise.all(Array.from({ length: CORES }, () => run({ kind: 'bare', directory })));
  return (median(reports.map(({ seconds, entries }) => seconds / entries)) * ENTRIES) / CORES;
}

async function obey({ kind, directory }: Order): Promise<void> {
  const report = kind === 'bare' ? bareVerification(directory) : await checkHashes(directory);
  process.send?.(report);
}

async function checkHashes(directory: string): Promise<Report> {
  const keys = readKeys(directory);
  const start = performance.now();
  const { checkpoint, findings } = await fsck({
    directory: join(directory, 'log'),
    logKey: parseNoteVerifierKey(keys.log),
    workers: CORES,
  });
  const seconds = (performance.now() - start) / 1_000;
  if (checkpoint?.treeSize !== ENTRIES || findings.length > 0) throw new Error('the log of the bench is damaged');
  return { seconds, entries: ENTRIES };
}

function bareVerification(directory: string): Report {
  const spki = Buffer.from(decodeBase64(readKeys(directory).entries));
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const bundle: Bytes = readFileSync(join(directory, 'log/tile/entries/000'));
  const signed = parseEntryBundle(bundle, TILE_WIDTH).map((entry) => {
    const { payloadType, payload, signatures } = parseEnvelope(entry);
    return { message: preAuthEncoding(payloadType, payload), sig: signatures[0]?.sig ?? payload };
  });
  const start = performance.now();
  for (let count = 0; count < BARE_SAMPLE; count += 1) {
    const { message, sig } = signed[count % TILE_WIDTH] ?? { message: spki, sig: spki };
    if (!verify('sha256', message, key, sig)) throw new Error('an entry of the bench is not signed');
  }
  return { seconds: (performance.now() - start) / 1_000, entries: BARE_SAMPLE };
}

/** Each measurement in a process of its own, as a check has one. */
function run(order: Order): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = fork(import.meta.filename);
    child.once('message', (report: Report) => {
      resolve(report);
    });
    child.once('exit', (code) => {
      reject(new Error(`the measurement ended with ${code ?? 'a signal'}`));
    });
    child.send(order);
  });
}

async function prepare(directory: string): Promise<void> {
  if (existsSync(join(directory, 'keys.json'))) return;
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const { entries, key } = signedEntries(DIFFERENT_ENTRIES);
  const { log, store } = await openLog(unfinished);
  for (let first = 0; first < ENTRIES; first += 8_000) {
    const group = Array.from(
      { length: Math.min(8_000, ENTRIES - first) },
      (_, at) => entries[(first + at) % entries.length] as Bytes,
    );
    await Promise.all(group.map((entry) => log.append({ entry })));
  }
  await log.close();
  await store.close();
  const keys = { log: formatNoteVerifierKey(log.logKey), entries: encodeBase64(key.spki) };
  writeFileSync(join(unfinished, 'keys.json'), JSON.stringify(keys));
  renameSync(unfinished, directory);
}

interface Keys {
  readonly log: string;
  readonly entries: string;
}

function readKeys(directory: string): Keys {
  return JSON.parse(readFileSync(join(directory, 'keys.json'), 'utf8')) as Keys;
}

function verdict(value: number, goal: number): string {
  return value <= goal ? 'met' : 'missed';
}
