// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseReviewOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { lookAtOffice, typedPartOf } from '../office-work.ts';
import { formatPlace, formatReview } from '../promotion-text.ts';

export async function releaseReview({
  args,
  options,
  session,
}: CommandInput<typeof releaseReviewOptions>): Promise<CommandResult> {
  return lookAtOffice(session, options, async (gate) => {
    const review = await gate.review(args[0] as string);
    const { output } = session;
    for (const line of formatReview(review)) output.data(line);
    const typed = typedPartOf(review.candidateDigest);
    const command = `witnessmark release approve ${review.promotionId}${formatPlace(options)} --key KEY --confirm ${typed}`;
    output.verdict(`to approve: ${command}`);
    return { exit: EXIT.yes, document: { review } };
  });
}
