// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseWithdrawOptions } from '../options/release.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { withOffice } from '../office-work.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

export async function releaseWithdraw({
  args,
  options,
  session,
}: CommandInput<typeof releaseWithdrawOptions>): Promise<CommandResult> {
  const releaseId = args[0] as string;
  const { output } = session;
  const key = { session, purpose: purposeOfStatement };
  return withOffice(session, options, (gate) =>
    withSigner(options.key, key, async (signer) => {
      output.note(`A withdrawal is for good: no station will make ${releaseId} again.`);
      const typed = await answerOf(session, options.confirm, { flag: '--confirm', text: 'Type the release id:' });
      if (typed !== releaseId) throw usageError(`--confirm is not ${releaseId}; nothing was withdrawn`);
      const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
      const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
      const { isNew, state } = await gate.withdraw({ releaseId, signer, reason, ticket });
      output.verdict(isNew ? `${releaseId} is withdrawn` : `${releaseId} was withdrawn before`);
      return { exit: EXIT.yes, document: { releaseId, isNew, state } };
    }),
  );
}
