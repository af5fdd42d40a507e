// SPDX-License-Identifier: Apache-2.0
/**
 * Where everything signed comes in: who signed it, over whose connection, with a key that is in use. Verifies first and
 * parses then. Whatever is refused from here on is answered with a refusal on record, and so are strangers.
 */
import { RefusedError, type Bytes, type Envelope, type Instant } from '@witnessmark/core';
import type { TrustedKey } from '@witnessmark/attestation';
import { LineRefusedError, type BatchItem } from '@witnessmark/api';
import { BatchOrder, effectsOf, type Turn } from './batch-order.ts';
import { ensure } from './error.ts';
import type { SignatureCheck } from './key-ring.ts';
import type { LineContext } from './line-context.ts';
import { checkPeer, type Peer } from './peer.ts';
import type { LoggedRecord } from './records.ts';
import type { RefusalLedger } from './refusal-ledger.ts';
import { describeRequest, describeStranger, type RefusedRequest } from './refused-request.ts';
import type { Registrar } from './registrar.ts';
import { toSilentKey } from './silent-key.ts';
import { STATION_RETIREMENT_KIND } from './site-records/station-identity.ts';
import { parseLoggable, readSigned, type LoggableStatement, type StationRequest } from './statements.ts';

type Signers = Promise<readonly [TrustedKey, ...TrustedKey[]]>;

interface ReceptionOptions {
  readonly context: LineContext;
  readonly registrar: Registrar;
  readonly ledger: RefusalLedger;
  readonly checkSignature: SignatureCheck;
}

/** What is done with one kind of request. */
interface RequestHandler<Request, Answer> {
  readonly read: (payload: Bytes) => Request;
  readonly answer: (request: Request, station: TrustedKey, now: Instant) => Promise<Answer>;
}

export class Reception {
  readonly #context: LineContext;
  readonly #registrar: Registrar;
  readonly #ledger: RefusalLedger;
  readonly #checkSignature: SignatureCheck;

  constructor({ context, registrar, ledger, checkSignature }: ReceptionOptions) {
    this.#context = context;
    this.#registrar = registrar;
    this.#ledger = ledger;
    this.#checkSignature = checkSignature;
  }

  /** Answers what a station of this line asks for, which it signs alone. */
  async answer<Request extends StationRequest, Answer>(
    envelope: Envelope,
    peer: Peer,
    handler: RequestHandler<Request, Answer>,
  ): Promise<Answer> {
    const now = this.#context.clock.now();
    const [signer, ...cosigners] = await this.#identify(envelope, this.#findSigners(envelope, now), now);
    let request: Request | null = null;
    try {
      request = readSigned(handler.read, envelope.payload);
      ensure(cosigners.length === 0, 'LS-502', 'one signature, by the station', `${cosigners.length + 1}`);
      this.#context.keys().requireStation(signer);
      this.#checkPeer(peer, signer, now);
      this.#context.identities.demandActive(signer);
      return await handler.answer(request, signer, now);
    } catch (error) {
      throw await this.#refuse(error, describeRequest(signer, request), now);
    }
  }

  /** Has a statement logged. */
  async record(item: BatchItem, peer: Peer): Promise<LoggedRecord> {
    const now = this.#context.clock.now();
    return this.#record(item, this.#findSigners(item.statement, now), { now, peer });
  }

  /** As {@link record} for one after the other; signatures are checked together, and what can be becomes durable together. */
  async recordAll(items: readonly BatchItem[], peer: Peer): Promise<readonly PromiseSettledResult<LoggedRecord>[]> {
    const now = this.#context.clock.now();
    const signers = items.map(({ statement }) => this.#findSigners(statement, now));
    // Each is waited for in its turn; one that failed meanwhile is not yet a fault.
    void Promise.allSettled(signers);
    const order = new BatchOrder();
    const answers: Promise<LoggedRecord>[] = [];
    for (const [position, item] of items.entries()) {
      const { answer } = await order.take((turn) =>
        this.#record(item, signers[position] as Signers, { now, peer }, turn),
      );
      answers.push(answer);
    }
    return Promise.allSettled(answers);
  }

  async #record(
    { statement: envelope, attachments = {} }: BatchItem,
    signers: Signers,
    { now, peer }: { readonly now: Instant; readonly peer: Peer },
    turn?: Turn,
  ): Promise<LoggedRecord> {
    const [signer, ...cosigners] = await this.#identify(envelope, signers, now);
    let statement: LoggableStatement | null = null;
    try {
      statement = readSigned(parseLoggable, envelope.payload);
      for (const key of [signer, ...cosigners]) this.#checkPeer(peer, key, now);
      // The end of a station may be delivered twice, and everything else ends with it.
      if (!isRetirement(statement)) this.#context.identities.demandActive(signer);
      await turn?.begin(effectsOf(statement));
      return await this.#registrar.record(envelope, statement, { signer, cosigners, attachments, now }, turn);
    } catch (error) {
      throw await this.#refuse(error, describeRequest(signer, statement), now);
    }
  }

  /** Throws ID-101 to ID-106. */
  #checkPeer(peer: Peer, signer: TrustedKey, now: Instant): void {
    checkPeer(peer, signer, { rules: this.#context.rules, keys: this.#context.keys(), now });
  }

  /** The keys that made an envelope's signatures. Throws LS-502. */
  async #findSigners(envelope: Envelope, now: Instant): Signers {
    const signers = this.#context.keys().claimedSigners(envelope, now);
    for (const { key, owner } of signers) {
      const isSigner = await this.#checkSignature(envelope, key);
      ensure(isSigner, 'LS-502', `a signature by the key of ${owner}`, 'one that does not verify');
    }
    return signers;
  }

  /** Whoever cannot be identified gets a refusal too, which says nothing about what they claimed. */
  async #identify(envelope: Envelope, signers: Signers, now: Instant): Signers {
    try {
      return await signers;
    } catch (error) {
      throw await this.#refuse(error, describeStranger(envelope), now);
    }
  }

  /** The error a caller gets: a "no" is recorded first and carries its receipt. */
  async #refuse(error: unknown, request: RefusedRequest, now: Instant): Promise<unknown> {
    const refused = toSilentKey(error) ?? error;
    if (!(refused instanceof RefusedError) || refused instanceof LineRefusedError) return refused;
    const settled = await this.#ledger.findSettled(request);
    if (settled !== null) return settled;
    const refusal = await this.#ledger.record(refused, request, now);
    return new LineRefusedError(refused.code, refused.message, refusal);
  }
}

function isRetirement(statement: LoggableStatement): boolean {
  return statement.kind === 'siteRecord' && statement.rule.kind === STATION_RETIREMENT_KIND;
}
