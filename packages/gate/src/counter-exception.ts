// SPDX-License-Identifier: Apache-2.0
/** A recorded exception for a security counter that falls (A36): asked for by an author, allowed by two other people, for one image. */
import {
  counterException,
  isValidAt,
  parseStatement,
  type CounterException,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  findSigners,
  formatInstant,
  parseInstant,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  WitnessmarkError,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { GATE_LIMITS } from './limits.ts';
import type { Promotion } from './inspection.ts';

/** An exception with who stands behind it. */
export interface SignedException {
  readonly predicate: CounterException;
  /** SHA-256 of its payload. */
  readonly digest: string;
  /** SHA-256 of the one image it is for. */
  readonly imageDigest: string;
  /** Null unless its requester signed it, with an author's key. */
  readonly author: TrustedKey | null;
  /** Approvers who signed it, each person and each card once, the requester never. */
  readonly approvers: readonly TrustedKey[];
}

/** Reads an exception; throws PL-121 for what is none. */
export function readException(envelope: Envelope, keys: readonly TrustedKey[]): SignedException {
  const enrolled = keys.filter(({ role }) => role === 'author' || role === 'approver');
  const signers =
    envelope.payloadType === STATEMENT_PAYLOAD_TYPE
      ? findSigners(
          envelope,
          enrolled.map(({ key }) => key),
        )
      : [];
  const signed = enrolled.filter(({ key }) => signers.some(({ keyid }) => keyid === key.keyid));
  if (signed.length === 0) throw new RefusedError('PL-121', 'nobody who is enrolled signed the exception');
  const { subject, predicate } = parse(envelope);
  const at = parseInstant(predicate.requestedAt);
  const valid = signed.filter((key) => isValidAt(key, at));
  const author = valid.find(({ role, owner }) => role === 'author' && owner === predicate.requestedBy.id) ?? null;
  const approvers: TrustedKey[] = [];
  for (const key of valid.filter(({ role, owner }) => role === 'approver' && owner !== predicate.requestedBy.id)) {
    const isCounted = approvers.some(
      ({ owner, token }) => owner === key.owner || (token !== null && token.serial === key.token?.serial),
    );
    if (!isCounted) approvers.push(key);
  }
  return { predicate, digest: sha256Hex(envelope.payload), imageDigest: subject[0].digest.sha256, author, approvers };
}

/** Throws PL-121 for an exception that does not hold now, whatever it is to be used for. */
export function checkException({ predicate, author, approvers }: SignedException, now: Instant): void {
  const { exceptionId, requestedBy, expiresAt } = predicate;
  if (author === null)
    throw new RefusedError('PL-121', `${requestedBy.id} did not ask for ${exceptionId} with an own key`);
  if (approvers.length < GATE_LIMITS.exceptionApprovers) {
    throw new RefusedError(
      'PL-121',
      `${exceptionId} has ${approvers.length} of ${GATE_LIMITS.exceptionApprovers} approvers`,
    );
  }
  if (now >= parseInstant(expiresAt)) {
    throw new RefusedError('PL-121', `${exceptionId} ran out at ${expiresAt}; it is ${formatInstant(now)}`);
  }
}

/** The exception a promotion rests on, or null when it names none; throws PL-121. */
export function exceptionOf(promotion: Promotion, keys: readonly TrustedKey[], now: Instant): SignedException | null {
  const { exception } = promotion.stored;
  if (promotion.candidate.counterException === undefined || exception === null) return null;
  const signed = readException(exception, keys);
  checkException(signed, now);
  const requesters = [promotion.authorKey.owner, promotion.candidate.builder?.id];
  const own = signed.approvers.find(({ owner }) => requesters.includes(owner));
  if (own !== undefined) throw new RefusedError('PL-121', `${own.owner} asked for the release the exception is for`);
  return signed;
}

function parse(envelope: Envelope): ReturnType<typeof parseStatement<CounterException>> {
  try {
    return parseStatement(counterException, envelope.payload);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new RefusedError('PL-121', `it is no exception: ${cause.message}`, { cause });
  }
}
