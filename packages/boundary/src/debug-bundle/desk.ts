// SPDX-License-Identifier: Apache-2.0
/**
 * The office's desk for debug bundles (spec/debug-bundle.md): somebody asks, two other people agree, the files are sealed to the
 * named recipients. Between the calls it remembers signed statements only; the contents are examined anew each time, and
 * plaintext is never written.
 */
import {
  buildStatement,
  debugBundle,
  type DebugBundleDecision,
  type DebugBundleProposal,
  type DebugBundleSeal,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  formatInstant,
  parseInstant,
  RefusedError,
  type Bytes,
  type Clock,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { nodeFiles, type BoundaryFiles } from '../files.ts';
import type { Medium } from '../medium/medium.ts';
import { toTree } from '../medium/tree-digest.ts';
import { findPersonKey, signStatement } from '../people.ts';
import { encryptFor } from './age.ts';
import { BundleStore, type StoredBundle } from './bundle-store.ts';
import { sealCopies } from './copies.ts';
import { gatherContents, toPolicyDigests, type ContentPolicies, type GatheredContents } from './contents.ts';
import {
  APPROVER_ROLES,
  formatStatements,
  judgeDecisions,
  readProposal,
  REQUESTER_ROLES,
  REQUIRED_APPROVALS,
  type BundleStatements,
} from './statements.ts';

const HOUR_MS = 3600 * 1000;
/** How long an approval counts, as at the promotion gate. */
const APPROVAL_LIFETIME_MS = 72 * HOUR_MS;
/** A bundle for debugging is for days, not for an archive. */
export const MAX_BUNDLE_LIFETIME_MS: number = 30 * 24 * HOUR_MS;
const MIN_DIGEST_PREFIX = 4;

export interface DebugBundleDeskOptions {
  readonly directory: string;
  readonly keys: readonly TrustedKey[];
  readonly clock: Clock;
  /** 16 unpredictable bytes at each call. */
  readonly newWatermark: () => Bytes;
  /** Resolves when a statement is durable in the office's log; what cannot be recorded does not happen. */
  readonly record: (envelope: Envelope) => Promise<void>;
  readonly files?: BoundaryFiles;
}

export interface BundleRequest {
  readonly source: Medium;
  readonly policies: ContentPolicies;
  readonly recipients: DebugBundleProposal['recipients'];
  readonly expiresAt: Instant;
  readonly purpose: string;
  readonly ticket: string;
  /** The number of an earlier bundle, when this is the same for others. */
  readonly reseals: string | null;
  readonly signer: Signer;
}

export interface BundleDecision {
  readonly bundleId: string;
  readonly act: DebugBundleDecision['act'];
  readonly meaning: string;
  readonly ticket: string;
  /** The first characters of the proposal's digest, as the approver read them; not needed to deny. */
  readonly typedDigestPrefix: string;
  readonly signer: Signer;
}

export interface SealRequest {
  readonly bundleId: string;
  readonly source: Medium;
  readonly policies: ContentPolicies;
  readonly signer: Signer;
}

export type BundleState = 'waiting' | 'approved' | 'denied' | 'expired' | 'sealed';

export interface BundleStatus extends BundleStatements {
  readonly bundleId: string;
  readonly state: BundleState;
  readonly seal: Envelope | null;
}

export interface SealedBundle {
  readonly directory: string;
  readonly predicate: DebugBundleSeal;
}

export class DebugBundleDesk {
  readonly #options: DebugBundleDeskOptions;
  readonly #store: BundleStore;

  constructor(options: DebugBundleDeskOptions) {
    this.#options = options;
    this.#store = new BundleStore(options.directory, options.files ?? nodeFiles);
  }

  /** Throws BX-135 for who may not ask, `ContentsRefused` for what may not be in it, BX-139 for an unknown earlier bundle. */
  async propose(request: BundleRequest): Promise<BundleStatus> {
    const now = this.#options.clock.now();
    const key = findPersonKey(request.signer, this.#options.keys, REQUESTER_ROLES, now, 'BX-135');
    if (request.expiresAt <= now || request.expiresAt > now + MAX_BUNDLE_LIFETIME_MS) {
      throw new RefusedError('BX-134', 'a debug bundle is for at most 30 days, beginning now');
    }
    const reseals = request.reseals === null ? null : (await this.status(request.reseals)).proposal.digest;
    const gathered = await gatherContents(request.source, request.policies);
    // A proposal that nobody could be encrypted to would be found out after the approvals.
    for (const { recipient } of request.recipients) await encryptFor(recipient, new Uint8Array(0));
    const bundleId = await this.#store.nextId();
    const proposal: DebugBundleProposal = {
      act: 'propose',
      bundleId,
      requester: { id: key.owner, role: key.role },
      recipients: request.recipients,
      contents: gathered.contents,
      policies: toPolicyDigests(request.policies),
      reseals: reseals === null ? null : { sha256: reseals },
      purpose: request.purpose,
      ticket: request.ticket,
      proposedAt: formatInstant(now),
      expiresAt: formatInstant(request.expiresAt),
    };
    const subject = { name: 'contents', digest: { sha256: gathered.tree.digest } };
    const envelope = await signStatement(buildStatement(debugBundle, subject, proposal), request.signer);
    await this.#store.addProposal(bundleId, envelope, () => this.#options.record(envelope));
    return this.status(bundleId);
  }

  /** Throws BX-131, BX-132, BX-134, BX-135, BX-137, BX-138, BX-139, BX-140 or BX-145. */
  async decide(decision: BundleDecision): Promise<BundleStatus> {
    const { bundleId, act, meaning, ticket, signer } = decision;
    const now = this.#options.clock.now();
    const key = findPersonKey(signer, this.#options.keys, APPROVER_ROLES, now, 'BX-135');
    const status = await this.status(bundleId);
    checkUndecided(status);
    if (act === 'approve') checkApproval(status, key, decision.typedDigestPrefix);
    const { digest } = status.proposal;
    const predicate: DebugBundleDecision = {
      act,
      bundleId,
      approver: { id: key.owner, role: key.role },
      meaning,
      ticket,
      decidedAt: formatInstant(now),
      expiresAt: formatInstant(now + APPROVAL_LIFETIME_MS),
    };
    const payload = buildStatement(debugBundle, { name: 'proposal', digest: { sha256: digest } }, predicate);
    const envelope = await signStatement(payload, signer);
    await this.#store.addDecision(bundleId, envelope, key.key.keyid, () => this.#options.record(envelope));
    return this.status(bundleId);
  }

  /**
   * Encrypts one copy for each recipient. Throws BX-133 when the files or the policies are not those that were approved, BX-136 when
   * approvals are missing, and as {@link decide} and {@link propose} do.
   */
  async seal({ bundleId, source, policies, signer }: SealRequest): Promise<SealedBundle> {
    const now = this.#options.clock.now();
    const key = findPersonKey(signer, this.#options.keys, REQUESTER_ROLES, now, 'BX-135');
    const status = await this.status(bundleId);
    checkUndecided(status);
    if (status.approvals.length < REQUIRED_APPROVALS) {
      const missing = REQUIRED_APPROVALS - status.approvals.length;
      throw new RefusedError('BX-136', `${bundleId} waits for ${missing} more of ${REQUIRED_APPROVALS} approvals`);
    }
    const gathered = await gatherContents(source, policies);
    checkUnchanged(status, gathered, policies);

    const { proposal, approvals, decisions } = status;
    const { newWatermark } = this.#options;
    const { contents, files } = await sealCopies(proposal.predicate, gathered.members, newWatermark, now);
    const predicate: DebugBundleSeal = {
      act: 'seal',
      bundleId,
      sealedBy: { id: key.owner, role: key.role },
      approvals: approvals.map(({ digest }) => ({ sha256: digest })),
      files,
      sealedAt: formatInstant(now),
      expiresAt: proposal.predicate.expiresAt,
    };
    const payload = buildStatement(debugBundle, { name: 'proposal', digest: { sha256: proposal.digest } }, predicate);
    const envelope = await signStatement(payload, signer);
    const envelopes = [proposal.envelope, ...decisions.map((decision) => decision.envelope), envelope];
    const sealed = new Map([...contents, [`${bundleId}.statements.json`, formatStatements(envelopes)]]);
    const directory = await this.#store.addSeal(bundleId, envelope, sealed, () => this.#options.record(envelope));
    return { directory, predicate };
  }

  /** Where a bundle stands, computed from its signatures. Throws BX-139, and BX-144 when its proposal does not verify. */
  async status(bundleId: string): Promise<BundleStatus> {
    const stored = await this.#store.load(bundleId);
    const proposal = readProposal(stored.proposal, this.#options.keys);
    const now = this.#options.clock.now();
    const statements = judgeDecisions(proposal, stored.decisions, this.#options.keys, now);
    return { ...statements, bundleId, seal: stored.seal, state: stateOf(stored, statements, now) };
  }

  /** Every bundle, oldest first. */
  async list(): Promise<readonly BundleStatus[]> {
    const statuses: BundleStatus[] = [];
    for (const bundleId of await this.#store.list()) statuses.push(await this.status(bundleId));
    return statuses;
  }
}

function stateOf({ seal }: StoredBundle, { proposal, approvals, denial }: BundleStatements, now: Instant): BundleState {
  if (denial !== null) return 'denied';
  if (now >= parseInstant(proposal.predicate.expiresAt)) return 'expired';
  if (seal !== null) return 'sealed';
  return approvals.length < REQUIRED_APPROVALS ? 'waiting' : 'approved';
}

/** What stands in the way of any further step. */
function checkUndecided({ bundleId, state, denial, proposal }: BundleStatus): void {
  if (denial !== null) {
    const { approver, meaning } = denial.predicate;
    throw new RefusedError('BX-137', `${bundleId} was denied by ${approver.id}: ${meaning}`);
  }
  if (state === 'expired') throw new RefusedError('BX-134', `${bundleId} ran out at ${proposal.predicate.expiresAt}`);
  if (state === 'sealed') throw new RefusedError('BX-145', `${bundleId} is sealed`);
}

function checkApproval({ bundleId, proposal, approvals }: BundleStatus, { owner }: TrustedKey, typed: string): void {
  if (owner === proposal.predicate.requester.id) throw new RefusedError('BX-131', `${owner} asked for ${bundleId}`);
  if (proposal.predicate.recipients.some(({ id }) => id === owner)) {
    throw new RefusedError('BX-140', `${owner} is to receive ${bundleId}`);
  }
  const earlier = approvals.find(({ key }) => key.owner === owner);
  if (earlier !== undefined) throw new RefusedError('BX-132', `${owner} approved at ${earlier.predicate.decidedAt}`);
  if (typed.length < MIN_DIGEST_PREFIX || !proposal.digest.startsWith(typed)) {
    throw new RefusedError('BX-138', `the digest of ${bundleId} begins with ${proposal.digest.slice(0, 4)}`);
  }
}

/**
 * Approvals are about bytes, and about the rules the bytes were examined by. Markers may have come since: they only refuse, and
 * the bytes have just been examined by the newest.
 */
function checkUnchanged(
  { bundleId, proposal }: BundleStatus,
  gathered: GatheredContents,
  policies: ContentPolicies,
): void {
  const { contents, policies: approved } = proposal.predicate;
  const files = contents.map(({ path, bytes, digest }) => ({ path, bytes, sha256: digest.sha256 }));
  if (toTree(files).digest !== gathered.tree.digest) {
    throw new RefusedError('BX-133', `the files given are not the ones proposed as ${bundleId}`);
  }
  const found = toPolicyDigests(policies);
  const isSame =
    found.contentsList.sha256 === approved.contentsList.sha256 &&
    found.secretClasses.sha256 === approved.secretClasses.sha256;
  if (!isSame) throw new RefusedError('BX-133', `${bundleId} was examined by other lists than these`);
}
