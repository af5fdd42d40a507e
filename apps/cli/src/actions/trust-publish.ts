// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '@witnessmark/custody';
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustPublishOptions } from '../options/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { withOffice } from '../office-work.ts';
import { METADATA_PURPOSE } from '../purpose.ts';
import { withSigner } from '../signer-reference.ts';
import { formatChange } from '../trust-text.ts';

export async function trustPublish({
  args,
  options,
  session,
}: CommandInput<typeof trustPublishOptions>): Promise<CommandResult> {
  const changeId = args[0] as string;
  const { output } = session;
  const withOptional = <T>(key: string | undefined, work: (signer?: Signer) => Promise<T>): Promise<T> =>
    key === undefined ? work() : withSigner(key, { session, purpose: METADATA_PURPOSE }, work);
  return withOffice(session, options, (_gate, _config, { changes }) =>
    withOptional(options.onlineKey, (online) =>
      withOptional(options.effectivityKey, async (effectivity) => {
        const incoming = { ...(online && { online }), ...(effectivity && { effectivity }) };
        const status = await changes.publish(changeId, incoming);
        for (const line of formatChange(status, options).slice(1)) output.data(line);
        if (online !== undefined || effectivity !== undefined) {
          output.note('Name the new keys in the configuration of the office: the old ones sign nothing any more.');
        }
        output.note('Give lines, stations and verifiers the new trusted root: "witnessmark trust export".');
        output.verdict(`${changeId} is ${status.state}: trusted root version ${status.trustedRootVersion ?? '?'}`);
        return { exit: EXIT.yes, document: { change: status } };
      }),
    ),
  );
}
