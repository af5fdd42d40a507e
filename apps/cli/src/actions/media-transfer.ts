// SPDX-License-Identifier: Apache-2.0
/** Bringing media in and taking them out. */
import { MEDIUM_ID_SOURCES } from '@witnessmark/attestation';
import {
  expectAll,
  expectTree,
  exportMedium,
  ingestMedium,
  openMedium,
  parseTree,
  type Expectation,
  type Medium,
  type MediumIdentity,
  type Transfer,
  type TransferRequest,
} from '@witnessmark/boundary';
import type { Envelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { formatTransfer } from '../boundary-text.ts';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { openLineClient } from '../line-client.ts';
import type { mediaExportOptions, mediaIngestOptions } from '../options/boundary.ts';
import { purposeOfStatement } from '../purpose.ts';
import { expectRepository, readMarkers, readSecretClasses, withBoundary, type Boundary } from '../roots/boundary.ts';
import { answerOf, type Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

export async function mediaIngest({
  args,
  options,
  session,
}: CommandInput<typeof mediaIngestOptions>): Promise<CommandResult> {
  return withBoundary(session, options, async (boundary) => {
    const expectation = expectationOf(options, boundary);
    const record = options.record === 'office' ? boundary.record : submitToLine(session, options);
    return withMedium(args[0] as string, (medium) =>
      withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
        const request = await requestOf(session, options, boundary, signer);
        return report(session, await ingestMedium(medium, { ...request, record, expectation }), options.to);
      }),
    );
  });
}

export async function mediaExport({
  args,
  options,
  session,
}: CommandInput<typeof mediaExportOptions>): Promise<CommandResult> {
  return withBoundary(session, options, (boundary) =>
    withMedium(args[0] as string, (medium) =>
      withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
        const request = await requestOf(session, options, boundary, signer);
        const markers = await boundary.markers(options);
        const batch = await boundary.nextBatch();
        return report(session, await exportMedium(medium, { ...request, markers, batch }), options.to);
      }),
    ),
  );
}

/** Null leaves it to the statement of an export on the medium. */
function expectationOf(
  { repository, list }: OptionValues<typeof mediaIngestOptions>,
  boundary: Boundary,
): Expectation | null {
  const parts: Expectation[] = [];
  if (repository !== undefined) parts.push(expectRepository(repository, boundary.initialRoot()));
  if (list !== undefined) parts.push(expectTree(parseTree(readFile(list, DOCUMENT_BYTES))));
  return parts.length === 0 ? null : expectAll(parts);
}

function submitToLine(
  session: Session,
  options: { readonly data: string | undefined; readonly line: string | undefined },
): (envelope: Envelope) => Promise<void> {
  const line = openLineClient(options, session.signal);
  return async (envelope) => {
    await line.submit(envelope);
  };
}

async function withMedium<T>(path: string, work: (medium: Medium) => Promise<T>): Promise<T> {
  const medium = await openMedium(path);
  try {
    return await work(medium);
  } finally {
    await medium.close();
  }
}

async function requestOf(
  session: Session,
  options: OptionValues<typeof mediaExportOptions>,
  boundary: Boundary,
  signer: Signer,
): Promise<TransferRequest> {
  const purpose = await answerOf(session, options.purpose, { flag: '--purpose', text: 'What for, for the record:' });
  return {
    signer,
    keys: boundary.keys,
    identity: identityOf(options),
    site: boundary.config.values.site,
    classes: readSecretClasses(options),
    markers: readMarkers(options),
    purpose,
    ticket: options.ticket ?? null,
    clock: session.clock,
    newId: session.newId,
    record: boundary.record,
    destination: options.to,
  };
}

function identityOf({ medium, mediumFrom, mediumSerial }: OptionValues<typeof mediaExportOptions>): MediumIdentity {
  const learntFrom = MEDIUM_ID_SOURCES.find((source) => source === mediumFrom) ?? 'stated';
  return { id: medium, learntFrom, serial: mediumSerial ?? null };
}

function report({ output }: Session, transfer: Transfer, to: string): CommandResult {
  const { result, predicate, tree, findings, digest } = transfer;
  for (const line of formatTransfer(transfer)) output.data(line);
  const isAccepted = result === 'accepted';
  const what = predicate.direction === 'ingest' ? 'brought in' : 'taken out';
  output.verdict(
    isAccepted
      ? `${to} holds what was ${what}; it is in the log`
      : `${predicate.code ?? ''} nothing was ${what}: ${findings.length} findings; that is in the log`,
  );
  return {
    exit: isAccepted ? EXIT.yes : EXIT.refused,
    document: {
      to: isAccepted ? to : null,
      treeDigest: tree.digest,
      statementDigest: digest,
      transfer: predicate,
      findings,
    },
  };
}
