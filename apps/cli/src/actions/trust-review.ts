// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustReviewOptions } from '../options/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { lookAtOffice, typedPartOf } from '../office-work.ts';
import { formatPlace } from '../promotion-text.ts';
import { formatChangeReview } from '../trust-text.ts';

export async function trustReview({
  args,
  options,
  session,
}: CommandInput<typeof trustReviewOptions>): Promise<CommandResult> {
  const changeId = args[0] as string;
  return lookAtOffice(session, options, async (_gate, _config, { changes }) => {
    const review = await changes.review(changeId);
    for (const line of formatChangeReview(review)) session.output.data(line);
    const typed = typedPartOf(review.status.digest ?? '');
    session.output.verdict(
      `to sign: witnessmark trust sign ${changeId}${formatPlace(options)} --key KEY --confirm ${typed}`,
    );
    const { root, revocations, status } = review;
    const enrolments = review.enrolments.map(({ claims, key }) => ({ keyid: key.keyid, ...claims }));
    return { exit: EXIT.yes, document: { review: { root, enrolments, revocations, status } } };
  });
}
