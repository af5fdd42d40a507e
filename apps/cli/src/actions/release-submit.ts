// SPDX-License-Identifier: Apache-2.0
/** A decision that was signed on an approver's own machine, brought to the office. */
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseSubmitOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readInput } from '../files.ts';
import { withOffice } from '../office-work.ts';
import { formatStatus } from '../promotion-text.ts';

export async function releaseSubmit({
  args,
  options,
  session,
}: CommandInput<typeof releaseSubmitOptions>): Promise<CommandResult> {
  const promotionId = args[0] as string;
  const decision = await readInput(session, options.decision, DOCUMENT_BYTES);
  return withOffice(session, options, async (gate) => {
    const status = await gate.submit(promotionId, decision);
    for (const line of formatStatus(status, options).slice(1)) session.output.data(line);
    session.output.verdict(`${promotionId} is ${status.state}; ${status.detail}`);
    return { exit: EXIT.yes, document: { promotion: status } };
  });
}
