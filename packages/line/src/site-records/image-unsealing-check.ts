// SPDX-License-Identifier: Apache-2.0
/** What must hold before a content key is handed out: a unit with a permit, once, judged by the rules of admission as they stand now. */
import { isDeepStrictEqual } from 'node:util';
import { parseInstant } from '@witnessmark/core';
import { toSealedImageReferences, type ImageUnsealing, type Permit } from '@witnessmark/attestation';
import { admit } from '../admission.ts';
import type { Claim } from '../claim.ts';
import { ensure } from '../error.ts';
import { gatherFacts } from '../facts.ts';
import { checkPermitTerm, openPermit } from '../intent-rules.ts';
import type { KnownRelease } from '../release-book.ts';
import { checkPlace, placeOf } from '../station-place.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck, type SiteRecordSubmission } from './check.ts';
import { imageUnsealingRule, readTransportKey } from './image-unsealing.ts';
import type { SiteRecord } from './rule.ts';

const checkUnsealing: SiteRecordCheck<ImageUnsealing> = async (record, submission) => {
  const { predicate } = record;
  const { now, signers, line, attachments } = submission;
  const [signer] = signers;
  line.keys().requireStation(signer);
  checkPlace(predicate.station, placeOf(signer, line.rules));
  const permit = openPermit(attachments.permit, predicate.permitDigest.sha256, line.keys().evidenceKeys(now));
  checkPermitFor(permit, predicate);
  checkPermitTerm(permit, now);
  const claim = toClaim(record);
  const { inForce } = admit(claim, await gatherFacts(claim, { station: signer.owner, now }, line));
  checkImages(predicate, inForce.release, submission);
  readTransportKey(predicate);
  await requireFirst(predicate, submission);
};

export const IMAGE_UNSEALING_CHECKS: readonly CheckedRule[] = [defineCheck(imageUnsealingRule, checkUnsealing)];

/** The unsealing as a claim, so that admission judges it as it judges the intent that will follow. */
function toClaim({ predicate, subject }: SiteRecord<ImageUnsealing>): Claim {
  const { identity, product, operator, release, requestedAt, clock, environment } = predicate;
  return {
    subject,
    identity,
    product,
    operator,
    releaseId: release.id,
    at: parseInstant(requestedAt),
    clock,
    environment,
  };
}

/** Throws LS-504 unless the permit is for this pass of this unit. */
function checkPermitFor(
  granted: Permit,
  { transactionId, identity, product, release, station, operator }: ImageUnsealing,
): void {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['transaction', granted.transactionId, transactionId],
    ['device', granted.deviceId, identity.deviceId],
    ['product', granted.product, product],
    ['release', granted.release.candidateDigest, release.candidateDigest],
    ['station', granted.station, station],
    ['operator', granted.operatorId, operator.id],
  ];
  for (const [what, expected, found] of pairs) {
    ensure(isDeepStrictEqual(expected, found), 'LS-504', `${what} ${JSON.stringify(expected)}`, JSON.stringify(found));
  }
}

/** Throws LS-506 when it asks for other images than the release has, BX-205 when this line cannot open them. */
function checkImages(
  { images, release }: ImageUnsealing,
  { manifest, candidateDigest }: KnownRelease,
  { line }: SiteRecordSubmission,
): void {
  ensure(
    release.candidateDigest.sha256 === candidateDigest,
    'LS-203',
    `release ${manifest.releaseId} as approved`,
    'another one',
  );
  const sealed = toSealedImageReferences(manifest);
  ensure(sealed.length > 0, 'LS-506', `a sealed release`, `${manifest.releaseId}, which is not sealed`);
  ensure(isDeepStrictEqual(images, sealed), 'LS-506', `the sealed images of ${manifest.releaseId}`, 'others');
  const keyid = line.unsealer?.keyid ?? null;
  const foreign = manifest.components.find(
    ({ sealed: envelope }) => envelope?.recipients.includes(keyid ?? '') === false,
  );
  ensure(keyid !== null, 'BX-205', 'a line with an unsealing key', 'none');
  ensure(
    foreign === undefined,
    'BX-205',
    `an envelope for ${keyid.slice(0, 16)}…`,
    `${foreign?.name ?? ''} for other keys`,
  );
}

/** A retry is found by its id before; the constraint of the views decides between two that come at once. */
async function requireFirst({ transactionId }: ImageUnsealing, { line }: SiteRecordSubmission): Promise<void> {
  const earlier = await line.views.siteRecordsRelatedTo(transactionId);
  const found = earlier.find(({ kind }) => kind === imageUnsealingRule.kind);
  ensure(
    found === undefined,
    'BX-213',
    `the first unsealing of ${transactionId}`,
    `one after ${found?.record_id ?? ''}`,
  );
}
