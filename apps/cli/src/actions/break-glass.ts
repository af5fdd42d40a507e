// SPDX-License-Identifier: Apache-2.0
import {
  BREAK_GLASS_SCOPES,
  parseTrustedRoot,
  type BreakGlassOpening,
  type TrustedRoot,
} from '@witnessmark/attestation';
import type { HttpLineService } from '@witnessmark/api';
import { formatEnvelope, formatInstant, MAX_ENVELOPE_BYTES, parseEnvelope, sha256Hex } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type {
  breakGlassOpenOptions,
  breakGlassResealOptions,
  breakGlassReviewOptions,
  breakGlassStatusOptions,
} from '../options/break-glass.ts';
import {
  confirmOpening,
  formatOpening,
  readOpening,
  signOpening,
  signReseal,
  signReview,
  toKnownOpening,
  type KnownOpening,
} from '../break-glass.ts';
import { lineConfigSchema, loadConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, readInput, writeFile } from '../files.ts';
import { openLineClient } from '../line-client.ts';
import { typedPartOf } from '../office-work.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf, type Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

type OpenInput = CommandInput<typeof breakGlassOpenOptions>;
type Scope = BreakGlassOpening['scope'][number];

export async function breakGlassOpen(input: OpenInput): Promise<CommandResult> {
  const [file] = input.args;
  return file === undefined ? beginOpening(input) : finishOpening(input, file);
}

async function beginOpening({ options, session }: OpenInput): Promise<CommandResult> {
  const { output, clock, newId } = session;
  const { data, minutes, second, out } = options;
  if (data === undefined) throw usageError('--data (or WITNESSMARK_DATA) is missing: it names plant and line');
  const { plant, line } = loadConfig(DataDirectory.open(data).lineConfig, lineConfigSchema).values.rules;
  const scope = parseScope(options.scope);
  if (minutes === undefined) throw usageError('--minutes is missing');
  if (second === undefined) throw usageError('--second is missing: two people open it');
  if (out === undefined) throw usageError('--out is missing: the second person signs that file');
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
  const trustedRoot = readTrustedRoot(options);
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signOpening({
      signer,
      trustedRoot,
      id: newId(),
      now: clock.now(),
      place: { plant, line, station: options.station ?? null },
      scope,
      minutes,
      reason,
      ticket,
      second,
    }),
  );
  writeFile(out, formatEnvelope(envelope), 0o600);
  for (const text of formatOpening(readOpening(envelope, trustedRoot))) output.data(text);
  const digest = sha256Hex(envelope.payload);
  output.verdict(`nothing is open yet: ${second} signs with "witnessmark break-glass open ${out}" (digest ${digest})`);
  return { exit: EXIT.waiting, document: { file: out, digest } };
}

async function finishOpening({ options, session }: OpenInput, file: string): Promise<CommandResult> {
  const { output, clock, signal } = session;
  const trustedRoot = readTrustedRoot(options);
  const envelope = parseEnvelope(await readInput(session, file, MAX_ENVELOPE_BYTES));
  const digest = sha256Hex(envelope.payload);
  for (const text of formatOpening(readOpening(envelope, trustedRoot))) output.note(text);
  output.note(`  digest     ${digest}`);
  const typed = await answerOf(session, options.confirm, {
    flag: '--confirm',
    text: 'Type the first four characters of the digest to suspend these rules:',
  });
  if (typed !== typedPartOf(digest))
    throw usageError('--confirm is not the beginning of the digest; nothing was opened');
  const signed = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    confirmOpening(envelope, { signer, trustedRoot, now: clock.now() }),
  );
  const { index } = await openLineClient(options, signal).submit(signed);
  output.verdict(
    `break-glass ${typedPartOf(digest)} is open, log entry ${index}; everything made here carries its mark`,
  );
  return { exit: EXIT.yes, document: { digest, logIndex: index } };
}

export async function breakGlassReseal({
  options,
  session,
}: CommandInput<typeof breakGlassResealOptions>): Promise<CommandResult> {
  const { output, clock, newId, signal } = session;
  const line = openLineClient(options, signal);
  const known = await findWaiting(line, session, ['open', 'runOut']);
  const done = await answerOf(session, options.done, {
    flag: '--done',
    text: 'What was done meanwhile, for the record:',
  });
  const trustedRoot = readTrustedRoot(options);
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signReseal(known, { signer, trustedRoot, id: newId(), now: clock.now(), done, seal: options.seal ?? null }),
  );
  const { index } = await line.submit(envelope);
  output.verdict(
    `break-glass ${typedPartOf(known.record.digest)} is resealed, log entry ${index}; it waits for its review`,
  );
  return { exit: EXIT.yes, document: { digest: known.record.digest, logIndex: index } };
}

export async function breakGlassReview({
  options,
  session,
}: CommandInput<typeof breakGlassReviewOptions>): Promise<CommandResult> {
  const { output, clock, newId, signal } = session;
  const line = openLineClient(options, signal);
  const known = await findWaiting(line, session, ['resealed']);
  const findings = await answerOf(session, options.findings, { flag: '--findings', text: 'Findings, for the record:' });
  const trustedRoot = readTrustedRoot(options);
  const verdict = options.verdict === 'justified' ? 'justified' : 'unjustified';
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signReview(known, { signer, trustedRoot, id: newId(), now: clock.now(), verdict, findings }),
  );
  const { index } = await line.submit(envelope);
  output.verdict(`break-glass ${typedPartOf(known.record.digest)} was reviewed: ${verdict}, log entry ${index}`);
  return { exit: EXIT.yes, document: { digest: known.record.digest, verdict, logIndex: index } };
}

export async function breakGlassStatus({
  options,
  session,
}: CommandInput<typeof breakGlassStatusOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const openings = await listOpenings(openLineClient(options, signal), session);
  for (const { record, opening, state, endsAt } of openings) {
    output.data(
      `${typedPartOf(record.digest)}  ${STATES[state]}  until ${formatInstant(endsAt)}, log entry ${record.index}`,
    );
    for (const text of formatOpening(opening)) output.data(text);
  }
  const waiting = openings.find(({ state }) => state !== 'reviewed');
  output.verdict(waiting === undefined ? 'no break-glass is open or waits' : `one is ${STATES[waiting.state]}`);
  return {
    exit: waiting === undefined ? EXIT.yes : EXIT.waiting,
    document: {
      openings: openings.map(({ record, opening, state, endsAt }) => ({
        digest: record.digest,
        logIndex: record.index,
        state,
        endsAt: formatInstant(endsAt),
        opening,
      })),
    },
  };
}

const STATES: Readonly<Record<KnownOpening['state'], string>> = {
  open: 'OPEN',
  runOut: 'run out, not resealed',
  resealed: 'resealed, not reviewed',
  reviewed: 'reviewed',
};

async function listOpenings(line: HttpLineService, { clock }: Session): Promise<readonly KnownOpening[]> {
  const now = clock.now();
  return (await line.siteRecords('break-glass-opening')).map((record) => toKnownOpening(record, now));
}

async function findWaiting(
  line: HttpLineService,
  session: Session,
  states: readonly KnownOpening['state'][],
): Promise<KnownOpening> {
  const found = (await listOpenings(line, session)).find(({ state }) => states.includes(state));
  if (found !== undefined) return found;
  throw new CliError('ERR_CLI_UNKNOWN_UNIT', 'no break-glass waits for this step; "break-glass status" shows them');
}

function readTrustedRoot(options: {
  readonly trust: string | undefined;
  readonly data: string | undefined;
}): TrustedRoot {
  const file = options.trust ?? (options.data === undefined ? undefined : DataDirectory.open(options.data).trustedRoot);
  if (file === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  return parseTrustedRoot(readFile(file, DOCUMENT_BYTES));
}

function parseScope(texts: readonly string[]): Scope[] {
  if (texts.length === 0) throw usageError('--scope is missing: what is to be suspended');
  return texts.map((text) => {
    const scope = BREAK_GLASS_SCOPES.find((candidate) => candidate === text);
    if (scope === undefined) throw usageError(`--scope takes ${BREAK_GLASS_SCOPES.join(', ')}`);
    return scope;
  });
}
