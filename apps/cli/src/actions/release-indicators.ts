// SPDX-License-Identifier: Apache-2.0
/** How people approve, computed from the signed record of the office and from nothing else. */
import { approvalIndicators, type ApproverIndicators } from '@witnessmark/gate';
import type { Envelope } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseIndicatorsOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { withOffice } from '../office-work.ts';

export async function releaseIndicators({
  options,
  session,
}: CommandInput<typeof releaseIndicatorsOptions>): Promise<CommandResult> {
  const { output } = session;
  return withOffice(session, options, async (_gate, _config, office) => {
    const record: Envelope[] = [];
    for await (const envelope of office.readLog()) record.push(envelope);
    const indicators = approvalIndicators(record, await office.changes.trustedKeys());
    for (const line of indicators.approvers.flatMap(formatApprover)) output.data(line);
    const flags = indicators.approvers.flatMap(({ person, flags: own }) => own.map((flag) => `${person} ${flag}`));
    const { from, until } = indicators;
    output.verdict(
      from === null || until === null
        ? 'no decision is on record'
        : `from ${from} to ${until}: ${flags.length} to ask about`,
    );
    return { exit: flags.length > 0 ? EXIT.no : EXIT.yes, document: { indicators } };
  });
}

function formatApprover(indicators: ApproverIndicators): readonly string[] {
  const { person, approvals, denials, medianMs, fastestMs, mostInOneHour, flags } = indicators;
  const time = `to approve: ${formatMs(medianMs)} as a rule, ${formatMs(fastestMs)} at the fastest`;
  return [
    `${person}  ${approvals} approved, ${denials} denied; ${time}; at most ${mostInOneHour} in an hour`,
    ...flags.map((flag) => `  look at  ${flag}`),
  ];
}

function formatMs(ms: number | null): string {
  if (ms === null) return 'not known';
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
