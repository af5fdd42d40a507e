// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run sim -- --seeds N --from S`: simulated shifts, each twice, on every core. Ends with 1 and the history of every
 * unit of a seed that broke a promise, or whose two runs were not the same.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runWorld, type SwarmReport } from './world.ts';

const DEFAULT_SEEDS = 300;
const MAX_SEED = 0x7fff_ffff;
const PROGRESS_EVERY = 50;

if (process.send === undefined) process.exitCode = await main();
else process.on('message', (seed: number) => void answer(seed));

interface Answer {
  readonly report: SwarmReport;
  readonly isRepeatable: boolean;
}

async function answer(seed: number): Promise<void> {
  try {
    const report = await runWorld(seed);
    const again = await runWorld(seed);
    process.send?.({ report, isRepeatable: report.traceHash === again.traceHash } satisfies Answer);
  } catch (error) {
    process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error), seed });
  }
}

async function main(): Promise<number> {
  const { seeds, from } = readArguments();
  const began = performance.now();
  const pending = Array.from({ length: seeds }, (_, index) => from + index);
  const answers: Answer[] = [];
  const failures: string[] = [];
  const workers = Array.from({ length: Math.min(availableParallelism(), seeds) }, async () => {
    const worker = fork(import.meta.filename, [], { execArgv: process.execArgv });
    for (let seed = pending.shift(); seed !== undefined; seed = pending.shift()) {
      worker.send(seed);
      const [message] = (await once(worker, 'message')) as [Answer | { error: string; seed: number }];
      if ('error' in message) failures.push(`seed ${message.seed} ended with an error: ${message.error}`);
      else {
        answers.push(message);
        failures.push(...describeFailure(message));
      }
      const done = answers.length + failures.length;
      if (done % PROGRESS_EVERY === 0) process.stderr.write(`${answers.length} of ${seeds} seeds\n`);
    }
    worker.disconnect();
  });
  await Promise.all(workers);
  summarise(answers, (performance.now() - began) / 1000);
  for (const failure of failures) console.log(failure);
  console.log(failures.length === 0 ? 'every promise was kept' : `${failures.length} seeds broke a promise`);
  return failures.length === 0 ? 0 : 1;
}

function describeFailure({ report, isRepeatable }: Answer): string[] {
  const violations = [...report.violations, ...(isRepeatable ? [] : ['two runs of this seed were not the same'])];
  if (violations.length === 0) return [];
  const lines = [
    `seed ${report.seed} broke ${violations.length}: npm run sim -- --seeds 1 --from ${report.seed}`,
    `  troubles: ${Object.entries(report.struck)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    ...violations.map((violation) => `  ${violation}`),
    ...report.history.map((line) => `    ${line}`),
  ];
  return [lines.join('\n')];
}

function summarise(answers: readonly Answer[], seconds: number): void {
  const sum = (of: (report: SwarmReport) => number): number =>
    answers.reduce((total, { report }) => total + of(report), 0);
  const struck = new Map<string, number>();
  for (const { report } of answers) {
    for (const [name, count] of Object.entries(report.struck)) struck.set(name, (struck.get(name) ?? 0) + count);
  }
  console.log(
    `${answers.length} seeds, each twice, in ${seconds.toFixed(1)} s: ${(answers.length / seconds).toFixed(2)}/s`,
  );
  console.log(
    `${sum(({ turns }) => turns)} calls, ${sum(({ units }) => units.presented)} verdicts told, ${sum(({ units }) => units.passed)} PASS`,
  );
  console.log(
    `troubles: ${[...struck]
      .sort()
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  );
}

function readArguments(): { readonly seeds: number; readonly from: number } {
  const { values } = parseArgs({ options: { seeds: { type: 'string' }, from: { type: 'string' } } });
  const read = (name: 'seeds' | 'from', otherwise: number): number => {
    const text = values[name];
    const number = text === undefined ? otherwise : Number(text);
    if (Number.isInteger(number) && number >= 1 && number <= MAX_SEED) return number;
    process.stderr.write(`--${name} takes a number from 1 to ${MAX_SEED}\n`);
    process.exit(2);
  };
  return { seeds: read('seeds', DEFAULT_SEEDS), from: read('from', 1) };
}
