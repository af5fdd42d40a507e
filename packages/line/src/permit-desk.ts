// SPDX-License-Identifier: Apache-2.0
/** Gives permits (spec/permit.md): a short, signed "yes" for one device, release, station and person. */
import { formatInstant, parseInstant, STATEMENT_PAYLOAD_TYPE, type Envelope, type Instant } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  permit as permitDefinition,
  spoolName,
  type Permit,
  type SpoolHead,
  type TrustedKey,
} from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { admit } from './admission.ts';
import type { Claim } from './claim.ts';
import { gatherFacts } from './facts.ts';
import { IssuedPermits } from './issued-permits.ts';
import { checkHead } from './offline/spool-rules.ts';
import type { LineContext } from './line-context.ts';
import type { ReadPermitRequest } from './statements.ts';
import { placeOf } from './station-place.ts';

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

  /** A station that was ever given an allowance shows that it knows what it made under it. */
  async #checkSpools(known: SpoolHead | undefined, station: string): Promise<void> {
    const rows = await this.#context.views.spoolsOf(station);
    const named = spoolName(station, known?.slot);
    for (const row of known === undefined ? rows : rows.filter(({ name }) => name === named)) {
      checkHead(known, { id: station, slot: known?.slot }, row);
    }
  }

  async #issue({ predicate, subject }: ReadPermitRequest, signer: TrustedKey, now: Instant): Promise<Envelope> {
    const { rules, signer: evidence, counters, checkRoom } = this.#context;
    checkRoom('new');
    const startDigest = predicate.station?.startDigest.sha256 ?? null;
    const claim: Claim = { ...predicate, subject, startDigest, at: parseInstant(predicate.requestedAt) };
    await this.#checkSpools(predicate.spool, signer.owner);
    const facts = await gatherFacts(claim, { station: signer.owner, now }, this.#context);
    const grant = admit(claim, facts);
    const { deviceId } = predicate.identity;
    const permit: Permit = {
      requestId: predicate.requestId,
      transactionId: predicate.transactionId,
      deviceId,
      labelSerial: grant.labelSerial,
      product: predicate.product,
      release: grant.inForce.reference,
      station: placeOf(signer, rules),
      ...(predicate.station === undefined ? {} : { startDigest: predicate.station.startDigest }),
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
