// SPDX-License-Identifier: Apache-2.0
/**
 * Durable appends in process: each entry's signature verified in a thread, the entry in the tree and on disk, inclusion
 * proof and checkpoint returned. Against what two cores can do at most: 2·10⁶ divided by the microseconds that one append
 * needs, each part measured in the same round. The rounds' medians count, for other work on the machine slows all alike.
 *
 *   node --conditions=@witnessmark/source bench/append.ts [directory] [rounds]
 */
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseEnvelope, preAuthEncoding, type Bytes } from '@witnessmark/core';
import { VerifyPool, type EvidenceLog } from '@witnessmark/log';
import { openSqliteStore, type Store } from '@witnessmark/store';
import { EMPTY_ROOT, formatEntryBundle, hashChildren, hashLeaf } from '@witnessmark/tlog';
import { cpuMicroseconds, median, openLog, percentile, signedEntries } from './workload.ts';
import type { ArrivalOptions } from './arrivals.ts';

const CORES = 2;
const ENTRIES = 20_000;
const UNIT_COST_ENTRIES = 4_096;
const GROUP = 512;
/** Appends that are under way at one time. */
const IN_FLIGHT = 3_072;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 4_000;
const OPEN_LOOP_SECONDS = 5;
const GOALS = {
  share: 0.8,
  perSecond: 32_000,
  p99Ms: new Map([
    [1_000, 1],
    [10_000, 2.5],
  ]),
};

const base = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'witnessmark-append-'));
const rounds = Number(process.argv[3] ?? 3);
const { entries, key } = signedEntries(ENTRIES);
const pool = new VerifyPool({ keys: [key] });
let runs = 0;

try {
  const results: { costs: UnitCosts; perSecond: number; cpu: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const costs = await measureUnitCosts();
    results.push({ costs, ...(await measureThroughput()) });
  }
  report(results);
  for (const perSecond of GOALS.p99Ms.keys()) await measureOpenLoop(perSecond);
} finally {
  await pool.close();
  rmSync(base, { recursive: true, force: true });
}

interface UnitCosts {
  readonly verify: number;
  readonly leaf: number;
  readonly node: number;
  readonly journal: number;
}

/** CPU microseconds, one thread, of what every append needs whatever the design: no queue, no proof, no tile. */
async function measureUnitCosts(): Promise<UnitCosts> {
  const keyObject = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' });
  const signed = entries.slice(0, UNIT_COST_ENTRIES).map((entry) => {
    const { payloadType, payload, signatures } = parseEnvelope(entry);
    return { message: preAuthEncoding(payloadType, payload), sig: signatures[0]?.sig ?? EMPTY_ROOT };
  });
  const store = openSqliteStore({ path: join(base, `unit-costs-${runs++}.db`) });
  const costs = {
    verify: await cpuMicroseconds(UNIT_COST_ENTRIES, () => {
      for (const { message, sig } of signed)
        if (!verify('sha256', message, keyObject, sig)) throw new Error('unsigned');
    }),
    // Hashed when it arrives, and again from the bytes that are stored.
    leaf: 2 * (await cpuMicroseconds(ENTRIES, () => entries.forEach(hashLeaf))),
    node: await cpuMicroseconds(ENTRIES, () => {
      for (let count = 0; count < ENTRIES; count += 1) hashChildren(EMPTY_ROOT, EMPTY_ROOT);
    }),
    journal: await cpuMicroseconds(ENTRIES, () => journalAll(store)),
  };
  await store.close();
  return costs;
}

/** The entries alone, durably, in groups. */
async function journalAll(store: Store): Promise<void> {
  for (let first = 0; first < ENTRIES; first += GROUP) {
    const group = entries.slice(first, first + GROUP);
    const treeSize = first + group.length;
    await store.commit({
      expected: await store.head(),
      entries: group.map(() => undefined),
      seal: () =>
        Promise.resolve({
          head: {
            treeSize,
            rootHash: hashLeaf(Uint8Array.of(first & 0xff, first >> 8)),
            checkpoint: EMPTY_ROOT,
            committedAt: 0,
          },
          journal: { firstIndex: first, entryCount: group.length, entries: formatEntryBundle(group) },
          pruneBelow: first,
        }),
    });
  }
}

/** Closed loop: as many under way as keep every thread busy. */
async function measureThroughput(): Promise<{ readonly perSecond: number; readonly cpu: number }> {
  const { log, store } = await openLog(join(base, `closed-loop-${runs++}`));
  let next = 0;
  let done = 0;
  const run = async (milliseconds: number): Promise<number> => {
    done = 0;
    const start = performance.now();
    const append = async (): Promise<void> => {
      while (performance.now() - start < milliseconds) {
        await appendVerified(log, entries[next++ % ENTRIES] as Bytes);
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, append));
    return (performance.now() - start) / 1_000;
  };
  await run(WARM_UP_MS);
  const before = process.cpuUsage();
  const seconds = await run(MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  const result = { perSecond: done / seconds, cpu: (user + system) / done };
  await log.close();
  await store.close();
  return result;
}

async function appendVerified(log: EvidenceLog, entry: Bytes): Promise<void> {
  const { signers, leafHash } = await pool.verify(entry);
  if (signers.length !== 1) throw new Error('an entry of the bench is not signed');
  const { proof, checkpoint } = await log.append({ entry, leafHash });
  if (proof.length > 64 || checkpoint.length === 0) throw new Error('an append was answered without proof');
}

/** Open loop: latency from the moment a request was to arrive. */
async function measureOpenLoop(perSecond: number): Promise<void> {
  const { log, store } = await openLog(join(base, `open-loop-${runs++}`));
  const latencies: number[] = [];
  const waiting: Promise<void>[] = [];
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    const options: ArrivalOptions = { perSecond, seconds: OPEN_LOOP_SECONDS + 1 };
    const worker = new Worker(new URL('./arrivals.ts', import.meta.url), { workerData: options });
    worker.on('error', reject);
    worker.on('message', (due: readonly number[]) => {
      if (due.length === 0) resolve();
      for (const at of due) {
        const appended = appendVerified(log, entries[next++ % ENTRIES] as Bytes).then(() => {
          latencies.push(performance.timeOrigin + performance.now() - at);
        });
        waiting.push(appended);
      }
    });
  });
  await Promise.all(waiting);
  await log.close();
  await store.close();
  // The first second warms up.
  const measured = latencies.slice(perSecond);
  const p99 = percentile(measured, 0.99);
  const goal = GOALS.p99Ms.get(perSecond) ?? NaN;
  console.log(
    `open loop ${perSecond}/s: p50 ${percentile(measured, 0.5).toFixed(2)} ms, p99 ${p99.toFixed(2)} ms ` +
      `(goal ${goal} ms: ${p99 <= goal ? 'met' : 'missed'}), p99.9 ${percentile(measured, 0.999).toFixed(2)} ms`,
  );
}

function report(results: readonly { costs: UnitCosts; perSecond: number; cpu: number }[]): void {
  const of = (part: keyof UnitCosts): number => median(results.map(({ costs }) => costs[part]));
  const boundOf = ({ verify: v, leaf, node, journal }: UnitCosts): number =>
    (CORES * 1e6) / (v + leaf + node + journal);
  const bound = median(results.map(({ costs }) => boundOf(costs)));
  const perSecond = median(results.map((result) => result.perSecond));
  const share = median(results.map((result) => result.perSecond / boundOf(result.costs)));
  const cpuShare = median(results.map(({ costs, cpu }) => (CORES * 1e6) / boundOf(costs) / cpu));
  console.log(`entries of ${entries[0]?.length ?? 0} bytes, ${availableParallelism()} cores, ${results.length} rounds`);
  console.log(
    `one append needs: verify ${of('verify').toFixed(1)} µs, leaf hash twice ${of('leaf').toFixed(2)} µs, ` +
      `tree ${of('node').toFixed(2)} µs, journal ${of('journal').toFixed(2)} µs`,
  );
  console.log(`bound for ${CORES} cores: ${bound.toFixed(0)}/s`);
  console.log(
    `durable appends, verified, with proof: ${perSecond.toFixed(0)}/s, ${percent(share)} of the bound ` +
      `(goal ${percent(GOALS.share)}: ${share >= GOALS.share ? 'met' : 'missed'}; ${GOALS.perSecond}/s where a verification takes 46 µs)`,
  );
  console.log(
    `processor time per append: ${median(results.map(({ cpu }) => cpu)).toFixed(1)} µs, of which ${percent(cpuShare)} is in the bound`,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
