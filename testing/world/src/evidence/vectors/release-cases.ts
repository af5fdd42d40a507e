// SPDX-License-Identifier: Apache-2.0
/** Releases that were not approved as a release must be, and units that got something else than was approved. */
import { formatInstant, type ReasonCode } from '@witnessmark/core';
import type { ProvisioningIntent } from '@witnessmark/attestation';
import { CALENDAR, CAST } from '../cast.ts';
import { draftManifest } from '../drafts.ts';
import type { ApprovalPlan, ReleasePlan } from '../world.ts';
import { DEVICE, edit, OTHER_DEVICE, play, scene, tampered, toMade, type VectorCase } from './scene.ts';

const FIRST: ApprovalPlan = { by: CAST.releaseApprover, at: CALENDAR.firstApprovalAt };
const SECOND: ApprovalPlan = { by: CAST.securityApprover, at: CALENDAR.secondApprovalAt };
const HOUR_MS = 60 * 60 * 1000;
const LATE = formatInstant(CALENDAR.proposalExpiresAt + 2 * HOUR_MS);

export const RELEASE_CASES: readonly VectorCase[] = [
  approved('one-approval', 'One person approved, two are needed.', { approvals: [SECOND] }),
  approved('one-person-two-keys', 'A27: one person approved twice, with two cards.', {
    approvals: [FIRST, { by: CAST.secondCard, at: CALENDAR.secondApprovalAt }],
  }),
  approved('one-key-twice', 'A28: one key signed two approvals.', {
    approvals: [SECOND, { ...SECOND, at: CALENDAR.firstApprovalAt }],
  }),
  approved('one-person-twice-of-three', 'A28: two people approved, one of them twice.', {
    approvals: [FIRST, SECOND, { ...SECOND, at: CALENDAR.firstApprovalAt }],
  }),
  approved('author-approves', 'A26: the author is one of the approvers.', {
    approvals: [FIRST, { by: CAST.authorAsApprover, at: CALENDAR.secondApprovalAt }],
  }),
  approved('role-missing', 'Nobody approved in the role security.', {
    approvals: [FIRST, { by: CAST.qualityApprover, at: CALENDAR.secondApprovalAt }],
  }),
  approved('role-not-held', 'A release approver signed as security.', {
    approvals: [FIRST, { by: { ...CAST.qualityApprover, scope: 'security' }, at: CALENDAR.secondApprovalAt }],
  }),
  approved('approved-in-the-name-of-another', 'The quality approver signed an approval in the name of security.', {
    approvals: [FIRST, { ...SECOND, signers: [CAST.qualityApprover.key] }],
  }),
  approved('approved-by-a-station', 'A key that is trusted, but not for approvals, signed one.', {
    approvals: [FIRST, { ...SECOND, signers: [CAST.station.key] }],
  }),
  approved('denied', 'Three people were asked, and one denied.', {
    approvals: [
      FIRST,
      SECOND,
      { by: CAST.qualityApprover, at: CALENDAR.secondApprovalAt, edit: (draft) => ({ ...draft, decision: 'deny' }) },
    ],
  }),
  approved('approved-too-late', 'The proposal had expired before the second approval.', {
    approvals: [
      FIRST,
      { ...SECOND, at: CALENDAR.proposalExpiresAt + HOUR_MS, edit: (draft) => ({ ...draft, expiresAt: LATE }) },
    ],
  }),
  approved('approved-too-early', 'An approval is older than the proposal.', {
    approvals: [{ ...FIRST, at: CALENDAR.proposedAt - HOUR_MS }, SECOND],
  }),
  approved('approval-dead-on-arrival', 'An approval had expired when it was made.', {
    approvals: [
      FIRST,
      { ...SECOND, edit: (draft) => ({ ...draft, expiresAt: formatInstant(CALENDAR.secondApprovalAt - 1) }) },
    ],
  }),
  approved('approval-lapsed', 'The first approval had expired before the second was given.', {
    approvals: [
      { ...FIRST, edit: (draft) => ({ ...draft, expiresAt: formatInstant(CALENDAR.secondApprovalAt - 1) }) },
      SECOND,
    ],
  }),
  approved('approval-of-another-promotion', 'An approval names another promotion.', {
    approvals: [FIRST, { ...SECOND, edit: (draft) => ({ ...draft, promotionId: 'P-0001' }) }],
  }),
  approved('approval-of-another-release', 'An approval names another release.', {
    approvals: [FIRST, { ...SECOND, edit: (draft) => ({ ...draft, releaseId: 'gateway-4.1.0' }) }],
  }),
  approved('candidate-not-by-an-author', 'An approver, not an author, signed the candidate.', {
    signers: [CAST.qualityApprover.key],
  }),
  approved('candidate-about-another-manifest', 'The candidate is about another manifest than it holds.', {
    subject: { name: 'release.json', digest: { sha256: DEVICE.deviceId } },
  }),
  refused(
    'EV-110',
    'changed-after-approval',
    'A30: the author changed and signed the candidate anew after approval.',
    async () => {
      const { release } = await play();
      return scene({ release: { edit: (draft) => ({ ...draft, reason: 'one word changed' }), approved: release } });
    },
  ),
  untold('candidate-missing', 'The release that the records name is not in the file.', () =>
    tampered((evidence) => ({ ...evidence, releases: [] })),
  ),
  untold('approvals-missing', 'The candidate is in the file, its approvals are not.', () =>
    tampered((evidence) => ({
      ...evidence,
      releases: evidence.releases.map((release) => ({ ...release, approvals: [] })),
    })),
  ),
  {
    name: 'trusted-root-with-one-key-twice_unverified',
    why: 'A34: the trusted root lists one key for two people; it cannot be used.',
    verdict: 'NOT VERIFIED',
    code: 'EV-205',
    trustedRoot: 'trusted-root-one-key-twice.json',
    make: () => scene({}),
  },

  refused('EV-111', 'release-nobody-names', 'An approved release is in the file that no record names.', async () => {
    const { world, unit } = await play();
    const other = await world.release({ manifest: draftManifest('gateway-4.1.0', 40) });
    unit.releases.push(other.evidence);
    return toMade(await world.evidence(unit));
  }),
  differs('image-not-approved', 'Station, line and measurement agree on an image that nobody approved.', (draft) => ({
    ...draft,
    components: draft.components.map((part) => ({
      ...part,
      image: { ...part.image, digest: { sha256: OTHER_DEVICE.deviceId } },
    })),
  })),
  differs('image-length-differs', 'The image is longer than the approved one.', (draft) => ({
    ...draft,
    components: draft.components.map((part) => ({ ...part, image: { ...part.image, length: 2 * part.image.length } })),
  })),
  differs('component-not-approved', 'A second component was programmed that the release does not have.', (draft) => ({
    ...draft,
    components: [...draft.components, { ...draft.components[0]!, name: 'extra' }],
  })),
  differs('component-renamed', 'The one component is not the one that the release has.', (draft) => ({
    ...draft,
    components: draft.components.map((part) => ({ ...part, name: 'extra' })),
  })),
  differs('other-version-of-the-release', 'The records name another version than the approved one.', (draft) => ({
    ...draft,
    release: { ...draft.release, version: '4.2.1' },
  })),
  differs('release-counter-differs', 'The records claim a higher release counter than the approved one.', (draft) => ({
    ...draft,
    release: { ...draft.release, releaseCounter: 43 },
  })),
  differs('hardware-not-covered', 'The release is not for this version of the hardware.', (draft) => ({
    ...draft,
    product: { ...draft.product, hwVersion: 'A' },
  })),
  differs('recipe-not-approved', 'Another recipe was used than the approved one.', (draft) => ({
    ...draft,
    recipe: { ...draft.recipe, version: '2' },
  })),
  differs('work-order-not-in-effect', 'The release was approved for another work order.', (draft) => ({
    ...draft,
    product: { ...draft.product, workOrder: 'WO-9999' },
  })),
  differs('trust-metadata-expired', 'A32: the trust metadata of the station had expired.', (draft) => ({
    ...draft,
    release: {
      ...draft.release,
      tuf: { ...draft.release.tuf, timestampExpiresAt: formatInstant(CALENDAR.intendedAt - 1) },
    },
  })),
  refused(
    'EV-111',
    'component-version-differs',
    'The event claims another version of the component than approved.',
    () =>
      scene({
        event: edit((event) => ({
          ...event,
          components: event.components.map((part) => ({ ...part, version: '4.2.1' })),
        })),
      }),
  ),
  refused('EV-111', 'security-counter-differs', 'The event claims another security counter than approved.', () =>
    scene({
      event: edit((event) => ({
        ...event,
        components: event.components.map((part) => ({ ...part, securityCounter: part.securityCounter + 1 })),
      })),
    }),
  ),
  refused('EV-111', 'key-missing', 'The recipe demands a key, and none was made.', () =>
    scene({
      release: {
        manifest: {
          ...draftManifest(),
          recipe: { name: 'spi-nor', version: '3', steps: ['program', 'measure', 'key', 'lock'] },
        },
      },
    }),
  ),
  refused(
    'EV-111',
    'hardware-not-in-effect',
    'The release is for this hardware, the approved effectivity is not.',
    () =>
      scene({
        release: {
          edit: (candidate) => ({ ...candidate, effectivity: { ...candidate.effectivity, hwVersions: ['B'] } }),
        },
      }),
  ),
  refused('EV-111', 'effectivity-for-another-release', 'The approved effectivity is for another release.', () =>
    scene({
      release: {
        edit: (candidate) => ({
          ...candidate,
          effectivity: { ...candidate.effectivity, releaseId: 'gateway-4.1.0' },
        }),
      },
    }),
  ),
  refused('EV-111', 'not-yet-in-effect', 'The unit was programmed before the release came into effect.', () =>
    scene({
      release: {
        edit: (candidate) => ({
          ...candidate,
          effectivity: { ...candidate.effectivity, validFrom: formatInstant(CALENDAR.intendedAt + HOUR_MS) },
        }),
      },
    }),
  ),
  refused('EV-111', 'no-longer-in-effect', 'The unit was programmed after the release had gone out of effect.', () =>
    scene({
      release: {
        edit: (candidate) => ({
          ...candidate,
          effectivity: { ...candidate.effectivity, validUntil: formatInstant(CALENDAR.intendedAt) },
        }),
      },
    }),
  ),
];

function approved(name: string, why: string, release: ReleasePlan): VectorCase {
  return refused('EV-110', name, why, () => scene({ release }));
}

/** Changes the intent, and with it the event that follows from it. */
function differs(name: string, why: string, change: (draft: ProvisioningIntent) => ProvisioningIntent): VectorCase {
  return refused('EV-111', name, why, () => scene({ intent: edit(change) }));
}

function refused(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, make };
}

function untold(name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_unverified`, why, verdict: 'NOT VERIFIED', code: 'EV-206', make };
}
