// SPDX-License-Identifier: Apache-2.0
import { openMedium } from '@witnessmark/boundary';
import { formatBundle, toBundleDocument } from '../boundary-text.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import type { debugBundleProposeOptions } from '../options/boundary.ts';
import { purposeOfStatement } from '../purpose.ts';
import { readContentsList, readSecretClasses, withBoundary } from '../roots/boundary.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

const HOUR_MS = 3600 * 1000;
const DEFAULT_HOURS = 72;
const RECIPIENT = /^([^=]{1,128})=(age1\S{8,4000})$/;

export async function debugBundlePropose({
  options,
  session,
}: CommandInput<typeof debugBundleProposeOptions>): Promise<CommandResult> {
  const recipients = options.recipient.map(parseRecipient);
  if (recipients.length === 0) throw usageError('--recipient is missing: nobody could open the bundle');
  return withBoundary(session, options, (boundary) =>
    withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
      const purpose = await answerOf(session, options.purpose, {
        flag: '--purpose',
        text: 'What for, for the record:',
      });
      const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
      const source = await openMedium(options.from);
      try {
        const status = await boundary.desk().propose({
          source,
          policies: {
            contentsList: readContentsList(options),
            classes: readSecretClasses(options),
            markers: await boundary.markers(options),
          },
          recipients,
          expiresAt: session.clock.now() + (options.hours ?? DEFAULT_HOURS) * HOUR_MS,
          purpose,
          ticket,
          reseals: options.reseals ?? null,
          signer,
        });
        for (const line of formatBundle(status).slice(1)) session.output.data(line);
        session.output.verdict(`${status.bundleId} is proposed and waits for two people`);
        return { exit: EXIT.yes, document: { bundle: toBundleDocument(status) } };
      } finally {
        await source.close();
      }
    }),
  );
}

function parseRecipient(text: string): { id: string; recipient: string } {
  const [, id, recipient] = RECIPIENT.exec(text) ?? [];
  if (id === undefined || recipient === undefined) throw usageError('--recipient takes PERSON=age1…');
  return { id, recipient };
}
