// SPDX-License-Identifier: Apache-2.0
/**
 * Changing who is trusted (spec/trust-change.md): keys enrolled or revoked, the root rotated. Proposed by one person, signed
 * by holders one after the other where their cards are, published when a threshold of the old and of the new has signed.
 */
import { join } from 'node:path';
import { buildStatement, trustApproval, type TrustedKey } from '@witnessmark/attestation';
import { formatEnvelope, formatInstant, RefusedError, type Bytes, type Envelope } from '@witnessmark/core';
import {
  toTargetContent,
  TrustAuthor,
  trustApprovalPath,
  trustChangePath,
  TRUSTED_ROOT_PATH,
  type MetadataSignature,
  type MetadataSigner,
} from '@witnessmark/trust';
import { findApproverAmong, signStatement } from '../decision.ts';
import { GateContext, type GateOptions } from '../gate-context.ts';
import { GATE_LIMITS } from '../limits.ts';
import type { Judge } from '../status.ts';
import { inspectChange, recomputeChange, type InspectedChange, type TrustDifference } from './inspection.ts';
import { describeOverview, type TrustOverview } from './overview.ts';
import { prepareChange, type TrustChangeRequest } from './preparation.ts';
import {
  checkChangeOpen,
  describeChange,
  describeVoidChange,
  publicationOf,
  type TrustChangeStatus,
} from './status.ts';
import { TrustChangeStore } from './store.ts';
import { checkHolder, signMetadataOf, type TrustSignature } from './signing.ts';
import { keysAbout, tallyChange, type ChangeTally } from './tally.ts';

export interface TrustChangesOptions extends GateOptions {
  /** Roots of token vendors, DER; without one no key can be enrolled as attested. */
  readonly attestationRoots?: readonly Bytes[];
}

export type TrustDenial = Pick<TrustSignature, 'changeId' | 'signer' | 'meaning' | 'ticket'>;

/** The keys that come into force with a change that replaces them; the office's own sign once more beside them. */
export interface IncomingSigners {
  readonly online?: MetadataSigner;
  readonly effectivity?: MetadataSigner;
}

/** What a change does, recomputed from the bytes on this machine. */
export interface TrustChangeReview extends TrustDifference {
  readonly status: TrustChangeStatus;
}

export class TrustChanges {
  readonly #context: GateContext;
  readonly #store: TrustChangeStore;
  readonly #attestationRoots: readonly Bytes[];

  constructor(options: TrustChangesOptions) {
    this.#context = new GateContext(options);
    this.#store = new TrustChangeStore(join(options.directory, 'trust-changes'), this.#context.files);
    this.#attestationRoots = options.attestationRoots ?? [];
  }

  /** The keys in force and how many of them it takes. */
  async show(): Promise<TrustOverview> {
    return describeOverview(await this.#context.judge());
  }

  /** The keys in force, decoded and vetted. */
  async trustedKeys(): Promise<readonly TrustedKey[]> {
    return (await this.#context.judge()).workspace.keys;
  }

  /** The trusted root in force, as its holders signed it: what relying parties are to be given. */
  async trustedRootBytes(): Promise<Bytes> {
    return (await this.#context.judge()).workspace.author.readTarget(TRUSTED_ROOT_PATH);
  }

  /**
   * Proposes a change. Throws PL-116 for somebody who may not, PL-123 for what cannot be, PL-102 for two keys of one
   * person, PL-111 for a threshold below the floor, and CU-131 to CU-147 for keys that do not hold.
   */
  propose(request: TrustChangeRequest): Promise<TrustChangeStatus> {
    return this.#context.change('proposeTrust', null, async (judge) => {
      const changeId = await this.#store.nextId();
      const prepared = await prepareChange(request, changeId, judge, this.#attestationRoots);
      // What is proposed is what others will recompute; a proposal they would refuse is not made.
      recomputeChange(
        inspectChange({ ...prepared, decisions: [] }, judge.workspace),
        judge.workspace,
        this.#attestationRoots,
      );
      await this.#context.record(prepared.change);
      await this.#store.create(prepared);
      return this.#describe(changeId, judge);
    });
  }

  /** Throws PL-122, PL-103, PL-115, and what vetting a key throws. */
  review(changeId: string): Promise<TrustChangeReview> {
    return this.#context.look('review', changeId, async (judge) => {
      const inspected = inspectChange(await this.#store.read(changeId), judge.workspace);
      const difference = recomputeChange(inspected, judge.workspace, this.#attestationRoots);
      return { ...difference, status: describeChange(inspected, judge) };
    });
  }

  /**
   * Adds one holder's signatures. Throws PL-122, PL-103, PL-107, PL-104, PL-115, PL-105 for somebody who holds no key of
   * it, PL-101 for its proposer, PL-102 for the second time, PL-120 for a card that signed, and PL-109.
   */
  sign(request: TrustSignature): Promise<TrustChangeStatus> {
    const { changeId, signer } = request;
    return this.#context.change('signTrust', changeId, async (judge, attempt) => {
      const inspected = inspectChange(await this.#store.read(changeId), judge.workspace);
      const tally = tallyChange(inspected, judge);
      checkChangeOpen(inspected, tally, judge);
      recomputeChange(inspected, judge.workspace, this.#attestationRoots);
      const holder = findApproverAmong(keysAbout(inspected), signer, judge);
      checkHolder(inspected, tally.approvals, holder, request.typedDigestPrefix);
      const signatures = await signMetadataOf(inspected, request, judge);
      const envelope = await this.#signDecision(inspected, holder, 'approve', request, judge);
      attempt.prove(holder, envelope.payload);
      await this.#context.record(envelope);
      await this.#store.addDecision(changeId, holder.key.keyid, { envelope, ...signatures });
      return this.#describe(changeId, judge);
    });
  }

  /** Stops a change for good; any approver may. */
  deny(request: TrustDenial): Promise<TrustChangeStatus> {
    const { changeId, signer } = request;
    return this.#context.change('deny', changeId, async (judge, attempt) => {
      const inspected = inspectChange(await this.#store.read(changeId), judge.workspace);
      checkChangeOpen(inspected, tallyChange(inspected, judge), judge);
      const holder = findApproverAmong(judge.workspace.keys, signer, judge);
      const envelope = await this.#signDecision(inspected, holder, 'deny', request, judge);
      attempt.prove(holder, envelope.payload);
      await this.#context.record(envelope);
      const none = { rootSignature: null, targetsSignature: null };
      await this.#store.addDecision(changeId, holder.key.keyid, { envelope, ...none });
      return this.#describe(changeId, judge);
    });
  }

  /**
   * Publishes what enough holders signed; does nothing when it is published. A change of the online or effectivity key
   * needs the new one at hand. Throws PL-106 while holders are missing.
   */
  publish(changeId: string, incoming: IncomingSigners = {}): Promise<TrustChangeStatus> {
    return this.#context.change('publishTrust', changeId, async (judge) => {
      const inspected = inspectChange(await this.#store.read(changeId), judge.workspace);
      const publication = publicationOf(inspected, judge.workspace);
      const tally = tallyChange(inspected, judge);
      if (publication === 'none') {
        checkChangeOpen(inspected, tally, judge);
        recomputeChange(inspected, judge.workspace, this.#attestationRoots);
      }
      if (publication !== 'done') {
        if (!tally.isComplete) {
          throw new RefusedError('PL-106', `${changeId}: ${describeChange(inspected, judge).detail}`);
        }
        await this.#publish(inspected, tally.approvals, judge, { incoming, isBegun: publication === 'begun' });
      }
      return this.#describe(changeId, await this.#context.judge());
    });
  }

  async status(changeId: string): Promise<TrustChangeStatus> {
    return this.#describe(changeId, await this.#context.judge());
  }

  /** Where every change stands, oldest first. */
  async list(): Promise<readonly TrustChangeStatus[]> {
    const judge = await this.#context.judge();
    const all: TrustChangeStatus[] = [];
    for (const changeId of await this.#store.list()) all.push(await this.#describe(changeId, judge));
    return all;
  }

  #signDecision(
    { changeId, digest }: InspectedChange,
    holder: TrustedKey,
    decision: 'approve' | 'deny',
    { meaning, ticket, signer }: TrustDenial,
    { now }: Judge,
  ): Promise<Envelope> {
    const { workstation } = this.#context.options;
    const payload = buildStatement(
      trustApproval,
      { name: 'change', digest: { sha256: digest } },
      {
        changeId,
        decision,
        holder: { id: holder.owner },
        ...(workstation !== undefined && { workstation }),
        meaning,
        ticket,
        approvedAt: formatInstant(now),
        expiresAt: formatInstant(now + GATE_LIMITS.approvalLifetimeMs),
      },
    );
    return signStatement(payload, signer);
  }

  async #publish(
    { stored, root, targets, document }: InspectedChange,
    approvals: ChangeTally['approvals'],
    { now }: Judge,
    { incoming, isBegun }: { readonly incoming: IncomingSigners; readonly isBegun: boolean },
  ): Promise<void> {
    const { repositoryDir, initialRoot, signers } = this.#context.options;
    if (signers === undefined) throw new TypeError('publishing needs the online and effectivity signers');
    const author = await TrustAuthor.open({
      directory: repositoryDir,
      initialRoot,
      files: this.#context.files,
      signers: { online: incoming.online ?? signers.online, effectivity: incoming.effectivity ?? signers.effectivity },
    });
    const attest = (path: string, envelope: Envelope): ReturnType<typeof toTargetContent> =>
      toTargetContent(path, formatEnvelope(envelope));
    const { version } = document;
    const signatures = (of: 'rootSignature' | 'targetsSignature'): MetadataSignature[] =>
      approvals.flatMap((approval) => approval[of] ?? []);
    const rest = {
      targets: { staged: targets, signatures: signatures('targetsSignature') },
      contents: [toTargetContent(TRUSTED_ROOT_PATH, stored.document)],
      delegated: {
        add: [
          attest(trustChangePath(version), stored.change),
          ...approvals.map(({ envelope }, index) => attest(trustApprovalPath(version, index + 1), envelope)),
        ],
      },
    };
    await author.publish({
      now,
      ...(root !== null && { root: { staged: root, signatures: signatures('rootSignature') } }),
      ...(!isBegun && rest),
      ...(incoming.online !== undefined && { outgoingOnline: signers.online }),
    });
  }

  async #describe(changeId: string, judge: Judge): Promise<TrustChangeStatus> {
    try {
      return describeChange(inspectChange(await this.#store.read(changeId), judge.workspace), judge);
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'PL-103') return describeVoidChange(changeId, error);
      throw error;
    }
  }
}
