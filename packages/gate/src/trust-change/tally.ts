// SPDX-License-Identifier: Apache-2.0
/** Which decisions about a trust change count, and what is missing under the keys in force and under those to come. */
import {
  isValidAt,
  parseStatement,
  toTrustedKeys,
  trustApproval,
  type TrustApproval,
  type TrustedKey,
} from '@witnessmark/attestation';
import { findSigners, parseInstant, STATEMENT_PAYLOAD_TYPE, WitnessmarkError, type Envelope } from '@witnessmark/core';
import { missingHolders, rootKeysOf, toTufKey, type MetadataSignature, type MissingHolders } from '@witnessmark/trust';
import { countDecisions, type CountedDecisions, type OnceOnly } from '../count-decisions.ts';
import type { Judge } from '../status.ts';
import { holdersOf } from './next-trusted-root.ts';
import type { InspectedChange } from './inspection.ts';
import type { StoredChangeDecision } from './store.ts';

export interface ChangeDecision {
  readonly predicate: TrustApproval;
  readonly key: TrustedKey;
  readonly envelope: Envelope;
  readonly rootSignature: MetadataSignature | null;
  readonly targetsSignature: MetadataSignature | null;
  /** Why it does not count; null when it does. */
  readonly objection: string | null;
}

export interface ChangeTally extends CountedDecisions<ChangeDecision> {
  /** Holders still to sign; root is null when the root stays. */
  readonly missing: { readonly root: MissingHolders | null; readonly targets: MissingHolders };
  readonly isComplete: boolean;
}

const ONCE_ONLY: OnceOnly<ChangeDecision> = {
  alsoOnce: () => [],
  objection: 'the person or the card counted already',
};

/** Keys that may sign about a change: those in force, and those it brings. */
export function keysAbout({ document }: Pick<InspectedChange, 'document'>): readonly TrustedKey[] {
  return toTrustedKeys(document).filter(({ role }) => role === 'approver');
}

export function tallyChange(inspected: InspectedChange, judge: Judge): ChangeTally {
  const { root, targets, stored } = inspected;
  const { author } = judge.workspace;
  const keys = keysAbout(inspected);
  const found = stored.decisions.flatMap((decision) => readDecision(decision, inspected, keys, judge) ?? []);
  const counted = countDecisions(found, ONCE_ONLY);
  const signatures = (of: 'rootSignature' | 'targetsSignature'): MetadataSignature[] =>
    counted.approvals.flatMap((approval) => approval[of] ?? []);
  const missing = {
    root: root === null ? null : missingHolders(author.repository, root, root, signatures('rootSignature')),
    targets: missingHolders(author.repository, targets, root, signatures('targetsSignature')),
  };
  const isComplete = [missing.root, missing.targets].every((part) => part === null || part.before + part.after === 0);
  return { ...counted, missing, isComplete };
}

/** Null for what no approver, old or new, signed in their own name, or what is about something else. */
function readDecision(
  stored: StoredChangeDecision,
  inspected: InspectedChange,
  keys: readonly TrustedKey[],
  { workspace: { author }, now }: Judge,
): ChangeDecision | null {
  const { envelope } = stored;
  const [signer] =
    envelope.payloadType === STATEMENT_PAYLOAD_TYPE
      ? findSigners(
          envelope,
          keys.map(({ key }) => key),
        )
      : [];
  const statement = signer === undefined ? null : parseApproval(envelope);
  const key = keys.find((entry) => entry.key.keyid === signer?.keyid && entry.owner === statement?.predicate.holder.id);
  if (statement === null || key === undefined) return null;
  const { subject, predicate } = statement;
  if (subject[0].digest.sha256 !== inspected.digest || !isValidAt(key, parseInstant(predicate.approvedAt))) return null;
  const { root, targets } = inspected;
  const { rootSignature, targetsSignature } = stored;
  const isRoot = root !== null && rootSignature !== null && author.isRootSignature(root, rootSignature);
  const isTargets =
    targetsSignature !== null &&
    (root === null
      ? author.isTargetsSignature(targets, targetsSignature)
      : author.isTargetsSignatureUnder(root, targets, targetsSignature));
  const own = {
    rootSignature: isRoot && isOwnKey(rootSignature, key, inspected, author.rootKeys) ? rootSignature : null,
    targetsSignature:
      isTargets && isOwnKey(targetsSignature, key, inspected, author.rootKeys) ? targetsSignature : null,
  };
  return { predicate, key, envelope, ...own, objection: findObjection(predicate, key, own, inspected, now) };
}

function findObjection(
  predicate: TrustApproval,
  key: TrustedKey,
  own: Pick<ChangeDecision, 'rootSignature' | 'targetsSignature'>,
  { change }: InspectedChange,
  now: number,
): string | null {
  if (predicate.decision === 'deny') return null;
  if (!isValidAt(key, now)) return 'the key is not valid any more';
  if (key.owner === change.proposedBy.id) return 'who proposed it does not count';
  if (now >= parseInstant(predicate.expiresAt)) return 'it ran out';
  return own.rootSignature === null && own.targetsSignature === null ? 'no metadata is signed with it' : null;
}

/** A signature counts for the person who holds its key: nobody lends a root key. Unknown holders are let pass. */
function isOwnKey(
  { keyid }: MetadataSignature,
  { owner }: TrustedKey,
  { root, document }: InspectedChange,
  current: ReturnType<typeof rootKeysOf>,
): boolean {
  const roles = [current, ...(root === null ? [] : [rootKeysOf(root)])];
  const holders = roles.flatMap((keys) => [...keys.root.holders, ...keys.targets.holders]);
  const signing = holders.find(({ publicKey }) => toTufKey(publicKey).keyID === keyid);
  const holder = signing === undefined ? undefined : holdersOf(document).get(signing.publicKey.keyid);
  return holder === undefined || holder === owner || holder.startsWith('holder of ');
}

function parseApproval(envelope: Envelope): ReturnType<typeof parseStatement<TrustApproval>> | null {
  try {
    return parseStatement(trustApproval, envelope.payload);
  } catch (cause) {
    if (cause instanceof WitnessmarkError) return null;
    throw cause;
  }
}
