// SPDX-License-Identifier: Apache-2.0
/** One holder's signatures on a change of the keys, after a look at what is signed. */
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustSignOptions } from '../options/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { describeExpectedCard } from '../expected-card.ts';
import { withOffice } from '../office-work.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import { formatChange, formatChangeReview } from '../trust-text.ts';

export async function trustSign({
  args,
  options,
  session,
}: CommandInput<typeof trustSignOptions>): Promise<CommandResult> {
  const { output } = session;
  const changeId = args[0] as string;
  const { deny, rootKey } = options;
  return withOffice(session, options, async (_gate, _config, { changes }) => {
    for (const line of formatChangeReview(await changes.review(changeId))) output.note(line);
    const typedDigestPrefix = deny
      ? ''
      : await answerOf(session, options.confirm, {
          flag: '--confirm',
          text: "Type the first four characters of the change's digest to sign:",
        });
    const meaning = await answerOf(session, options.meaning, {
      flag: '--meaning',
      text: `What does your ${deny ? 'denial' : 'signature'} mean, for the record:`,
    });
    const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
    for (const line of describeExpectedCard(options.key, (await changes.show()).keys)) output.note(line);
    const key = { session, purpose: purposeOfStatement };
    const status = await withSigner(options.key, key, (signer) => {
      const text = { changeId, signer, meaning, ticket };
      if (deny) return changes.deny(text);
      const request = { ...text, typedDigestPrefix };
      if (rootKey === undefined) return changes.sign(request);
      return withSigner(rootKey, key, (rootSigner) => changes.sign({ ...request, rootSigner }));
    });
    for (const line of formatChange(status, options).slice(1)) output.data(line);
    output.verdict(deny ? `${changeId} is denied` : `your signatures are stored; ${status.detail}`);
    return { exit: EXIT.yes, document: { change: status } };
  });
}
