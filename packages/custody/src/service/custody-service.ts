// SPDX-License-Identifier: Apache-2.0
/**
 * What the custody process decides: who may use which key for what, that an intent is durable before the token is asked,
 * and that one request id is one signature (I14, I15).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  decodeBase64,
  encodeBase64,
  formatInstant,
  RefusedError,
  sha256Hex,
  type Bytes,
  type Clock,
  type ReasonCode,
} from '@witnessmark/core';
import type { Signer } from '../signer.ts';
import type { Journal } from './journal.ts';
import type { OfferedKey, SignMessage } from './protocol.ts';
import type { IntentRecord, JournalRecord, OutcomeRecord } from './records.ts';

export interface CustodyClientEntry {
  readonly name: string;
  /** SHA-256 of the token text, hexadecimal. */
  readonly tokenSha256: string;
  readonly allow: readonly { readonly key: string; readonly purposes: readonly string[] }[];
}

export interface CustodyServiceOptions {
  readonly keys: ReadonlyMap<string, Signer>;
  readonly clients: readonly CustodyClientEntry[];
  readonly journal: Journal;
  readonly clock: Clock;
}

interface Request {
  /** Client, key, purpose and digest: what one id stands for. */
  readonly fingerprint: string;
  readonly answer: Promise<Bytes>;
}

/** After these nobody knows whether the token signed. */
const UNKNOWN_CODES: ReadonlySet<ReasonCode> = new Set(['CU-103', 'CU-110', 'CU-111']);
/** So many ids are remembered in memory; older ones are in older segments. */
const MAX_REMEMBERED = 50_000;

export class CustodyService {
  readonly #keys: ReadonlyMap<string, Signer>;
  readonly #clients: ReadonlyMap<string, CustodyClientEntry>;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #requests = new Map<string, Request>();

  private constructor(options: CustodyServiceOptions) {
    this.#keys = options.keys;
    this.#clients = new Map(options.clients.map((client) => [client.name, client]));
    this.#journal = options.journal;
    this.#clock = options.clock;
  }

  /** Goes through the journal, and writes down what was interrupted. Throws CU-156. */
  static async open(options: CustodyServiceOptions): Promise<CustodyService> {
    const service = new CustodyService(options);
    for (const { id } of options.journal.openIntents()) {
      await options.journal.append({ kind: 'unknown', id, code: 'CU-158' });
    }
    service.#remember(options.journal);
    return service;
  }

  /** Throws CU-151, with the same words whether the client or its token is unknown. */
  authenticate(name: string, token: string): CustodyClientEntry {
    const client = this.#clients.get(name);
    const digest = createHash('sha256').update(token).digest();
    const expected = client === undefined ? Buffer.alloc(digest.length) : Buffer.from(client.tokenSha256, 'hex');
    const isRight = expected.length === digest.length && timingSafeEqual(digest, expected);
    if (client === undefined || !isRight)
      throw new RefusedError('CU-151', 'the client and its token do not belong together');
    return client;
  }

  /** The keys a client may use. */
  keysOf(client: CustodyClientEntry): OfferedKey[] {
    return client.allow.flatMap(({ key: name }) => {
      const signer = this.#keys.get(name);
      return signer === undefined ? [] : [{ name, publicKey: signer.publicKey, custody: signer.custody }];
    });
  }

  /** Rejects with CU-153, CU-154, CU-156, CU-158, or what the token says. */
  sign(client: CustodyClientEntry, request: SignMessage): Promise<Bytes> {
    const digest = sha256Hex(request.message);
    const fingerprint = fingerprintOf({ client: client.name, key: request.key, purpose: request.purpose, digest });
    const earlier = this.#requests.get(request.id);
    if (earlier !== undefined) {
      if (earlier.fingerprint === fingerprint) return earlier.answer;
      return Promise.reject(new RefusedError('CU-154', `request ${request.id} was used before for something else`));
    }
    const signer = this.#keys.get(request.key);
    const isAllowed = client.allow.some(
      ({ key, purposes }) => key === request.key && purposes.includes(request.purpose),
    );
    if (signer === undefined || !isAllowed) {
      const message = `${client.name} may not use key ${request.key} for ${request.purpose}`;
      return Promise.reject(new RefusedError('CU-153', message));
    }
    const intent: IntentRecord = {
      kind: 'intent',
      id: request.id,
      at: formatInstant(this.#clock.now()),
      client: client.name,
      key: request.key,
      keyid: signer.publicKey.keyid,
      purpose: request.purpose,
      digest,
    };
    // The message belongs to a buffer of the connection; what is signed later must be what was read now.
    const answer = this.#signAccounted(signer, intent, request.message.slice());
    this.#keep(request.id, { fingerprint, answer });
    return answer;
  }

  /**
   * The answer does not wait for its outcome to be durable: the intent accounts for the signature, and an id whose
   * outcome was lost answers CU-158.
   */
  async #signAccounted(signer: Signer, intent: IntentRecord, message: Bytes): Promise<Bytes> {
    const { id } = intent;
    await this.#journal.append(intent);
    try {
      const signature = await signer.sign(message);
      this.#journal.appendLater({ kind: 'result', id, signature: encodeBase64(signature) });
      return signature;
    } catch (error) {
      this.#journal.appendLater(outcomeOf(id, error));
      throw error;
    }
  }

  #remember(journal: Journal): void {
    const intents = new Map<string, IntentRecord>();
    for (const record of journal.takeHistory()) this.#replay(record, intents);
    for (const { id } of intents.values()) this.#settle(intents, { kind: 'unknown', id, code: 'CU-158' });
  }

  #replay(record: JournalRecord, intents: Map<string, IntentRecord>): void {
    if (record.kind === 'intent') intents.set(record.id, record);
    else if (record.kind === 'segment') for (const intent of record.open) intents.set(intent.id, intent);
    else this.#settle(intents, record);
  }

  #settle(intents: Map<string, IntentRecord>, outcome: OutcomeRecord): void {
    const intent = intents.get(outcome.id);
    if (intent === undefined) return;
    intents.delete(outcome.id);
    this.#keep(outcome.id, { fingerprint: fingerprintOf(intent), answer: answerOf(outcome) });
  }

  #keep(id: string, request: Request): void {
    // Whoever asked has a handler; a remembered refusal may have none.
    request.answer.catch(() => undefined);
    this.#requests.set(id, request);
    if (this.#requests.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#requests.keys();
    if (oldest !== undefined) this.#requests.delete(oldest);
  }
}

function outcomeOf(id: string, error: unknown): OutcomeRecord {
  if (!(error instanceof RefusedError)) return { kind: 'unknown', id, code: 'CU-111' };
  return { kind: UNKNOWN_CODES.has(error.code) ? 'unknown' : 'failure', id, code: error.code };
}

/** What a repeated request gets: the same signature, the same refusal, or that nobody can tell. */
function answerOf(outcome: OutcomeRecord): Promise<Bytes> {
  if (outcome.kind === 'result') return Promise.resolve(decodeBase64(outcome.signature));
  const code = outcome.kind === 'unknown' ? 'CU-158' : outcome.code;
  const answer = Promise.reject(new RefusedError(code, `request ${outcome.id} was answered before`));
  answer.catch(() => undefined);
  return answer;
}

function fingerprintOf(of: Pick<IntentRecord, 'client' | 'key' | 'purpose' | 'digest'>): string {
  // None of them holds a line break.
  return `${of.client}\n${of.key}\n${of.purpose}\n${of.digest}`;
}
