// SPDX-License-Identifier: Apache-2.0
/**
 * The promotion gate (spec/release-candidate.md, spec/release-approval.md): from a file the build produced to a published
 * release, through the signatures of an author and of enough other people. Between calls it remembers nothing but signed
 * bytes; where a promotion stands follows from them and from the repository.
 */
import { formatEffectivity, type TrustedKey } from '@witnessmark/attestation';
import { formatEnvelope, RefusedError, type Bytes, type Envelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import {
  approvalPath,
  candidatePath,
  counterExceptionPath,
  effectivityPath,
  supersede,
  toTargetContent,
  type MetadataSignature,
  type TrustState,
} from '@witnessmark/trust';
import { reviewPromotion, type PromotionReview } from './changes.ts';
import { checkApproval, checkApprover, findApprover, signDecision, signTargets } from './decision.ts';
import { GateContext, type GateOptions } from './gate-context.ts';
import type { Attempt } from './gate-refusals.ts';
import { checkStaged, isPublished, verifyImages } from './inspection.ts';
import { parseDecision, type StoredDecision } from './promotion-store.ts';
import { prepareProposal, type ProposalRequest } from './proposal.ts';
import {
  checkApprovable,
  checkOpen,
  describePromotion,
  describeVoid,
  judgePromotion,
  type Judge,
  type JudgedPromotion,
  type PromotionStatus,
} from './status.ts';
import { readSubmission } from './submission.ts';
import { withdrawPublished, type Withdrawal, type WithdrawalRequest } from './withdrawal.ts';

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
  readonly #context: GateContext;

  constructor(options: GateOptions) {
    this.#context = new GateContext(options);
  }

  /**
   * Proposes a release made from an image file. Throws PL-116 for somebody who is no author, PL-114 and PL-118 for the
   * image, PL-108, PL-113 and PL-121 for counters and ids. After a crash there is the whole promotion, or none.
   */
  propose(request: ProposalRequest): Promise<PromotionStatus> {
    const releaseId = request.releaseId ?? `${request.product.sku}-${request.version}`;
    return this.#context.change('propose', releaseId, async (judge) => {
      await this.#checkNotPending(releaseId, judge);
      const { files, exceptions, store } = this.#context;
      const proposal = await prepareProposal(request, { ...judge, files, exceptions });
      await this.#context.record(proposal.candidate);
      await store.create(proposal);
      return this.#describe(proposal.promotionId, judge);
    });
  }

  /** Recomputes a promotion from the bytes here and says what it changes. Throws PL-112, PL-103 or PL-115. */
  review(promotionId: string): Promise<PromotionReview> {
    return this.#context.look('review', promotionId, async (judge) => {
      const { promotion } = judgePromotion(await judge.store.read(promotionId), judge);
      await verifyImages(promotion);
      if (!isPublished(promotion, judge.workspace)) checkStaged(promotion, judge.workspace);
      return reviewPromotion(promotion, judge.workspace, judge.site, judge.now);
    });
  }

  /**
   * Adds one person's approval, and publishes when it was the last that was missing. Throws PL-105, PL-103, PL-113,
   * PL-107, PL-104, PL-115, PL-116, PL-101, PL-119, PL-102, PL-120, PL-117, PL-108, PL-121 or PL-109. Repeated after a
   * crash it finishes what was begun.
   */
  approve(request: ApprovalRequest): Promise<PromotionStatus> {
    const { promotionId, signer, targetsSigner = signer } = request;
    return this.#context.change('approve', promotionId, async (judge, attempt) => {
      const approver = findApprover(signer, judge);
      const judged = judgePromotion(await judge.store.read(promotionId), judge);
      checkApprovable(judged, judge);
      const { promotion, tally } = judged;
      await verifyImages(promotion);
      const isRepeated = tally.missing === null && tally.approvals.some(({ key }) => key.owner === approver.owner);
      if (!isRepeated) {
        checkApprover(promotion, tally, approver);
        checkApproval(promotion, request.typedDigestPrefix, judge);
        const targetsSignature = await signTargets(promotion, targetsSigner, judge.workspace.author);
        checkTargetsKey(judged, targetsSignature);
        const text = { decision: 'approve', ...this.#textOf(request) } as const;
        const envelope = await signDecision(promotion, approver, signer, text, judge.now);
        await this.#addDecision(judged, approver, { envelope, targetsSignature }, attempt);
      }
      return this.#publishWhenComplete(promotionId, judge);
    });
  }

  /** Stops a promotion for good. Throws as {@link approve} does for the promotion and the person. */
  deny(request: DenialRequest): Promise<PromotionStatus> {
    const { promotionId, signer } = request;
    return this.#context.change('deny', promotionId, async (judge, attempt) => {
      const approver = findApprover(signer, judge);
      const judged = judgePromotion(await judge.store.read(promotionId), judge);
      checkOpen(judged, judge);
      const text = { decision: 'deny', ...this.#textOf(request) } as const;
      const envelope = await signDecision(judged.promotion, approver, signer, text, judge.now);
      await this.#addDecision(judged, approver, { envelope, targetsSignature: null }, attempt);
      return this.#describe(promotionId, judge);
    });
  }

  /**
   * Takes a decision that was signed on an approver's own machine, as {@link decisionPath} names it there. Throws as
   * {@link approve} does; here a signature proves who asked.
   */
  submit(promotionId: string, bytes: Bytes): Promise<PromotionStatus> {
    return this.#context.change('submit', promotionId, async (judge, attempt) => {
      const judged = judgePromotion(await judge.store.read(promotionId), judge);
      const { decision, approver, predicate } = readSubmission(parseDecision(bytes), judged, judge, attempt);
      if (predicate.decision === 'approve') checkApprovable(judged, judge);
      else checkOpen(judged, judge);
      await verifyImages(judged.promotion);
      if (predicate.decision === 'approve') checkApprover(judged.promotion, judged.tally, approver);
      await this.#addDecision(judged, approver, decision, attempt);
      return this.#publishWhenComplete(promotionId, judge);
    });
  }

  /** Where the decision of a key is kept: the file to carry to the office. */
  decisionPath(promotionId: string, keyid: string): string {
    return this.#context.store.decisionPath(promotionId, keyid);
  }

  /**
   * Publishes what enough people approved, for example after a crash; does nothing when it is published. Throws PL-106
   * or PL-110 when people or roles are missing.
   */
  publish(promotionId: string): Promise<PromotionStatus> {
    return this.#context.change('publish', promotionId, async (judge) => {
      const judged = judgePromotion(await judge.store.read(promotionId), judge);
      if (!isPublished(judged.promotion, judge.workspace)) {
        checkApprovable(judged, judge);
        await verifyImages(judged.promotion);
        await publishJudged(judged, judge);
      }
      return this.#describe(promotionId, await this.#context.judge());
    });
  }

  /** Where a promotion stands; throws PL-112. */
  async status(promotionId: string): Promise<PromotionStatus> {
    return this.#describe(promotionId, await this.#context.judge());
  }

  /** Where every promotion stands, oldest first. */
  async list(): Promise<readonly PromotionStatus[]> {
    const judge = await this.#context.judge();
    const all: PromotionStatus[] = [];
    for (const promotionId of await judge.store.list()) all.push(await this.#describe(promotionId, judge));
    return all;
  }

  /** Withdraws a published release everywhere; one approver suffices to stop. Throws PL-105 or PL-112. */
  withdraw(request: WithdrawalRequest): Promise<Withdrawal> {
    return this.#context.change('withdraw', request.releaseId, (judge) =>
      withdrawPublished(request, judge, (envelope) => this.#context.record(envelope)),
    );
  }

  /** Signs snapshot and timestamp anew, so that what is published stays fresh. */
  refresh(): Promise<TrustState> {
    return this.#context.change('publish', null, ({ workspace, now }) => workspace.author.publish({ now }));
  }

  #textOf({
    meaning,
    ticket,
  }: Pick<ApprovalRequest, 'meaning' | 'ticket'>): Omit<Parameters<typeof signDecision>[3], 'decision'> {
    return { meaning, ticket, workstation: this.#context.options.workstation };
  }

  async #addDecision(
    { promotion }: JudgedPromotion,
    approver: TrustedKey,
    decision: StoredDecision,
    attempt: Attempt,
  ): Promise<void> {
    attempt.prove(approver, decision.envelope.payload);
    await this.#context.record(decision.envelope);
    await this.#context.store.addDecision(promotion.promotionId, approver.key.keyid, decision);
  }

  async #publishWhenComplete(promotionId: string, judge: Judge): Promise<PromotionStatus> {
    const counted = judgePromotion(await judge.store.read(promotionId), judge);
    const mayPublish = this.#context.options.signers !== undefined;
    if (counted.tally.missing === null && counted.tally.denial === null && mayPublish)
      await publishJudged(counted, judge);
    return this.#describe(promotionId, await this.#context.judge());
  }

  /** Two open promotions of one release could only confuse: PL-113. */
  async #checkNotPending(releaseId: string, judge: Judge): Promise<void> {
    for (const promotionId of await judge.store.list()) {
      const { state, proposal } = await this.#describe(promotionId, judge);
      if (proposal?.releaseId === releaseId && (state === 'waiting' || state === 'approved')) {
        throw new RefusedError('PL-113', `${releaseId} is proposed as ${promotionId} already`);
      }
    }
  }

  async #describe(promotionId: string, judge: Judge): Promise<PromotionStatus> {
    try {
      return describePromotion(judgePromotion(await judge.store.read(promotionId), judge), judge);
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'PL-103') return describeVoid(promotionId, error);
      throw error;
    }
  }
}

/** Two people cannot lend each other a targets key: PL-120. */
function checkTargetsKey({ tally }: JudgedPromotion, { keyid }: MetadataSignature): void {
  if (!tally.approvals.some(({ targetsSignature }) => targetsSignature?.keyid === keyid)) return;
  throw new RefusedError('PL-120', 'this targets key signed for somebody else');
}

async function publishJudged({ promotion, tally }: JudgedPromotion, { workspace, site, now }: Judge): Promise<void> {
  const { promotionId, manifest, candidate, staged, contents, stored } = promotion;
  if (tally.missing !== null) {
    const code = tally.missing.people > 0 ? 'PL-106' : 'PL-110';
    throw new RefusedError(code, `${promotionId}: ${tally.missing.detail}`);
  }
  const effectivity = supersede(workspace.effectivity, candidate.effectivity, now);
  const signatures = tally.approvals.flatMap(({ targetsSignature }) => targetsSignature ?? []);
  const attest = (path: string, envelope: Envelope): ReturnType<typeof toTargetContent> =>
    toTargetContent(path, formatEnvelope(envelope));
  const { releaseId } = manifest;
  await workspace.author.publish({
    now,
    targets: { staged, signatures },
    contents,
    delegated: {
      add: [
        toTargetContent(effectivityPath(site.plant, site.line), formatEffectivity(effectivity)),
        attest(candidatePath(releaseId), stored.candidate),
        ...tally.approvals.map(({ envelope }, index) => attest(approvalPath(releaseId, index + 1), envelope)),
        ...(stored.exception === null ? [] : [attest(counterExceptionPath(releaseId), stored.exception)]),
      ],
    },
  });
}
