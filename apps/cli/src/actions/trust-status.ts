// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustStatusOptions } from '../options/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { lookAtOffice } from '../office-work.ts';
import { exitCodeOfChange, formatChange } from '../trust-text.ts';

export async function trustStatus({
  args,
  options,
  session,
}: CommandInput<typeof trustStatusOptions>): Promise<CommandResult> {
  const [changeId] = args;
  const { output } = session;
  return lookAtOffice(session, options, async (_gate, _config, { changes }) => {
    if (changeId !== undefined) {
      const status = await changes.status(changeId);
      const [head = '', ...lines] = formatChange(status, options);
      for (const line of lines) output.data(line);
      output.verdict(head);
      return { exit: exitCodeOfChange(status), document: { changes: [status] } };
    }
    const all = await changes.list();
    for (const status of all) for (const line of formatChange(status, options)) output.data(line);
    const waiting = all.filter((status) => exitCodeOfChange(status) === EXIT.waiting).length;
    output.verdict(`${all.length} changes, ${waiting} waiting for people`);
    return { exit: waiting > 0 ? EXIT.waiting : EXIT.yes, document: { changes: all } };
  });
}
