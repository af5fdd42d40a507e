// SPDX-License-Identifier: Apache-2.0
/** How a unit ended, as operators and programs read it: three words and one action each, and HOLD for what waits. */
import { describeReasonCode } from '@witnessmark/core';
import type { Progress as UnitProgress, ProgressListener, UnitResult } from '@witnessmark/station';
import { EXIT, exitCodeOfReason, type ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';
import type { Style } from './terminal.ts';

const WORDS: Readonly<Record<UnitResult['phase'], readonly [word: string, style: Style]>> = {
  passed: ['PASS', 'green'],
  failed: ['FAIL', 'red'],
  stopped: ['LINE STOP', 'yellow'],
  interrupted: ['HOLD', 'yellow'],
};

/** Made without the line: neither PASS nor anybody's to decide. */
const WAITING = ['WAITS', 'yellow'] as const;

export function exitCodeOfUnit({ phase, code }: UnitResult): ExitCode {
  return phase === 'passed' ? EXIT.yes : exitCodeOfReason(code ?? '');
}

/** For example `PASS  GW-210-7Q3K-9ZD2-M4XT  2.4 s  log entry 12`, and for a "no" what was found and what next. */
export function formatUnit(output: Output, result: UnitResult): readonly string[] {
  const [word, style] = result.code === 'HD-06' ? WAITING : WORDS[result.phase];
  const { code, detail, serial, record, resumed, seconds } = result;
  const facts = [
    `${output.style(style, word)}  ${serial ?? 'label not read'}`,
    ...(code === null ? [] : [`${code} ${describeReasonCode(code).operatorText}`]),
    `${seconds.toFixed(1)} s`,
    ...(record === null ? [] : [`log entry ${record.index}`]),
    ...(resumed ? ['resumed after an interruption'] : []),
  ];
  const next = code === null ? [] : [`  next: ${describeReasonCode(code).nextStep}`];
  return [...(detail === null ? [] : [`  ${detail}`]), ...next, facts.join('  ')];
}

export function toUnitDocument(result: UnitResult): Readonly<Record<string, unknown>> {
  const { phase, code, detail, serial, deviceId, transactionId, record, resumed, seconds } = result;
  return { phase, code, detail, serial, deviceId, transactionId, logIndex: record?.index ?? null, resumed, seconds };
}

/** Shows a unit's steps on the progress line. */
export function followUnit(progress: Progress): ProgressListener {
  return ({ step, state, doneBytes, totalBytes }: UnitProgress) => {
    if (state === 'begun') progress.begin(step);
    else if (state === 'done') progress.end();
    else if (state === 'failed') progress.end('failed');
    else if (doneBytes !== null && totalBytes !== null) {
      progress.refine(step, totalBytes);
      progress.move(doneBytes, totalBytes);
    }
  };
}
