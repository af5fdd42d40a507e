// SPDX-License-Identifier: Apache-2.0
/** Which decisions count. Each is judged by its signatures and the enrolled keys, never by where it was stored. */
import { isValidAt, type ReleaseApproval, type TrustedKey } from '@witnessmark/attestation';
import { parseInstant, type Envelope, type Instant } from '@witnessmark/core';
import {
  missingApprovals,
  readApproval,
  type ApprovalRule,
  type MetadataSignature,
  type MissingApprovals,
  type Requesters,
} from '@witnessmark/trust';
import { countDecisions, type CountedDecisions, type OnceOnly } from './count-decisions.ts';
import { checkKeyDemands, type KeyDemands } from './key-demands.ts';
import { refusalOf } from './refusal-of.ts';
import type { StoredDecision } from './promotion-store.ts';

/** A decision by an enrolled approver about this candidate. */
export interface Decision {
  readonly envelope: Envelope;
  readonly targetsSignature: MetadataSignature | null;
  readonly predicate: ReleaseApproval;
  readonly key: TrustedKey;
  /** Why it does not count towards the threshold; null when it does. */
  readonly objection: string | null;
}

export interface Tally extends CountedDecisions<Decision> {
  /** Null when the rule is fulfilled. */
  readonly missing: MissingApprovals | null;
}

interface TallyQuestion {
  readonly candidateDigest: string;
  readonly requesters: Requesters;
  /** Approvals made before do not count. */
  readonly countsFrom: Instant;
  /** What production asks of keys; null elsewhere. */
  readonly demands: KeyDemands | null;
  readonly keys: readonly TrustedKey[];
  readonly rule: ApprovalRule;
  /** Whether a holder of a targets key made this signature over the staged metadata. */
  readonly isTargetsSignature: (signature: MetadataSignature) => boolean;
  readonly now: Instant;
}

/** Two people cannot lend each other a targets key. */
const ONCE_ONLY: OnceOnly<Decision> = {
  alsoOnce: ({ targetsSignature }) => [`key ${targetsSignature?.keyid ?? ''}`],
  objection: 'the person, the card or the targets key counted already',
};

export function tallyDecisions(stored: readonly StoredDecision[], question: TallyQuestion): Tally {
  const found = stored.flatMap((decision) => readDecision(decision, question) ?? []);
  const counted = countDecisions(found, ONCE_ONLY);
  return { ...counted, missing: missingApprovals(counted.approvals, question.requesters, question.rule) };
}

/** Null for what no enrolled approver signed, or what is about something else. */
function readDecision(stored: StoredDecision, question: TallyQuestion): Decision | null {
  const approval = readApproval(stored.envelope, question.keys);
  if (approval?.statement.subject[0].digest.sha256 !== question.candidateDigest) return null;
  const { predicate } = approval.statement;
  return {
    ...stored,
    predicate,
    key: approval.key,
    objection: findObjection(stored, predicate, approval.key, question),
  };
}

function findObjection(
  { targetsSignature }: StoredDecision,
  predicate: ReleaseApproval,
  key: TrustedKey,
  { requesters, countsFrom, demands, isTargetsSignature, now }: TallyQuestion,
): string | null {
  // A denial stands, whatever became of its maker since.
  if (predicate.decision === 'deny') return null;
  if (!isValidAt(key, now)) return 'the key is not valid any more';
  if (key.owner === requesters.author) return 'the author does not count';
  if (key.owner === requesters.builder) return 'the builder does not count';
  if (parseInstant(predicate.approvedAt) < countsFrom) return 'it came before the cooling-off time was over';
  if (now >= parseInstant(predicate.expiresAt)) return 'it ran out';
  const refusal = demands === null ? null : refusalOf(() => checkKeyDemands(key, null, demands));
  if (refusal !== null) return refusal.message;
  const isSigned = targetsSignature === null ? false : isTargetsSignature(targetsSignature);
  return isSigned ? null : 'the targets metadata is not signed with it';
}
