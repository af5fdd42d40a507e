// SPDX-License-Identifier: Apache-2.0
/** One person's decision about a proposal, signed with that person's own key after a look at what is signed. */
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseApproveOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { describeExpectedCard } from '../expected-card.ts';
import { withOffice } from '../office-work.ts';
import { formatReview, formatStatus } from '../promotion-text.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

export async function releaseApprove({
  args,
  options,
  session,
}: CommandInput<typeof releaseApproveOptions>): Promise<CommandResult> {
  const { output } = session;
  const promotionId = args[0] as string;
  const { deny } = options;
  return withOffice(session, options, async (gate, { values }, { changes }) => {
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
    for (const line of describeExpectedCard(options.key, (await changes.show()).keys)) output.note(line);
    const key = { session, purpose: purposeOfStatement };
    return withSigner(options.key, key, async (signer) => {
      const request = { promotionId, signer, meaning, ticket };
      const status = deny ? await gate.deny(request) : await gate.approve({ ...request, typedDigestPrefix });
      for (const line of formatStatus(status, options)) output.data(line);
      const decision = values.publishing === null ? gate.decisionPath(promotionId, signer.publicKey.keyid) : null;
      if (decision !== null) {
        output.data(`  carry      ${decision}`);
        output.data(`             witnessmark release submit ${promotionId} --decision FILE, at the office`);
      }
      output.verdict(describe(promotionId, status.state, status.missing?.detail));
      return { exit: EXIT.yes, document: { promotion: status, decision } };
    });
  });
}

function describe(promotionId: string, state: string, missing: string | undefined): string {
  if (state === 'promoted') return `${promotionId} is promoted and published`;
  if (state === 'denied') return `${promotionId} is denied`;
  return `your signature is stored; ${missing ?? `${promotionId} is ${state}`}`;
}
