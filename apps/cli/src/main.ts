// SPDX-License-Identifier: Apache-2.0
/** The process: real streams, time, ids and signals go in, the exit code comes out. Whatever nobody caught ends with 70. */
import { writeSync } from 'node:fs';

/** A terminal and a wrapper may both pass on one Ctrl-C; only a later one means "at once". */
const SECOND_SIGNAL_AFTER_MS = 1000;
/** Long enough to bring things in order, as after a SIGTERM. */
const ORPHAN_MS = 10_000;
const EXIT_BUG = 70;

for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, endAsDefect);

const ending = new AbortController();
let endedAt: number | null = null;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const now = performance.now();
    endedAt ??= now;
    if (now - endedAt > SECOND_SIGNAL_AFTER_MS) process.exit(signal === 'SIGINT' ? 130 : 143);
    ending.abort(signal);
  });
}

// Whoever started this process over a channel takes it along, however they end, and be it before this line.
process.once('disconnect', endAsOrphan);
if (process.send !== undefined && !process.connected) endAsOrphan();

// Loaded after the handlers above, so that even a damaged installation says what it is and never looks like a "no".
const { commands } = await import('./commands/index.ts');
const { runProgram } = await import('./program.ts');
const { systemClock, uuidSource } = await import('./system.ts');
const { processTerminal } = await import('./terminal.ts');
const { VERSION } = await import('./version.ts');

process.exit(
  await runProgram(process.argv.slice(2), {
    commands,
    terminal: processTerminal(),
    clock: systemClock,
    newId: uuidSource(systemClock),
    signal: ending.signal,
    version: VERSION,
  }),
);

function endAsOrphan(): void {
  ending.abort('SIGTERM');
  setTimeout(() => process.exit(143), ORPHAN_MS).unref();
}

function endAsDefect(error: unknown): never {
  const what = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0] ?? ''}` : typeof error;
  writeSync(
    process.stderr.fd,
    `witnessmark: error: this is a defect of witnessmark or of its installation (${what})\n`,
  );
  process.exit(EXIT_BUG);
}
