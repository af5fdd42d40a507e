// SPDX-License-Identifier: Apache-2.0
/**
 * Keys of the custody process as `Signer`s. A request that was cut off is asked again, once, with its id: custody answers
 * it once. Adapter of the unix socket.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { equalBytes, RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import {
  formatHello,
  formatSign,
  FrameReader,
  parseServerMessage,
  PROTOCOL_LIMITS,
  type OfferedKey,
  type ServerMessage,
} from './protocol.ts';
import type { Signer } from '../signer.ts';

/** What the key is used for, as custody writes it into its journal: a name, or one that follows from the message. */
export type Purpose = string | ((message: Bytes) => string);

export interface CustodyClientOptions {
  readonly socketPath: string;
  /** The name custody knows this client by. */
  readonly client: string;
  /** Holds the client token; mode 0600. */
  readonly tokenFile: string;
  /** UUIDs, for requests that come without one. */
  readonly newId: () => string;
  readonly timeoutMs?: number;
}

export interface SignatureRequest {
  /** A UUID; the same id and message give the same signature, made once. */
  readonly id: string;
  readonly key: string;
  /** Of the key that is meant. */
  readonly keyid: string;
  readonly purpose: string;
  readonly message: Bytes;
}

interface Pending {
  readonly request: Pick<SignatureRequest, 'key' | 'keyid'>;
  readonly frame: Bytes;
  readonly answer: PromiseWithResolvers<Bytes>;
  readonly timer: NodeJS.Timeout;
  wasAskedAgain: boolean;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const GROUP_AND_OTHERS = 0o077;

export class CustodyClient {
  readonly #options: CustodyClientOptions;
  readonly #token: string;
  readonly #pending = new Map<string, Pending>();
  #keys: readonly OfferedKey[] = [];
  /** Names whose key was compared on this connection. */
  readonly #sameKeys = new Set<string>();
  #socket: Socket | null = null;
  #connecting: Promise<Socket> | null = null;
  #unsent: Bytes[] = [];
  #isClosed = false;

  private constructor(options: CustodyClientOptions) {
    this.#options = options;
    this.#token = readToken(options.tokenFile);
  }

  /** Throws CU-151 or CU-155. */
  static async connect(options: CustodyClientOptions): Promise<CustodyClient> {
    const client = new CustodyClient(options);
    await client.#connected();
    return client;
  }

  /** Throws CU-153 when custody does not offer the key. */
  key(name: string, purpose: Purpose): CustodyKey {
    const key = this.#keys.find((candidate) => candidate.name === name);
    if (key === undefined) throw new RefusedError('CU-153', `custody offers no key ${name} to ${this.#options.client}`);
    return new CustodyKey(this, key, purpose, this.#options.newId);
  }

  /** Rejects with CU-110 after the time limit, CU-155 when custody is away, CU-205 when its key is another, or as it refuses. */
  async sign(request: SignatureRequest): Promise<Bytes> {
    if (request.message.length > PROTOCOL_LIMITS.maxMessageBytes) {
      const message = `${request.message.length} bytes to sign, at most ${PROTOCOL_LIMITS.maxMessageBytes} are taken`;
      throw new RefusedError('CU-152', message);
    }
    const socket = this.#socket ?? (await this.#connected());
    this.#demandSameKey(request.key, request.keyid);
    const { id, key, purpose, message } = request;
    const frame = formatSign({ type: 'sign', id, key, purpose, message });
    const asked = this.#pending.get(request.id);
    if (asked !== undefined) {
      if (equalBytes(asked.frame, frame)) return asked.answer.promise;
      throw new RefusedError('CU-154', `request ${request.id} is under way for something else`);
    }
    const answer = Promise.withResolvers<Bytes>();
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => {
      this.#settle(request.id)?.answer.reject(
        new RefusedError('CU-110', `custody did not answer within ${timeoutMs} ms`),
      );
    }, timeoutMs);
    this.#pending.set(request.id, { request, frame, answer, timer, wasAskedAgain: false });
    this.#send(socket, frame);
    return answer.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
    this.#socket = null;
    this.#refuseAll('the client was closed');
  }

  /** Custody may have been started anew with other keys; a signature by one of those would be found out much later. */
  #demandSameKey(name: string, keyid: string): void {
    if (this.#sameKeys.has(name)) return;
    const found = this.#keys.find((candidate) => candidate.name === name)?.publicKey.keyid ?? 'none';
    if (found !== keyid) throw new RefusedError('CU-205', `expected key ${keyid} under ${name}, found ${found}`);
    this.#sameKeys.add(name);
  }

  /** Requests of one turn leave together. */
  #send(socket: Socket, frame: Bytes): void {
    this.#unsent.push(frame);
    if (this.#unsent.length > 1) return;
    queueMicrotask(() => {
      socket.write(Buffer.concat(this.#unsent));
      this.#unsent = [];
    });
  }

  #connected(): Promise<Socket> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Socket> {
    if (this.#isClosed) throw new RefusedError('CU-155', 'the client was closed');
    const { socketPath, client } = this.#options;
    const socket = connect(socketPath);
    const ready = Promise.withResolvers<readonly OfferedKey[]>();
    const reader = new FrameReader();
    socket.on('error', (cause) => {
      ready.reject(new RefusedError('CU-155', `custody does not answer at ${socketPath}`, { cause }));
    });
    socket.on('close', () => {
      ready.reject(new RefusedError('CU-155', 'custody closed the connection'));
      if (this.#socket === socket) this.#lost();
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) this.#receive(parseServerMessage(frame), ready);
      } catch (error) {
        ready.reject(error);
        socket.destroy();
      }
    });
    socket.write(formatHello({ type: 'hello', client, token: this.#token }));
    this.#keys = await ready.promise;
    this.#sameKeys.clear();
    this.#socket = socket;
    return socket;
  }

  #receive(message: ServerMessage, ready: PromiseWithResolvers<readonly OfferedKey[]>): void {
    if (message.type === 'welcome') ready.resolve(message.keys);
    else if (message.type === 'signature') this.#settle(message.id)?.answer.resolve(message.signature);
    else {
      const refusal = new RefusedError(message.code, message.detail);
      if (message.id === null) ready.reject(refusal);
      else this.#settle(message.id)?.answer.reject(refusal);
    }
  }

  #settle(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }

  #lost(): void {
    this.#socket = null;
    this.#unsent = [];
    for (const [id, pending] of this.#pending) {
      if (pending.wasAskedAgain) this.#settle(id)?.answer.reject(new RefusedError('CU-155', 'custody went away twice'));
      pending.wasAskedAgain = true;
    }
    if (this.#pending.size === 0 || this.#isClosed) return;
    this.#connected().then(
      (socket) => {
        for (const [id, { request, frame, answer }] of this.#pending) {
          try {
            this.#demandSameKey(request.key, request.keyid);
            this.#send(socket, frame);
          } catch (error) {
            this.#settle(id);
            answer.reject(error);
          }
        }
      },
      () => {
        this.#refuseAll('custody went away before it answered');
      },
    );
  }

  #refuseAll(message: string): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.answer.reject(new RefusedError('CU-155', message));
  }
}

export class CustodyKey implements Signer {
  readonly publicKey: PublicKey;
  readonly custody: Signer['custody'];
  readonly #client: CustodyClient;
  readonly #name: string;
  readonly #purpose: Purpose;
  readonly #newId: () => string;

  constructor(client: CustodyClient, key: OfferedKey, purpose: Purpose, newId: () => string) {
    this.publicKey = key.publicKey;
    this.custody = key.custody;
    this.#client = client;
    this.#name = key.name;
    this.#purpose = purpose;
    this.#newId = newId;
  }

  sign(message: Bytes): Promise<Bytes> {
    return this.signAs(this.#newId(), message);
  }

  /** With a request id of the caller: the same id and message give the same signature, made once. */
  signAs(id: string, message: Bytes): Promise<Bytes> {
    const purpose = typeof this.#purpose === 'string' ? this.#purpose : this.#purpose(message);
    const { keyid } = this.publicKey;
    return this.#client.sign({ id, key: this.#name, keyid, purpose, message });
  }
}

function readToken(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new RefusedError('CU-151', `the client token ${path} cannot be read`, { cause });
  }
  try {
    if ((fstatSync(file).mode & GROUP_AND_OTHERS) !== 0) {
      throw new RefusedError('CU-151', `${path} can be read by others; its mode must be 0600`);
    }
    const token = readFileSync(file, 'utf8').trim();
    if (!/^[0-9a-f]{64}$/.test(token)) throw new RefusedError('CU-151', `${path} does not hold a client token`);
    return token;
  } finally {
    closeSync(file);
  }
}
