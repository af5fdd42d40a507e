// SPDX-License-Identifier: Apache-2.0
/** What must hold for an intent besides admission: a permit of this line for exactly this, and the release's own recipe and images. */
import { isDeepStrictEqual } from 'node:util';
import {
  parseInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import {
  parseStatement,
  permit,
  toComponentReferences,
  toRecipeReference,
  type Permit,
  type ProvisioningIntent,
  type ReleaseManifest,
  type ReleaseReference,
} from '@witnessmark/attestation';
import type { Grant } from './admission.ts';
import type { Claim } from './claim.ts';
import { ensure, LineRefusal } from './error.ts';
import { toLabelSerial } from './projection/unit.ts';
import { checkPlace, type StationPlace } from './station-place.ts';
import type { ReadIntent } from './statements.ts';

/** Reads the permit an intent or an unsealing came with. Throws LS-504 when there is none, or none of this line. */
export function openPermit(
  envelope: Envelope | undefined,
  /** The digest the statement names. */
  expected: string,
  evidenceKeys: readonly PublicKey[],
): Permit {
  if (envelope === undefined) throw new LineRefusal('LS-504', 'the permit along with the statement', 'none');
  const digest = sha256Hex(envelope.payload);
  ensure(digest === expected, 'LS-504', `the permit the statement names (${expected})`, digest);
  try {
    verifyEnvelope(envelope, { keys: evidenceKeys, threshold: 1, payloadType: STATEMENT_PAYLOAD_TYPE });
    return parseStatement(permit, envelope.payload).predicate;
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    throw new LineRefusal('LS-504', 'a permit signed by this line', `${error.code}: ${error.message}`, error);
  }
}

/** Throws LS-504 unless the permit covers the intent now. */
export function checkPermit(granted: Permit, intent: ProvisioningIntent, place: StationPlace, now: Instant): void {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['transaction', granted.transactionId, intent.event.transactionId],
    ['device', granted.deviceId, intent.identity.deviceId],
    ['serial', granted.labelSerial, toLabelSerial(intent.identity, intent.product.sku)],
    ['product', granted.product, intent.product],
    // The station may have read a newer or older mirror; the release itself must be the one that was granted.
    ['release', toRelease(granted.release), toRelease(intent.release)],
    ['station', granted.station, place],
    ['start of the station', granted.startDigest ?? null, intent.station.startDigest ?? null],
    ['operator', granted.operatorId, intent.operator.id],
    [
      'place in the chain',
      granted.chain,
      { nextSeq: intent.event.seq, previousEventDigest: intent.event.previousEventDigest },
    ],
    ['attempt', granted.attempt, intent.attempt],
    ['break-glass mark', granted.breakGlass ?? null, intent.environment.breakGlass],
  ];
  for (const [what, expected, found] of pairs) {
    ensure(isDeepStrictEqual(expected, found), 'LS-504', `${what} ${describe(expected)}`, describe(found));
  }
  checkPermitTerm(granted, now);
}

/** Throws LS-504 unless the permit runs. */
export function checkPermitTerm({ issuedAt, expiresAt }: Permit, now: Instant): void {
  ensure(
    parseInstant(issuedAt) <= now && now < parseInstant(expiresAt),
    'LS-504',
    'a permit that runs',
    `one from ${issuedAt} until ${expiresAt}`,
  );
}

/** The intent as a claim, so that admission judges it once more as it was when the permit was given. */
export function toClaim({ predicate, subject }: ReadIntent): Claim {
  const { identity, product, operator, release, timing, environment, station, event } = predicate;
  return {
    subject,
    identity,
    product,
    operator,
    slot: station.slot,
    retestReason: event.reason,
    releaseId: release.id,
    at: parseInstant(timing.intendedAt),
    clock: timing.clock,
    environment,
  };
}

/** Throws LS-506 when the intent is not the release's recipe and images, or is not the plain first step of a pass. */
export function checkIntent(intent: ProvisioningIntent, { inForce, chain, attempt }: Grant, place: StationPlace): void {
  const { manifest } = inForce.release;
  checkPlace(intent.station, place);
  ensure(
    intent.event.type === 'provision',
    'LS-506',
    'an event of type provision; anything else needs an order',
    intent.event.type,
  );
  ensure(
    intent.event.seq === chain.nextSeq &&
      isDeepStrictEqual(intent.event.previousEventDigest, chain.previousEventDigest),
    'LS-106',
    `event ${chain.nextSeq} after ${chain.previousEventDigest?.sha256.slice(0, 16) ?? 'none'}`,
    `event ${intent.event.seq}`,
  );
  ensure(intent.attempt === attempt, 'LS-106', `attempt ${attempt}`, `${intent.attempt}`);
  checkRecipe(intent, manifest);
}

function checkRecipe(intent: ProvisioningIntent, manifest: ReleaseManifest): void {
  ensure(
    isDeepStrictEqual(intent.recipe, toRecipeReference(manifest)),
    'LS-506',
    `recipe ${manifest.recipe.name} ${manifest.recipe.version} of ${manifest.releaseId}`,
    `${intent.recipe.name} ${intent.recipe.version}, digest ${intent.recipe.digest.sha256.slice(0, 16)}…`,
  );
  ensure(
    isDeepStrictEqual(intent.components, toComponentReferences(manifest)),
    'LS-506',
    `the components of ${manifest.releaseId}`,
    intent.components.map(({ name, image }) => `${name} ${image.digest.sha256.slice(0, 16)}…`).join(', '),
  );
}

function toRelease({ id, version, releaseCounter, candidateDigest }: ReleaseReference): unknown {
  return { id, version, releaseCounter, candidateDigest };
}

function describe(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
