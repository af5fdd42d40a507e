// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseRefreshOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { withOffice } from '../office-work.ts';

export async function releaseRefresh({
  options,
  session,
}: CommandInput<typeof releaseRefreshOptions>): Promise<CommandResult> {
  return withOffice(session, options, async (gate) => {
    const state = await gate.refresh();
    session.output.verdict(`timestamp version ${state.timestampVersion} is good until ${state.timestampExpiresAt}`);
    return { exit: EXIT.yes, document: { state } };
  });
}
