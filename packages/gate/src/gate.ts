// SPDX-License-Identifier: Apache-2.0
/**
 * The promotion gate (spec/release-candidate.md, spec/release-approval.md): from a file the build produced to a published
 * release, through the signatures of an author and of enough other people. Between calls it remembers nothing but signed
 * bytes; where a promotion stands follows from them and from the repository.
 */
import { join } from 'node:path';
import { formatEffectivity } from '@witnessmark/attestation';
import { formatEnvelope, RefusedError, type Bytes, type Clock, type Envelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import {
  approvalPath,
  candidatePath,
  effectivityPath,
  nodeFiles,
  supersede,
  toTargetContent,
  TrustAuthor,
  type ApprovalRule,
  type Files,
  type RepositorySigners,
  type TrustState,
} from '@witnessmark/trust';
import { reviewPromotion, type PromotionReview } from './changes.ts';
import { checkApproval, findApprover, signDecision, signTargets } from './decision.ts';
import { withGateLock } from './gate-lock.ts';
import { checkStaged, isPublished, verifyImages } from './inspection.ts';
import { PromotionStore } from './promotion-store.ts';
import { prepareProposal, type ProposalRequest } from './proposal.ts';
import {
  checkOpen,
  describePromotion,
  describeVoid,
  judgePromotion,
  type Judge,
  type JudgedPromotion,
  type PromotionStatus,
} from './status.ts';
import { withdrawPublished, type Withdrawal, type WithdrawalRequest } from './withdrawal.ts';
import { openWorkspace, type Site } from './workspace.ts';

export interface GateOptions {
  /** Where promotions are kept. */
  readonly directory: string;
  /** The TUF repository the gate publishes to. */
  readonly repositoryDir: string;
  /** The pinned root of the repository; kept apart from it. */
  readonly initialRoot: Bytes;
  readonly site: Site;
  readonly rule: ApprovalRule;
  readonly clock: Clock;
  /** Needed to publish and to withdraw; an approver's own machine has none. */
  readonly signers?: RepositorySigners;
  /** Told of every statement before it takes effect; what cannot be recorded does not happen. */
  readonly onStatement?: (envelope: Envelope) => Promise<void>;
  readonly files?: Files;
}

export interface ApprovalRequest {
  readonly promotionId: string;
  readonly signer: Signer;
  /** The approver's targets key, when it is another one than `signer`. */
  readonly targetsSigner?: Signer;
  /** What the signature means, in the approver's words. */
  readonly meaning: string;
  readonly ticket: string;
  /** The first characters of the candidate's digest, as the approver read them. */
  readonly typedDigestPrefix: string;
}

export type DenialRequest = Pick<ApprovalRequest, 'promotionId' | 'signer' | 'meaning' | 'ticket'>;

export class Gate {
  readonly #options: GateOptions;
  readonly #files: Files;
  readonly #store: PromotionStore;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#files = options.files ?? nodeFiles;
    this.#store = new PromotionStore(join(options.directory, 'promotions'), this.#files);
  }

  /**
   * Proposes a release made from an image file. Throws PL-116 for somebody who is no author, PL-114 for the image, PL-108
   * and PL-113 for counters and ids that were used. After a crash there is the whole promotion, or none.
   */
  propose(request: ProposalRequest): Promise<PromotionStatus> {
    return this.#change(async (judge) => {
      const { workspace, site, store, now } = judge;
      await this.#checkNotPending(request.releaseId ?? `${request.product.sku}-${request.version}`, judge);
      const proposal = await prepareProposal(request, { workspace, site, store, files: this.#files, now });
      await this.#record(proposal.candidate);
      await store.create(proposal);
      return this.#describe(proposal.promotionId, judge);
    });
  }

  /** Recomputes a promotion from the bytes here and says what it changes. Throws PL-112, PL-103 or PL-115. */
  async review(promotionId: string): Promise<PromotionReview> {
    const judge = await this.#judge();
    const { promotion } = judgePromotion(await this.#store.read(promotionId), judge);
    await verifyImages(promotion);
    if (!isPublished(promotion, judge.workspace)) checkStaged(promotion, judge.workspace);
    return reviewPromotion(promotion, judge.workspace, judge.site, judge.now);
  }

  /**
   * Adds one person's approval, and publishes when it was the last that was missing. Throws PL-105, PL-103, PL-113,
   * PL-107, PL-104, PL-115, PL-101, PL-102, PL-108 or PL-109. Repeated after a crash it finishes what was begun.
   */
  approve(request: ApprovalRequest): Promise<PromotionStatus> {
    return this.#change(async (judge) => {
      const { promotionId, signer, targetsSigner = signer } = request;
      const { workspace, store, now } = judge;
      const approver = findApprover(signer, workspace.keys, now);
      const judged = judgePromotion(await store.read(promotionId), judge);
      checkOpen(judged, judge);
      const { promotion, tally } = judged;
      await verifyImages(promotion);
      const isRepeated = tally.missing === null && tally.approvals.some(({ key }) => key.owner === approver.owner);
      if (!isRepeated) {
        checkApproval(promotion, tally, approver, request.typedDigestPrefix, workspace);
        const targetsSignature = await signTargets(promotion, targetsSigner, workspace.author);
        if (tally.approvals.some((approval) => approval.targetsSignature?.keyid === targetsSignature.keyid)) {
          throw new RefusedError('PL-102', 'this targets key signed for somebody else');
        }
        const { meaning, ticket } = request;
        const envelope = await signDecision(promotion, approver, signer, { decision: 'approve', meaning, ticket }, now);
        await this.#record(envelope);
        await store.addDecision(promotionId, approver.key.keyid, { envelope, targetsSignature });
      }
      const counted = judgePromotion(await store.read(promotionId), judge);
      if (counted.tally.missing === null && this.#options.signers !== undefined) await this.#publish(counted, judge);
      return this.#describe(promotionId, await this.#judge());
    });
  }

  /** Stops a promotion for good. Throws as {@link approve} does for the promotion and the person. */
  deny({ promotionId, signer, meaning, ticket }: DenialRequest): Promise<PromotionStatus> {
    return this.#change(async (judge) => {
      const { workspace, store, now } = judge;
      const approver = findApprover(signer, workspace.keys, now);
      const judged = judgePromotion(await store.read(promotionId), judge);
      checkOpen(judged, judge);
      const text = { decision: 'deny', meaning, ticket } as const;
      const envelope = await signDecision(judged.promotion, approver, signer, text, now);
      await this.#record(envelope);
      await store.addDecision(promotionId, approver.key.keyid, { envelope, targetsSignature: null });
      return this.#describe(promotionId, judge);
    });
  }

  /**
   * Publishes what enough people approved, for example after a crash; does nothing when it is published. Throws PL-106
   * or PL-110 when people or roles are missing.
   */
  publish(promotionId: string): Promise<PromotionStatus> {
    return this.#change(async (judge) => {
      const judged = judgePromotion(await this.#store.read(promotionId), judge);
      if (!isPublished(judged.promotion, judge.workspace)) {
        checkOpen(judged, judge);
        await verifyImages(judged.promotion);
        await this.#publish(judged, judge);
      }
      return this.#describe(promotionId, await this.#judge());
    });
  }

  /** Where a promotion stands; throws PL-112. */
  async status(promotionId: string): Promise<PromotionStatus> {
    return this.#describe(promotionId, await this.#judge());
  }

  /** Where every promotion stands, oldest first. */
  async list(): Promise<readonly PromotionStatus[]> {
    const judge = await this.#judge();
    const all: PromotionStatus[] = [];
    for (const promotionId of await this.#store.list()) all.push(await this.#describe(promotionId, judge));
    return all;
  }

  /** Withdraws a published release everywhere; one approver suffices to stop. Throws PL-105 or PL-112. */
  withdraw(request: WithdrawalRequest): Promise<Withdrawal> {
    return this.#change(({ workspace, now }) =>
      withdrawPublished(request, workspace, now, (envelope) => this.#record(envelope)),
    );
  }

  /** Signs snapshot and timestamp anew, so that what is published stays fresh. */
  refresh(): Promise<TrustState> {
    return this.#change(({ workspace, now }) => workspace.author.publish({ now }));
  }

  async #publish({ promotion, tally }: JudgedPromotion, { workspace, site, now }: Judge): Promise<void> {
    const { promotionId, manifest, candidate, staged, contents, stored } = promotion;
    if (tally.missing !== null) {
      const code = tally.missing.people > 0 ? 'PL-106' : 'PL-110';
      throw new RefusedError(code, `${promotionId}: ${tally.missing.detail}`);
    }
    const effectivity = supersede(workspace.effectivity, candidate.effectivity, now);
    const signatures = tally.approvals.flatMap(({ targetsSignature }) => targetsSignature ?? []);
    await workspace.author.publish({
      now,
      targets: { staged, signatures },
      contents,
      delegated: {
        add: [
          toTargetContent(effectivityPath(site.plant, site.line), formatEffectivity(effectivity)),
          toTargetContent(candidatePath(manifest.releaseId), formatEnvelope(stored.candidate)),
          ...tally.approvals.map(({ envelope }, index) =>
            toTargetContent(approvalPath(manifest.releaseId, index + 1), formatEnvelope(envelope)),
          ),
        ],
      },
    });
  }

  /** Two open promotions of one release could only confuse: PL-113. */
  async #checkNotPending(releaseId: string, judge: Judge): Promise<void> {
    for (const promotionId of await this.#store.list()) {
      const { state, proposal } = await this.#describe(promotionId, judge);
      if (proposal?.releaseId === releaseId && (state === 'waiting' || state === 'approved')) {
        throw new RefusedError('PL-113', `${releaseId} is proposed as ${promotionId} already`);
      }
    }
  }

  async #describe(promotionId: string, judge: Judge): Promise<PromotionStatus> {
    try {
      return describePromotion(judgePromotion(await this.#store.read(promotionId), judge), judge);
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'PL-103') return describeVoid(promotionId, error);
      throw error;
    }
  }

  async #record(envelope: Envelope): Promise<void> {
    await this.#options.onStatement?.(envelope);
  }

  async #judge(): Promise<Judge> {
    const { repositoryDir, initialRoot, signers, site, rule, clock } = this.#options;
    const author = await TrustAuthor.open({
      directory: repositoryDir,
      initialRoot,
      files: this.#files,
      ...(signers && { signers }),
    });
    const workspace = await openWorkspace(author, site);
    return { workspace, site, store: this.#store, rule, now: clock.now() };
  }

  #change<T>(work: (judge: Judge) => Promise<T>): Promise<T> {
    return withGateLock(this.#options.directory, async () => work(await this.#judge()));
  }
}
