// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseReviewOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { formatReview, typedPartOf, withOffice } from '../office-work.ts';

export async function releaseReview({
  args,
  options,
  session,
}: CommandInput<typeof releaseReviewOptions>): Promise<CommandResult> {
  return withOffice(session, options, async (gate) => {
    const review = await gate.review(args[0] as string);
    const { output } = session;
    for (const line of formatReview(review)) output.data(line);
    const typed = typedPartOf(review.candidateDigest);
    output.verdict(`to approve: witnessmark release approve ${review.promotionId} --key FILE --confirm ${typed}`);
    return { exit: EXIT.yes, document: { review } };
  });
}
