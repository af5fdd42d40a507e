// SPDX-License-Identifier: Apache-2.0
/** One person's decision about a debug bundle, after a look at what is asked for. */
import { formatBundle, toBundleDocument } from '../boundary-text.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { debugBundleApproveOptions } from '../options/boundary.ts';
import { purposeOfStatement } from '../purpose.ts';
import { withBoundary } from '../roots/boundary.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

export async function debugBundleApprove({
  args,
  options,
  session,
}: CommandInput<typeof debugBundleApproveOptions>): Promise<CommandResult> {
  const { output } = session;
  const bundleId = args[0] as string;
  const act = options.deny ? 'deny' : 'approve';
  return withBoundary(session, options, (boundary) =>
    withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
      const desk = boundary.desk();
      for (const line of formatBundle(await desk.status(bundleId))) output.note(line);
      const typedDigestPrefix = options.deny
        ? ''
        : await answerOf(session, options.confirm, {
            flag: '--confirm',
            text: "Type the first four characters of the proposal's digest to approve:",
          });
      const meaning = await answerOf(session, options.meaning, {
        flag: '--meaning',
        text: `What does your ${options.deny ? 'denial' : 'approval'} mean, for the record:`,
      });
      const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
      const status = await desk.decide({ bundleId, act, meaning, ticket, typedDigestPrefix, signer });
      output.verdict(`your signature is stored; ${bundleId} is ${status.state}`);
      return { exit: EXIT.yes, document: { bundle: toBundleDocument(status) } };
    }),
  );
}
