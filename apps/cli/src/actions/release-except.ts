// SPDX-License-Identifier: Apache-2.0
/** An exception for an image whose security counter is below the floor: asked for by an author, signed by two approvers. */
import type { ExceptionStatus } from '@witnessmark/gate';
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseExceptOptions } from '../options/release.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { typedPartOf, withOffice } from '../office-work.ts';
import { formatPlace } from '../promotion-text.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

export async function releaseExcept(input: CommandInput<typeof releaseExceptOptions>): Promise<CommandResult> {
  const { args, options, session } = input;
  const [exceptionId] = args;
  const status = exceptionId === undefined ? await request(input) : await sign(input, exceptionId);
  const { output } = session;
  for (const line of formatException(status)) output.data(line);
  const command = `witnessmark release except ${status.exceptionId}${formatPlace(options)} --key KEY --confirm ${typedPartOf(status.digest)}`;
  if (status.objection !== null) output.data(`  to sign    ${command}`);
  output.verdict(`${status.exceptionId} ${status.objection === null ? 'may be used' : `waits: ${status.objection}`}`);
  return { exit: status.objection === null ? EXIT.yes : EXIT.waiting, document: { exception: status } };
}

function request({ options, session }: CommandInput<typeof releaseExceptOptions>): Promise<ExceptionStatus> {
  const { image } = options;
  if (image === undefined) throw usageError('name an exception to sign, or --image to ask for one');
  return withOffice(session, options, async (_gate, { values }, { exceptions }) => {
    const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
    const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
    return withSigner(options.key, { session, purpose: purposeOfStatement }, (author) =>
      exceptions.request({
        imagePath: image,
        sku: values.product.sku,
        ...(options.securityCounter === undefined ? {} : { securityCounter: options.securityCounter }),
        reason,
        ticket,
        author,
      }),
    );
  });
}

function sign(
  { options, session }: CommandInput<typeof releaseExceptOptions>,
  exceptionId: string,
): Promise<ExceptionStatus> {
  return withOffice(session, options, async (_gate, _config, { exceptions }) => {
    const found = (await exceptions.list()).find((exception) => exception.exceptionId === exceptionId);
    for (const line of found === undefined ? [] : formatException(found)) session.output.note(line);
    const typedDigestPrefix = await answerOf(session, options.confirm, {
      flag: '--confirm',
      text: "Type the first four characters of the exception's digest to sign it:",
    });
    return withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
      exceptions.sign({ exceptionId, signer, typedDigestPrefix }),
    );
  });
}

function formatException(exception: ExceptionStatus): readonly string[] {
  const { sku, component, allowed, published, imageDigest, digest, requestedBy, ticket, reason, expiresAt } = exception;
  return [
    `  exception  sha256:${digest}`,
    `  image      sha256:${imageDigest}, ${component} of ${sku}`,
    `  counter    ${allowed}, below ${published}, which was published`,
    `  asked by   ${requestedBy.id}, ticket ${ticket}, until ${expiresAt}: ${reason}`,
    `  signed by  ${exception.approvers.join(', ') || 'nobody yet'}`,
  ];
}
