// SPDX-License-Identifier: Apache-2.0
/**
 * Durable appends in process: each entry's signature verified in a thread, the entry in the tree and on disk, inclusion
 * proof and checkpoint returned. Against what two cores can do at most: 2·10⁶ divided by the microseconds that one append
 * needs, each part measured in the same round. The rounds' medians count, for other work on the machine slows all alike.
 * Latencies stand beside those of a loop that does nothing but sync, in the same run.
 *
 *   node --conditions=@witnessmark/source bench/append.ts [rounds] [--write]     --write: docs/log-throughput.md
 */
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnvelope, preAuthEncoding, type Bytes } from '@witnessmark/core';
import { VerifyPool, type EvidenceLog } from '@witnessmark/log';
import { openSqliteStore, type Store } from '@witnessmark/store';
import { EMPTY_ROOT, formatEntryBundle, hashChildren, hashLeaf } from '@witnessmark/tlog';
import { numberArgument } from './arguments.ts';
import {
  driveArrivals,
  formatCores,
  MachineMeter,
  measureBareLoop,
  measureIdleLoop,
  measureSync,
  sinceEpoch,
  toLatencies,
  type Latencies,
} from './machine.ts';
import { Report } from './report.ts';
import { cpuMicroseconds, median, openLog, REFERENCE_VERIFY, signedEntries } from './workload.ts';

const CORES = 2;
const ENTRIES = 20_000;
const UNIT_COST_ENTRIES = 4_096;
const GROUP = 512;
/** Appends that are under way at one time. */
const IN_FLIGHT = 3_072;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 4_000;
const OPEN_LOOP_SECONDS = 5;
const FLOOR_SECONDS = 3;
const GOALS = {
  share: 0.8,
  perSecond: 32_000,
  p99Ms: new Map([
    [1_000, 1],
    [10_000, 2.5],
  ]),
};

const base = mkdtempSync(join(tmpdir(), 'witnessmark-append-'));
const rounds = numberArgument(3);
const output = new Report();
const { entries, key } = signedEntries(ENTRIES);
const pool = new VerifyPool({ keys: [key] });
let runs = 0;

try {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const costs = await measureUnitCosts();
    results.push({ costs, ...(await measureThroughput()) });
  }
  report(results);
  const slowness = median(results.map(({ costs }) => costs.verify)) / REFERENCE_VERIFY;
  for (const [perSecond, p99Ms] of GOALS.p99Ms) {
    await reportOpenLoop({ perSecond, p99Ms });
    // As much of this machine as that rate takes of the other.
    if (slowness > 1.1) {
      await reportOpenLoop({ perSecond: Math.round(perSecond / slowness), p99Ms: p99Ms * slowness });
    }
  }
  output.finish({
    name: 'log-throughput',
    title: 'What the evidence log takes',
    introduction:
      'Made by `npm run bench -- append --write`. Each append is an envelope whose signature is verified, durable, and answered ' +
      'with its inclusion proof. The bound is what two cores can do at most at the costs found in the same run. Latencies count from ' +
      'when a request was due; where a verification takes longer than 46 µs, the rates and goals are also taken in proportion.',
  });
} finally {
  await pool.close();
  rmSync(base, { recursive: true, force: true });
}

interface Throughput {
  readonly perSecond: number;
  /** CPU microseconds per append, all threads. */
  readonly cpu: number;
  /** Cores that others used meanwhile. */
  readonly otherCores: number | undefined;
}

interface Round extends Throughput {
  readonly costs: UnitCosts;
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
async function measureThroughput(): Promise<Throughput> {
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
  const meter = new MachineMeter();
  const before = process.cpuUsage();
  const seconds = await run(MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  const otherCores = meter.otherCores((user + system) / 1e6 / seconds);
  const result = { perSecond: done / seconds, cpu: (user + system) / done, otherCores };
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

interface OpenLoop {
  readonly latencies: Latencies;
  readonly idle: Latencies;
  readonly sync: Latencies;
  readonly bare: Latencies;
  readonly ownCores: number;
  readonly otherCores: number | undefined;
}

/** Open loop: latency from the moment a request was to arrive. */
async function measureOpenLoop(perSecond: number): Promise<OpenLoop> {
  const sync = measureSync(base);
  const idle = await measureIdleLoop({ perSecond, seconds: FLOOR_SECONDS });
  const bare = await measureBareLoop(base, { perSecond, seconds: FLOOR_SECONDS });
  const { log, store } = await openLog(join(base, `open-loop-${runs++}`));
  // Nothing is kept of an append but its latency: thousands of promises a second would make a collector work for the bench.
  const latencies = new Float64Array(2 * perSecond * (OPEN_LOOP_SECONDS + 1));
  let arrived = 0;
  let answered = 0;
  let failure: unknown;
  const all = Promise.withResolvers<undefined>();
  let isOver = false;
  const meter = new MachineMeter();
  const before = process.cpuUsage();
  const start = performance.now();
  await driveArrivals({ perSecond, seconds: OPEN_LOOP_SECONDS + 1 }, (due) => {
    const number = arrived++;
    const settle = (error?: unknown): void => {
      failure ??= error;
      latencies[number] = sinceEpoch() - due;
      answered += 1;
      if (isOver && answered === arrived) all.resolve(undefined);
    };
    appendVerified(log, entries[number % ENTRIES] as Bytes).then(() => {
      settle();
    }, settle);
  });
  isOver = true;
  if (answered < arrived) await all.promise;
  if (failure !== undefined) throw failure as Error;
  const { user, system } = process.cpuUsage(before);
  const ownCores = (user + system) / 1e3 / (performance.now() - start);
  const otherCores = meter.otherCores(ownCores);
  await log.close();
  await store.close();
  // The first second warms up.
  return { latencies: toLatencies(latencies.subarray(perSecond, arrived)), idle, sync, bare, ownCores, otherCores };
}

/** Of several runs the one with the median p99. */
async function reportOpenLoop({
  perSecond,
  p99Ms,
}: {
  readonly perSecond: number;
  readonly p99Ms: number;
}): Promise<void> {
  const results: OpenLoop[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await measureOpenLoop(perSecond));
  results.sort((left, right) => left.latencies.p99 - right.latencies.p99);
  const { latencies, idle, sync, bare, ownCores, otherCores } = results[Math.floor(rounds / 2)] as OpenLoop;
  const { p50, p99, p999 } = latencies;
  const lines = [
    `open loop ${perSecond}/s: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (goal ${p99Ms.toFixed(1)} ms: ` +
      `${p99 <= p99Ms ? 'met' : 'missed'}), p99.9 ${p999.toFixed(2)} ms, with ${ownCores.toFixed(2)} of ${CORES} cores; ` +
      `others took ${formatCores(otherCores)}`,
    `  a loop that only syncs: p50 ${bare.p50.toFixed(2)}, p99 ${bare.p99.toFixed(2)} ms; p99 is ` +
      `${(p99 / bare.p99).toFixed(1)} times that`,
    `  an idle loop is late by p50 ${idle.p50.toFixed(2)}, p99 ${idle.p99.toFixed(2)} ms; a sync takes ` +
      `p50 ${sync.p50.toFixed(2)}, p99 ${sync.p99.toFixed(2)} ms`,
  ];
  output.print(...lines);
}

function report(results: readonly Round[]): void {
  const of = (part: keyof UnitCosts): number => median(results.map(({ costs }) => costs[part]));
  const boundOf = ({ verify: v, leaf, node, journal }: UnitCosts): number =>
    (CORES * 1e6) / (v + leaf + node + journal);
  const bound = median(results.map(({ costs }) => boundOf(costs)));
  const perSecond = median(results.map((result) => result.perSecond));
  const share = median(results.map((result) => result.perSecond / boundOf(result.costs)));
  const others = results.map(({ otherCores }) => otherCores).filter((cores) => cores !== undefined);
  const cpuShare = median(results.map(({ costs, cpu }) => (CORES * 1e6) / boundOf(costs) / cpu));
  output.print(
    `entries of ${entries[0]?.length ?? 0} bytes, ${availableParallelism()} cores, ${results.length} rounds`,
  );
  output.print(
    `one append needs: verify ${of('verify').toFixed(1)} µs, leaf hash twice ${of('leaf').toFixed(2)} µs, ` +
      `tree ${of('node').toFixed(2)} µs, journal ${of('journal').toFixed(2)} µs`,
  );
  output.print(`bound for ${CORES} cores: ${bound.toFixed(0)}/s`);
  output.print(
    `durable appends, verified, with proof: ${perSecond.toFixed(0)}/s, ${percent(share)} of the bound ` +
      `(goal ${percent(GOALS.share)}: ${share >= GOALS.share ? 'met' : 'missed'}; ${GOALS.perSecond}/s where a verification takes ${REFERENCE_VERIFY} µs)`,
  );
  output.print(
    `processor time per append: ${median(results.map(({ cpu }) => cpu)).toFixed(1)} µs, of which ${percent(cpuShare)} is in the bound; ` +
      `others took ${formatCores(others.length === 0 ? undefined : median(others))} of the ${CORES} cores`,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
