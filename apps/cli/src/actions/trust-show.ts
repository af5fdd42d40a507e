// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustShowOptions } from '../options/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { lookAtOffice } from '../office-work.ts';
import { formatOverview } from '../trust-text.ts';

export async function trustShow({ options, session }: CommandInput<typeof trustShowOptions>): Promise<CommandResult> {
  return lookAtOffice(session, options, async (_gate, _config, { changes }) => {
    const overview = await changes.show();
    for (const line of formatOverview(overview)) session.output.data(line);
    const { root, trustedRoot } = overview;
    session.output.verdict(
      `root version ${root.version}, trusted root "${trustedRoot.name}" version ${trustedRoot.version}`,
    );
    return { exit: EXIT.yes, document: { trust: overview } };
  });
}
