// SPDX-License-Identifier: Apache-2.0
/** Counting decisions, of a promotion or of a trust change: nobody counts twice, and nobody lends what they sign with. */
import type { TrustedKey } from '@witnessmark/attestation';
import { parseInstant } from '@witnessmark/core';

interface CountableDecision {
  readonly predicate: { readonly decision: 'approve' | 'deny'; readonly approvedAt: string };
  readonly key: TrustedKey;
  /** Why it does not count; null when it does. */
  readonly objection: string | null;
}

export interface CountedDecisions<Decision> {
  /** Every decision that its signature vouches for, oldest first. */
  readonly decisions: readonly Decision[];
  readonly approvals: readonly Decision[];
  readonly denial: Decision | null;
}

export interface OnceOnly<Decision> {
  /** What counts once besides the person and the card. */
  readonly alsoOnce: (decision: Decision) => readonly string[];
  /** The objection to a second time. */
  readonly objection: string;
}

/** The earlier decision counts. */
export function countDecisions<Decision extends CountableDecision>(
  found: readonly Decision[],
  onceOnly: OnceOnly<Decision>,
): CountedDecisions<Decision> {
  const used = new Set<string>();
  const decisions = found
    .toSorted((left, right) => parseInstant(left.predicate.approvedAt) - parseInstant(right.predicate.approvedAt))
    .map((decision) => countOnce(decision, used, onceOnly));
  return {
    decisions,
    approvals: decisions.filter(({ predicate, objection }) => predicate.decision === 'approve' && objection === null),
    denial: decisions.find(({ predicate }) => predicate.decision === 'deny') ?? null,
  };
}

function countOnce<Decision extends CountableDecision>(
  decision: Decision,
  used: Set<string>,
  { alsoOnce, objection }: OnceOnly<Decision>,
): Decision {
  if (decision.objection !== null || decision.predicate.decision === 'deny') return decision;
  const { owner, token } = decision.key;
  const names = [`person ${owner}`, ...alsoOnce(decision), ...(token === null ? [] : [`card ${token.serial}`])];
  if (names.some((name) => used.has(name))) return { ...decision, objection };
  for (const name of names) used.add(name);
  return decision;
}
