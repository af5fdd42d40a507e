// SPDX-License-Identifier: Apache-2.0
/** One person's decision about a proposal, signed with that person's own key after a look at what is signed. */
import { loadSoftwareKey } from '@witnessmark/custody';
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseApproveOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { formatReview, formatStatus, withOffice } from '../office-work.ts';
import { answerOf } from '../session.ts';

export async function releaseApprove({
  args,
  options,
  session,
}: CommandInput<typeof releaseApproveOptions>): Promise<CommandResult> {
  const { output } = session;
  const promotionId = args[0] as string;
  const { deny } = options;
  return withOffice(session, options, async (gate) => {
    const signer = loadSoftwareKey(options.key);
    for (const line of formatReview(await gate.review(promotionId))) output.note(line);
    const typedDigestPrefix = deny
      ? ''
      : await answerOf(session, options.confirm, {
          flag: '--confirm',
          text: "Type the first four characters of the candidate's digest to approve:",
        });
    const meaning = await answerOf(session, options.meaning, {
      flag: '--meaning',
      text: `What does your ${deny ? 'denial' : 'approval'} mean, for the record:`,
    });
    const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
    const request = { promotionId, signer, meaning, ticket };
    const status = deny ? await gate.deny(request) : await gate.approve({ ...request, typedDigestPrefix });
    for (const line of formatStatus(status)) output.data(line);
    output.verdict(describe(promotionId, status.state, status.missing?.detail));
    return { exit: EXIT.yes, document: { promotion: status } };
  });
}

function describe(promotionId: string, state: string, missing: string | undefined): string {
  if (state === 'promoted') return `${promotionId} is promoted and published`;
  if (state === 'denied') return `${promotionId} is denied`;
  return `your signature is stored; ${missing ?? `${promotionId} is ${state}`}`;
}
