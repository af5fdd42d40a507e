// SPDX-License-Identifier: Apache-2.0
/** Labels from the record, beside the flow of units: first label, scan-back, reprint and void. */
import type { LabelDesk, LabelResult } from '@witnessmark/station';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { labelPrintOptions, labelReprintOptions, labelScanOptions, labelVoidOptions } from '../options/label.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { describeLabel, toLabelDocument } from '../label-text.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf, type Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import { withShift } from './station.ts';
import type { stationOptions } from '../options/station.ts';

export function labelPrint({ options, session }: CommandInput<typeof labelPrintOptions>): Promise<CommandResult> {
  return atDesk(session, options, (desk) => desk.print(options.unit));
}

export async function labelScan({ options, session }: CommandInput<typeof labelScanOptions>): Promise<CommandResult> {
  const scan = await answerOf(session, options.scan, { flag: '--scan', text: 'Scan the label on the unit:' });
  return atDesk(session, options, (desk) => desk.scan(scan, options.unit));
}

export function labelReprint({ options, session }: CommandInput<typeof labelReprintOptions>): Promise<CommandResult> {
  const key = options.key ?? options.operatorKey;
  if (key === undefined) throw usageError('--key or --operator-key is missing');
  return decide(session, { ...options, key }, 'reprint');
}

export function labelVoid({ options, session }: CommandInput<typeof labelVoidOptions>): Promise<CommandResult> {
  return decide(session, options, 'void');
}

async function decide(
  session: Session,
  options: ShiftOptions & { readonly unit: string; readonly key: string; readonly reason: string | undefined },
  what: 'reprint' | 'void',
): Promise<CommandResult> {
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  return withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    atDesk(session, options, (desk) => desk[what](options.unit, { reason, signer })),
  );
}

type ShiftOptions = OptionValues<typeof stationOptions>;

function atDesk(
  session: Session,
  options: ShiftOptions,
  work: (desk: LabelDesk) => Promise<LabelResult>,
): Promise<CommandResult> {
  return withShift(session, options, async ({ station }) => {
    if (station.labels === null) {
      throw new CliError('ERR_CLI_CONFIG', 'the station has no label printer; its configuration names one in "labels"');
    }
    const result = await work(station.labels);
    session.output.verdict(describeLabel(result));
    return { exit: EXIT.yes, document: { label: toLabelDocument(result) } };
  });
}
