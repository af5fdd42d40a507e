// SPDX-License-Identifier: Apache-2.0
/** Writing break-glass statements (spec/break-glass.md): who somebody is follows from their key, not from what was typed. */
import {
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  buildStatement,
  isValidAt,
  parseStatement,
  toTrustedKeys,
  type BreakGlassClosing,
  type BreakGlassOpening,
  type BreakGlassReview,
  type TrustedKey,
  type TrustedRoot,
} from '@witnessmark/attestation';
import type { SiteRecordView } from '@witnessmark/api';
import {
  encodeUtf8,
  formatInstant,
  isSignedBy,
  parseInstant,
  preAuthEncoding,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { countersign, signEnvelope, type Signer } from '@witnessmark/custody';
import { CliError } from './error.ts';

const MINUTE_MS = 60_000;

interface Writing {
  readonly signer: Signer;
  readonly trustedRoot: TrustedRoot;
  readonly id: string;
  readonly now: Instant;
}

export interface OpeningRequest extends Writing {
  readonly place: BreakGlassOpening['place'];
  readonly scope: BreakGlassOpening['scope'];
  readonly minutes: number;
  readonly reason: string;
  readonly ticket: string;
  /** The person who is to sign as well. */
  readonly second: string;
}

/** An opening as its statement says, and where it stands. */
export interface KnownOpening {
  readonly record: SiteRecordView;
  readonly opening: BreakGlassOpening;
  readonly state: 'open' | 'runOut' | 'resealed' | 'reviewed';
  readonly endsAt: Instant;
}

/** Signed by the first person, for the second to sign. Throws `ERR_CLI_CONFIG` for a person who cannot. */
export async function signOpening(request: OpeningRequest): Promise<Envelope> {
  const { signer, trustedRoot, id, now, place, scope, minutes, reason, ticket } = request;
  const first = personOf(signer, trustedRoot, now);
  const second = toTrustedKeys(trustedRoot).find(
    ({ owner, role }) => owner === request.second && (role === 'supervisor' || role === 'approver'),
  );
  if (second === undefined || second.owner === first.id) {
    throw new CliError(
      'ERR_CLI_CONFIG',
      `${request.second} is not another supervisor or approver in ${trustedRoot.name}`,
    );
  }
  const opening: BreakGlassOpening = {
    id,
    place,
    scope,
    reason,
    ticket,
    requestedBy: first,
    confirmedBy: { id: second.owner, role: second.role },
    openedAt: formatInstant(now),
    minutes,
  };
  const subject = { name: 'line', digest: { sha256: sha256Hex(encodeUtf8(place.line)) } };
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, buildStatement(breakGlassOpening, subject, opening), [signer]);
}

/** What the second person is asked to sign, after the first signature was verified. Throws `ERR_CLI_CONFIG`. */
export function readOpening(envelope: Envelope, trustedRoot: TrustedRoot): BreakGlassOpening {
  const { payloadType, payload, signatures } = envelope;
  const message = preAuthEncoding(payloadType, payload);
  const [signature] = signatures;
  const first = toTrustedKeys(trustedRoot).find(({ key }) => key.keyid === signature?.keyid);
  const isSigned = signature !== undefined && first !== undefined && isSignedBy(first.key, message, signature.sig);
  if (!isSigned || payloadType !== STATEMENT_PAYLOAD_TYPE || signatures.length !== 1) {
    throw new CliError('ERR_CLI_CONFIG', `the opening is not signed by one person of ${trustedRoot.name}`);
  }
  const opening = parseStatement(breakGlassOpening, payload).predicate;
  if (first.owner === opening.requestedBy.id) return opening;
  throw new CliError('ERR_CLI_CONFIG', `the opening of ${opening.requestedBy.id} is signed by ${first.owner}`);
}

/** Adds the second signature. Throws `ERR_CLI_CONFIG` when it is asked of somebody else. */
export async function confirmOpening(
  envelope: Envelope,
  { signer, trustedRoot, now }: Pick<Writing, 'signer' | 'trustedRoot' | 'now'>,
): Promise<Envelope> {
  const { confirmedBy } = readOpening(envelope, trustedRoot);
  const person = personOf(signer, trustedRoot, now);
  if (person.id === confirmedBy.id) return countersign(envelope, signer);
  throw new CliError(
    'ERR_CLI_CONFIG',
    `the opening is for ${confirmedBy.id} to confirm; --key belongs to ${person.id}`,
  );
}

export async function signReseal(
  { record, opening }: KnownOpening,
  request: Writing & { readonly done: string; readonly seal: string | null },
): Promise<Envelope> {
  const { signer, trustedRoot, id, now, done, seal } = request;
  const resealedBy = personOf(signer, trustedRoot, now);
  const closing: BreakGlassClosing = {
    id,
    ...about(record, opening),
    done,
    seal,
    resealedBy,
    resealedAt: formatInstant(now),
  };
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, buildStatement(breakGlassClosing, subjectOf(record), closing), [signer]);
}

export async function signReview(
  { record, opening }: KnownOpening,
  request: Writing & Pick<BreakGlassReview, 'verdict' | 'findings'>,
): Promise<Envelope> {
  const { signer, trustedRoot, id, now, verdict, findings } = request;
  const reviewedBy = personOf(signer, trustedRoot, now);
  const review: BreakGlassReview = {
    id,
    ...about(record, opening),
    verdict,
    findings,
    reviewedBy,
    reviewedAt: formatInstant(now),
  };
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, buildStatement(breakGlassReview, subjectOf(record), review), [signer]);
}

/** From a record of the kind `break-glass-opening`. */
export function toKnownOpening(record: SiteRecordView, now: Instant): KnownOpening {
  const opening = parseStatement(breakGlassOpening, record.envelope.payload).predicate;
  const endsAt = parseInstant(opening.openedAt) + opening.minutes * MINUTE_MS;
  const state =
    record.state === 'open'
      ? now >= endsAt
        ? 'runOut'
        : 'open'
      : record.state === 'resealed'
        ? 'resealed'
        : 'reviewed';
  return { record, opening, state, endsAt };
}

export function formatOpening({
  place,
  scope,
  reason,
  ticket,
  requestedBy,
  confirmedBy,
  minutes,
}: BreakGlassOpening): string[] {
  return [
    `  where      ${place.station ?? 'every station'} of ${place.line}, ${place.plant}`,
    `  suspends   ${scope.join(', ')}`,
    `  for        ${minutes} minutes`,
    `  because    ${reason} (${ticket})`,
    `  asked by   ${requestedBy.id} (${requestedBy.role}), confirmed by ${confirmedBy.id} (${confirmedBy.role})`,
  ];
}

function about(
  record: SiteRecordView,
  { id, place }: BreakGlassOpening,
): Pick<BreakGlassClosing, 'openingId' | 'openingDigest' | 'place'> {
  return { openingId: id, openingDigest: { sha256: record.digest }, place };
}

function subjectOf({ digest }: SiteRecordView): {
  readonly name: string;
  readonly digest: { readonly sha256: string };
} {
  return { name: 'opening', digest: { sha256: digest } };
}

function personOf(signer: Signer, trustedRoot: TrustedRoot, now: Instant): BreakGlassOpening['requestedBy'] {
  const { keyid } = signer.publicKey;
  const found: TrustedKey | undefined = toTrustedKeys(trustedRoot).find(({ key }) => key.keyid === keyid);
  if (found === undefined || !isValidAt(found, now)) {
    throw new CliError('ERR_CLI_CONFIG', `--key is not the key of anybody in ${trustedRoot.name}, or not now`);
  }
  return { id: found.owner, role: found.role };
}
