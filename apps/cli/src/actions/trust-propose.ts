// SPDX-License-Identifier: Apache-2.0
import { parseEnvelope, parseInstant, WitnessmarkError, type Instant } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustProposeOptions } from '../options/trust.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { withOffice } from '../office-work.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import { formatChange } from '../trust-text.ts';

const KEYID = /^[0-9a-f]{64}$/;

export async function trustPropose({
  options,
  session,
}: CommandInput<typeof trustProposeOptions>): Promise<CommandResult> {
  const enrolments = options.enrol.map((path) => parseEnvelope(readFile(path, DOCUMENT_BYTES)));
  const revokedAt = options.revokedAt === undefined ? undefined : readTime(options.revokedAt);
  return withOffice(session, options, async (_gate, _config, { changes }) => {
    const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
    const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
    const status = await withSigner(options.key, { session, purpose: purposeOfStatement }, (proposer) =>
      changes.propose({
        proposer,
        ticket,
        reason,
        enrolments,
        revocations: options.revoke.map((keyid) => ({
          keyid: readKeyid('--revoke', keyid),
          reason,
          ...(revokedAt === undefined ? {} : { revokedAt }),
        })),
        removedHolders: options.removeHolder.map((keyid) => readKeyid('--remove-holder', keyid)),
        ...(options.rootThreshold === undefined ? {} : { rootThreshold: options.rootThreshold }),
        ...(options.targetsThreshold === undefined ? {} : { targetsThreshold: options.targetsThreshold }),
        renewRoot: options.renewRoot,
      }),
    );
    for (const line of formatChange(status, options).slice(1)) session.output.data(line);
    session.output.verdict(`${status.changeId} is proposed and waits for its holders`);
    return { exit: EXIT.yes, document: { change: status } };
  });
}

function readKeyid(flag: string, text: string): string {
  if (KEYID.test(text)) return text;
  throw usageError(`${flag} takes a whole key id, 64 hexadecimal digits, as "trust show" prints it`);
}

function readTime(text: string): Instant {
  try {
    return parseInstant(text);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw usageError('--revoked-at takes a time as in RFC 3339, in UTC');
  }
}
