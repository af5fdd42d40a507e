// SPDX-License-Identifier: Apache-2.0
/** Asking for an exception to a counter's floor, and standing behind one (spec/counter-exception.md). */
import { buildStatement, counterException, type CounterException, type TrustedKey } from '@witnessmark/attestation';
import { formatInstant, RefusedError, type Envelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { checkException, readException, type SignedException } from './counter-exception.ts';
import { counterFloor } from './counters.ts';
import { addSignature, findApprover, signStatement } from './decision.ts';
import { GateContext, type GateOptions } from './gate-context.ts';
import { GATE_LIMITS } from './limits.ts';
import { inspectImageFile } from './image-file.ts';
import { findAuthor } from './proposal.ts';
import { refusalOf } from './refusal-of.ts';
import type { Judge } from './status.ts';

export interface ExceptionRequest {
  /** The one image it is for. */
  readonly imagePath: string;
  readonly sku: string;
  /** `firmware` unless stated. */
  readonly component?: string;
  /** Of an image that carries none. */
  readonly securityCounter?: number;
  readonly reason: string;
  readonly ticket: string;
  readonly author: Signer;
}

export interface ExceptionSignature {
  readonly exceptionId: string;
  readonly signer: Signer;
  /** The first characters of the exception's digest, as the approver read them. */
  readonly typedDigestPrefix: string;
}

export interface ExceptionStatus extends CounterException {
  readonly digest: string;
  readonly imageDigest: string;
  readonly approvers: readonly string[];
  /** Why it cannot be used now; null when it can. */
  readonly objection: string | null;
}

export class CounterExceptions {
  readonly #context: GateContext;

  constructor(options: GateOptions) {
    this.#context = new GateContext(options);
  }

  /** Asks for an exception. Throws PL-116 for no author, PL-114 for the image, PL-121 when none is needed. */
  request(request: ExceptionRequest): Promise<ExceptionStatus> {
    return this.#context.change('except', null, async (judge) => {
      const { exceptions, files } = this.#context;
      const author = findAuthor(request.author, judge);
      const image = await inspectImageFile(request.imagePath, files);
      const component = request.component ?? 'firmware';
      const allowed = image.mcuboot?.securityCounter ?? request.securityCounter ?? 0;
      const floor = counterFloor(judge.workspace.manifests.values(), request.sku).securityCounters.get(component) ?? 0;
      if (allowed >= floor) {
        throw new RefusedError('PL-121', `security counter ${allowed} needs no exception; ${floor} was published`);
      }
      const exceptionId = await exceptions.nextId();
      const { reason, ticket } = request;
      const payload = buildStatement(
        counterException,
        { name: component, digest: { sha256: image.sha256 } },
        {
          exceptionId,
          sku: request.sku,
          component,
          published: floor,
          allowed,
          requestedBy: { id: author.owner },
          reason,
          ticket,
          requestedAt: formatInstant(judge.now),
          expiresAt: formatInstant(judge.now + GATE_LIMITS.exceptionLifetimeMs),
        },
      );
      return this.#keep(exceptionId, await signStatement(payload, request.author), judge);
    });
  }

  /** Stands behind an exception. Throws PL-105, PL-101, PL-102, PL-109, PL-120 or PL-121. */
  sign({ exceptionId, signer, typedDigestPrefix }: ExceptionSignature): Promise<ExceptionStatus> {
    return this.#context.change('except', exceptionId, async (judge, attempt) => {
      const approver = findApprover(signer, judge);
      const envelope = await this.#context.exceptions.read(exceptionId);
      const exception = readException(envelope, judge.workspace.keys);
      checkSigner(exception, approver);
      const isTyped = typedDigestPrefix.length >= GATE_LIMITS.minDigestPrefix;
      if (!isTyped || !exception.digest.startsWith(typedDigestPrefix)) {
        throw new RefusedError('PL-109', `the digest of ${exceptionId} begins with ${exception.digest.slice(0, 4)}`);
      }
      const signed = await addSignature(envelope, signer);
      attempt.prove(approver, envelope.payload);
      return this.#keep(exceptionId, signed, judge);
    });
  }

  async list(): Promise<readonly ExceptionStatus[]> {
    const judge = await this.#context.judge();
    const all: ExceptionStatus[] = [];
    for (const exceptionId of await this.#context.exceptions.list()) {
      all.push(describe(await this.#context.exceptions.read(exceptionId), judge));
    }
    return all;
  }

  async #keep(exceptionId: string, envelope: Envelope, judge: Judge): Promise<ExceptionStatus> {
    await this.#context.record(envelope);
    await this.#context.exceptions.write(exceptionId, envelope);
    return describe(envelope, judge);
  }
}

function checkSigner({ predicate, approvers }: SignedException, { owner, token }: TrustedKey): void {
  const { exceptionId, requestedBy } = predicate;
  if (owner === requestedBy.id) throw new RefusedError('PL-101', `${owner} asked for ${exceptionId}`);
  if (approvers.some((other) => other.owner === owner)) throw new RefusedError('PL-102', `${owner} signed it before`);
  if (approvers.some((other) => token !== null && other.token?.serial === token.serial)) {
    throw new RefusedError('PL-120', `the card with serial ${token?.serial ?? ''} signed ${exceptionId} before`);
  }
}

function describe(envelope: Envelope, { workspace, now }: Judge): ExceptionStatus {
  const exception = readException(envelope, workspace.keys);
  const { predicate, digest, imageDigest, approvers } = exception;
  const refusal = refusalOf(() => {
    checkException(exception, now);
  });
  return {
    ...predicate,
    digest,
    imageDigest,
    approvers: approvers.map(({ owner }) => owner),
    objection: refusal?.message ?? null,
  };
}
