// SPDX-License-Identifier: Apache-2.0
/** The end of a ceremony that ran to its last step, or that cannot be finished. */
import { ceremoniesIn, closeAndPrint } from '../ceremony/closing.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { usageError } from '../error.ts';
import type { ceremonyCloseOptions } from '../options/ceremony.ts';
import { resumeCeremony } from '../roots/ceremony.ts';

export async function ceremonyClose({
  args,
  options,
  session,
}: CommandInput<typeof ceremonyCloseOptions>): Promise<CommandResult> {
  if (options.key.length === 0) throw usageError('--key is missing: the administrator and the witness sign');
  const opened = await resumeCeremony(ceremoniesIn(options), args[0] as string, session.clock);
  try {
    const { ceremony } = opened;
    const { phase } = ceremony.state;
    if (options.abort !== undefined && (phase === 'running' || phase === 'onBreak')) {
      await ceremony.record({ kind: 'aborted', reason: options.abort });
    }
    return await closeAndPrint(session, ceremony, options);
  } finally {
    await opened.close();
  }
}
