// SPDX-License-Identifier: Apache-2.0
/** Where a trust change stands; computed from signatures, the repository and the clock, stored nowhere. */
import {
  formatInstant,
  parseInstant,
  RefusedError,
  sha256Hex,
  type CustodyGrade,
  type ReasonCode,
} from '@witnessmark/core';
import { TRUSTED_ROOT_PATH } from '@witnessmark/trust';
import { STATE_OF_CODE, toEligible, type EligiblePerson, type Judge } from '../status.ts';
import { refusalOf } from '../refusal-of.ts';
import type { Workspace } from '../workspace.ts';
import type { InspectedChange } from './inspection.ts';
import { keysAbout, tallyChange, type ChangeTally } from './tally.ts';

export type TrustChangeState = 'waiting' | 'approved' | 'published' | 'denied' | 'expired' | 'overtaken' | 'void';

export interface ChangeDecisionSummary {
  readonly person: string;
  readonly decision: 'approve' | 'deny';
  readonly signed: readonly ('root' | 'targets')[];
  readonly meaning: string;
  readonly ticket: string;
  readonly decidedAt: string;
  readonly custodyGrade: CustodyGrade;
  readonly objection: string | null;
}

export interface TrustChangeStatus {
  readonly changeId: string;
  readonly state: TrustChangeState;
  /** What a signature now would be refused with; null when it would not. */
  readonly code: ReasonCode | null;
  readonly detail: string;
  /** SHA-256 of the change statement's payload; null when it cannot be told any more. */
  readonly digest: string | null;
  readonly proposedBy: string | null;
  readonly ticket: string | null;
  readonly reason: string | null;
  readonly expiresAt: string | null;
  readonly trustedRootVersion: number | null;
  readonly rootVersion: number | null;
  readonly decisions: readonly ChangeDecisionSummary[];
  /** Holders still to sign, under the keys in force and under those to come. */
  readonly missing: ChangeTally['missing'] | null;
  readonly eligible: readonly EligiblePerson[];
}

/** `begun`: everything but the root is written, which comes last; publishing again finishes it. */
export function publicationOf(
  { stored, root }: InspectedChange,
  { author }: Pick<Workspace, 'author'>,
): 'none' | 'begun' | 'done' {
  if (author.listTargets().get(TRUSTED_ROOT_PATH)?.sha256 !== sha256Hex(stored.document)) return 'none';
  return root === null || author.state.rootVersion >= root.version ? 'done' : 'begun';
}

/** Throws PL-107, PL-104 or PL-115: what stands in the way of any further signature. */
export function checkChangeOpen(inspected: InspectedChange, tally: ChangeTally, { workspace, now }: Judge): void {
  const { changeId, change, targets, document, root } = inspected;
  if (tally.denial !== null) {
    const { holder, meaning } = tally.denial.predicate;
    throw new RefusedError('PL-107', `${changeId} was denied by ${holder.id}: ${meaning}`);
  }
  if (now >= parseInstant(change.expiresAt)) {
    throw new RefusedError('PL-104', `${changeId} ran out at ${change.expiresAt}; it is ${formatInstant(now)}`);
  }
  const { state, repository } = workspace.author;
  const isNext =
    targets.version === state.targetsVersion + 1 &&
    document.version === workspace.trustedRoot.version + 1 &&
    (root === null || root.version === repository.root.signed.version + 1);
  if (!isNext) throw new RefusedError('PL-115', `${changeId} does not follow what is published now`);
}

const PUBLICATION_DETAILS = { none: null, begun: 'all but the root is written; publish it again', done: 'published' };

export function describeChange(inspected: InspectedChange, judge: Judge): TrustChangeStatus {
  const { changeId, change, digest, root, document } = inspected;
  const tally = tallyChange(inspected, judge);
  const publication = publicationOf(inspected, judge.workspace);
  const objection =
    publication === 'none'
      ? refusalOf(() => {
          checkChangeOpen(inspected, tally, judge);
        })
      : null;
  const state = publication === 'done' ? 'published' : toState(objection, tally);
  return {
    changeId,
    state,
    code: objection?.code ?? null,
    detail: PUBLICATION_DETAILS[publication] ?? objection?.message ?? describeMissing(tally),
    digest,
    proposedBy: change.proposedBy.id,
    ticket: change.ticket,
    reason: change.reason,
    expiresAt: change.expiresAt,
    trustedRootVersion: document.version,
    rootVersion: root?.version ?? null,
    decisions: tally.decisions.map(({ predicate, key, rootSignature, targetsSignature, objection: why }) => ({
      person: key.owner,
      decision: predicate.decision,
      signed: [
        ...(rootSignature === null ? [] : (['root'] as const)),
        ...(targetsSignature === null ? [] : (['targets'] as const)),
      ],
      meaning: predicate.meaning,
      ticket: predicate.ticket,
      decidedAt: predicate.approvedAt,
      custodyGrade: key.custodyGrade,
      objection: why,
    })),
    missing: tally.isComplete ? null : tally.missing,
    eligible: state === 'waiting' ? findEligible(inspected, tally, judge) : [],
  };
}

/** The status of a change whose bytes do not agree any more. */
export function describeVoidChange(changeId: string, { code, message }: RefusedError): TrustChangeStatus {
  return {
    changeId,
    state: 'void',
    code,
    detail: message,
    digest: null,
    proposedBy: null,
    ticket: null,
    reason: null,
    expiresAt: null,
    trustedRootVersion: null,
    rootVersion: null,
    decisions: [],
    missing: null,
    eligible: [],
  };
}

function toState(objection: RefusedError | null, tally: ChangeTally): TrustChangeState {
  if (objection !== null) return STATE_OF_CODE[objection.code] ?? 'void';
  return tally.isComplete ? 'approved' : 'waiting';
}

function describeMissing({ isComplete, missing }: ChangeTally): string {
  if (isComplete) return 'enough holders signed';
  const parts = Object.entries(missing).flatMap(([role, part]) =>
    part === null || part.before + part.after === 0
      ? []
      : [`${role}: ${part.before} more of the present holders, ${part.after} more of the next`],
  );
  return parts.join('; ');
}

function findEligible(inspected: InspectedChange, tally: ChangeTally, { now }: Judge): readonly EligiblePerson[] {
  const done = new Set([inspected.change.proposedBy.id, ...tally.approvals.map(({ key }) => key.owner)]);
  return toEligible(keysAbout(inspected), done, now);
}
