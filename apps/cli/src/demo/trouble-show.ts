// SPDX-License-Identifier: Apache-2.0
/** Runs every trouble and prints how it was refused. */
import { describeReasonCode } from '@witnessmark/core';
import { TROUBLES, type Stage } from './trouble.ts';

export interface ShownTrouble {
  readonly title: string;
  readonly expected: string;
  readonly code: string | null;
  readonly isRefused: boolean;
}

export async function showTroubles(stage: Stage): Promise<readonly ShownTrouble[]> {
  const { output, signal } = stage.session;
  output.data('Now the same with trouble. Each is refused by its code, and the refusals of the line are on record.');
  const shown: ShownTrouble[] = [];
  for (const { title, expected, run, repair } of TROUBLES) {
    signal.throwIfAborted();
    const { code, detail } = await run(stage);
    const isRefused = code === expected;
    shown.push({ title, expected, code, isRefused });
    output.data('');
    output.data(`${shown.length}. ${title}`);
    const word = isRefused ? output.style('green', 'refused') : output.style('red', 'NOT AS IT MUST BE');
    output.data(`   ${word}  ${code ?? 'nothing'}  ${code === null ? '' : describeReasonCode(code).operatorText}`);
    if (detail !== null) output.data(`   ${detail}`);
    if (!isRefused) output.data(`   expected ${expected} ${describeReasonCode(expected).operatorText}`);
    if (repair !== undefined) output.data(`   then: ${await repair(stage)}`);
  }
  output.data('');
  return shown;
}
