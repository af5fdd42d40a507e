// SPDX-License-Identifier: Apache-2.0
/** Keys that are kept worse than the policy asks for, roots that too few may sign, and approvals that only look like two. */
import type { ReasonCode } from '@witnessmark/core';
import { CALENDAR, CAST } from '../cast.ts';
import { byBadge, draftManifest } from '../drafts.ts';
import type { ApprovalPlan } from '../world.ts';
import { edit, scene, type ScenePlan, type VectorCase } from './scene.ts';

const FIRST: ApprovalPlan = { by: CAST.releaseApprover, at: CALENDAR.firstApprovalAt };
const SECOND: ApprovalPlan = { by: CAST.securityApprover, at: CALENDAR.secondApprovalAt };
const MINUTE_MS = 60_000;

export const CUSTODY_CASES: readonly VectorCase[] = [
  strict('attested-cards', 'Approved with two attested cards, under a root that two holders must sign.', null, {}),
  strict('built-by-somebody-else', 'The builder is named, and approved nothing.', null, {
    release: edit((draft) => ({ ...draft, builder: { id: 'ci-7' } })),
  }),
  strict('signed-in-by-badge', 'The policy asks for cards; the operator showed a badge.', 'EV-315', signedInByBadge()),
  strict('cooled-off', 'Approved in the first minute that counts.', null, {
    release: { approvals: [{ ...FIRST, at: CALENDAR.proposedAt + 30 * MINUTE_MS }, SECOND] },
  }),
  strict('production-class', 'The class is stated and is the one that is expected.', null, {
    release: { manifest: { ...draftManifest(), releaseClass: 'production' } },
  }),

  strict('approved-too-soon', 'A35: approved a minute before the cooling-off time was over.', 'EV-110', {
    release: { approvals: [{ ...FIRST, at: CALENDAR.proposedAt + 29 * MINUTE_MS }, SECOND] },
  }),
  refused('builder-approves', 'A26: one of the approvers built the image.', 'EV-110', {
    release: edit((draft) => ({ ...draft, builder: { id: CAST.securityApprover.owner } })),
  }),
  refused('one-card-two-people', 'A27: two people approved with two keys of one card.', 'EV-110', {
    release: { approvals: [FIRST, { by: CAST.borrowedCard, at: CALENDAR.secondApprovalAt }] },
  }),
  refused('debug-release', 'A37: a release for debugging, under a policy for production.', 'EV-310', {
    release: { manifest: { ...draftManifest(), releaseClass: 'debug' } },
  }),
  refused('rehearsal-key', 'A39: the key of the station was made in a rehearsal.', 'EV-307', fromRehearsal()),
  strict('custody-only-asserted', 'A39: nobody but its holder says that the approver key is in a token.', 'EV-308', {
    release: {
      approvals: [FIRST, SECOND, { by: CAST.qualityApprover, at: CALENDAR.secondApprovalAt }],
    },
  }),
  strict('root-of-one-holder', 'A33: under this root one holder alone could release.', 'EV-309', underRoot(5)),
  {
    ...strict('root-not-listed', 'The trusted root does not know the root the release was taken under.', null, {}),
    name: 'root-not-listed_unverified',
    verdict: 'NOT VERIFIED',
    code: 'EV-209',
    make: () => scene(underRoot(6)),
  },
];

function underRoot(rootVersion: number): ScenePlan {
  return {
    intent: edit((draft) => ({
      ...draft,
      release: { ...draft.release, tuf: { ...draft.release.tuf, rootVersion } },
    })),
  };
}

function signedInByBadge(): ScenePlan {
  const { key } = CAST.line;
  return { session: { ...edit((draft) => byBadge(draft, key.publicKey.keyid)), signers: [key] } };
}

function fromRehearsal(): ScenePlan {
  const { key, owner } = CAST.rehearsalStation;
  const signers = [key, CAST.line.key];
  return {
    session: edit((draft) => ({ ...draft, station: { ...draft.station, id: owner } })),
    intent: { signers },
    event: { signers },
  };
}

/** Under the policy that asks for everything. */
function strict(name: string, why: string, code: ReasonCode | null, plan: ScenePlan): VectorCase {
  const make = (): ReturnType<typeof scene> => scene(plan);
  if (code === null) return { name, why, verdict: 'VERIFIED', code, make, policy: 'strict-policy.json' };
  return { ...refused(name, why, code, plan), policy: 'strict-policy.json' };
}

function refused(name: string, why: string, code: ReasonCode, plan: ScenePlan): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, make: () => scene(plan) };
}
