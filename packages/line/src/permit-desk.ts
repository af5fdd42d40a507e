// SPDX-License-Identifier: Apache-2.0
/** Gives permits (spec/permit.md): a short, signed "yes" for one device, release, station and person. */
import { formatInstant, parseInstant, STATEMENT_PAYLOAD_TYPE, type Envelope, type Instant } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  permit as permitDefinition,
  type Permit,
  type TrustedKey,
} from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { admit, type Claim } from './admission.ts';
import { gatherFacts } from './facts.ts';
import { IssuedPermits } from './issued-permits.ts';
import type { LineContext } from './line-context.ts';
import type { ReadPermitRequest } from './statements.ts';

export class PermitDesk {
  readonly #context: LineContext;
  readonly #issued: IssuedPermits;

  constructor(context: LineContext) {
    this.#context = context;
    this.#issued = new IssuedPermits(context.rules.maxRememberedPermits);
  }

  /** Throws a `RefusedError`; the same request gets the same permit. */
  async request(request: ReadPermitRequest, signer: TrustedKey, now: Instant): Promise<Envelope> {
    return this.#issued.once(request.id, request.digest, () => this.#issue(request, signer, now));
  }

  async #issue({ predicate, subject }: ReadPermitRequest, signer: TrustedKey, now: Instant): Promise<Envelope> {
    const { rules, signer: evidence, counters, checkRoom, keys } = this.#context;
    checkRoom('new');
    const claim: Claim = { ...predicate, subject, at: parseInstant(predicate.requestedAt) };
    const facts = await gatherFacts(claim, { station: signer.owner, now, keys: keys() }, this.#context);
    const grant = admit(claim, facts);
    const { deviceId } = predicate.identity;
    const permit: Permit = {
      requestId: predicate.requestId,
      transactionId: predicate.transactionId,
      deviceId,
      labelSerial: grant.labelSerial,
      product: predicate.product,
      release: grant.inForce.reference,
      station: { id: signer.owner, line: rules.line, plant: rules.plant },
      operatorId: predicate.operator.id,
      chain: grant.chain,
      attempt: grant.attempt,
      breakGlass: facts.breakGlass?.digest ?? null,
      issuedAt: formatInstant(now),
      expiresAt: formatInstant(now + rules.permitLifetimeMs),
    };
    counters.permits.add({ station: signer.owner });
    const payload = buildStatement(permitDefinition, deviceSubject(deviceId), permit);
    return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [evidence]);
  }
}
