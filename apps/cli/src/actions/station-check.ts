// SPDX-License-Identifier: Apache-2.0
/** The check station: a finished unit held against its record and its label. */
import { describeReasonCode } from '@witnessmark/core';
import type { UnitCheckResult } from '@witnessmark/station';
import type { CommandInput, CommandResult } from '../command.ts';
import type { stationCheckOptions } from '../options/label.ts';
import { EXIT, exitCodeOfReason } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import { withShift } from './station.ts';

export async function stationCheck({
  options,
  session,
}: CommandInput<typeof stationCheckOptions>): Promise<CommandResult> {
  const label = await answerOf(session, options.label, { flag: '--label', text: 'Scan the label of the unit:' });
  const { lift: reference } = options;
  return withShift(session, options, async (shift) => {
    const { station } = shift;
    shift.insert(label);
    const { signal } = session;
    const result =
      reference === undefined
        ? await station.checks.check({ label, signal })
        : await withSigner(reference, { session, purpose: purposeOfStatement }, (lift) =>
            station.checks.check({ label, lift, signal }),
          );
    const code = result.findings[0]?.code;
    tell(session.output, result);
    return { exit: code === undefined ? EXIT.yes : exitCodeOfReason(code), document: { check: toDocument(result) } };
  });
}

function tell(output: Output, { serial, deviceId, result, findings, isLifted, record }: UnitCheckResult): void {
  for (const { code, expected, observed } of findings) {
    output.data(`  ${code} ${describeReasonCode(code).operatorText}: expected ${expected}; found ${observed}`);
  }
  const unit = serial ?? `device ${deviceId.slice(0, 16)}`;
  const word = result === 'consistent' ? output.style('green', 'AS RECORDED') : output.style('red', 'FLAGGED');
  output.verdict(`${word}  ${unit}${isLifted ? '  flag lifted' : ''}  log entry ${record.index}`);
}

function toDocument({ record, ...result }: UnitCheckResult): Readonly<Record<string, unknown>> {
  return { ...result, logIndex: record.index };
}
