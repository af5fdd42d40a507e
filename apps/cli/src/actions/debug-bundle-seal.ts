// SPDX-License-Identifier: Apache-2.0
import { openMedium } from '@witnessmark/boundary';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { debugBundleSealOptions } from '../options/boundary.ts';
import { purposeOfStatement } from '../purpose.ts';
import { readContentsList, readSecretClasses, withBoundary } from '../roots/boundary.ts';
import { withSigner } from '../signer-reference.ts';

export async function debugBundleSeal({
  args,
  options,
  session,
}: CommandInput<typeof debugBundleSealOptions>): Promise<CommandResult> {
  const bundleId = args[0] as string;
  return withBoundary(session, options, (boundary) =>
    withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
      const source = await openMedium(options.from);
      try {
        const policies = {
          contentsList: readContentsList(options),
          classes: readSecretClasses(options),
          markers: await boundary.markers(options),
        };
        const { directory, predicate } = await boundary.desk().seal({ bundleId, source, policies, signer });
        for (const { recipient, name, bytes } of predicate.files) {
          session.output.data(`  for ${recipient}: ${name}, ${bytes} bytes`);
        }
        session.output.data(`  with each: ${bundleId}.statements.json`);
        session.output.verdict(`${directory} holds the sealed files; they may be opened until ${predicate.expiresAt}`);
        return { exit: EXIT.yes, document: { directory, seal: predicate } };
      } finally {
        await source.close();
      }
    }),
  );
}
