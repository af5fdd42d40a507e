// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseStatusOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { exitCodeOfState, lookAtOffice } from '../office-work.ts';
import { formatStatus } from '../promotion-text.ts';

export async function releaseStatus({
  args,
  options,
  session,
}: CommandInput<typeof releaseStatusOptions>): Promise<CommandResult> {
  const [promotionId] = args;
  const { output } = session;
  return lookAtOffice(session, options, async (gate) => {
    if (promotionId !== undefined) {
      const status = await gate.status(promotionId);
      const [head = '', ...lines] = formatStatus(status, options);
      for (const line of lines) output.data(line);
      output.verdict(head);
      return { exit: exitCodeOfState(status.state), document: { promotions: [status] } };
    }
    const all = await gate.list();
    for (const status of all) for (const line of formatStatus(status, options)) output.data(line);
    const waiting = all.filter(({ state }) => exitCodeOfState(state) === EXIT.waiting).length;
    output.verdict(`${all.length} proposals, ${waiting} waiting for people`);
    return { exit: waiting > 0 ? EXIT.waiting : EXIT.yes, document: { promotions: all } };
  });
}
