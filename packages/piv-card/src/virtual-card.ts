// SPDX-License-Identifier: Apache-2.0
/** A card in the hand of a test: insert it, pull it, touch it, ask it how it is. */
import { Worker } from 'node:worker_threads';

export interface CardStart {
  readonly serial: number;
  readonly pin: string;
  readonly puk: string;
}

export interface CardStatus {
  readonly pinTries: number;
  readonly signatures: number;
  readonly isInserted: boolean;
  /** The certificate of the attestation root, DER. */
  readonly root: Uint8Array;
}

type CardOrder =
  | { readonly do: 'insert'; readonly port: number }
  | { readonly do: 'pull' | 'pullAtSignature' | 'status' }
  | { readonly do: 'touch'; readonly isTouched: boolean };
export type CardRequest = CardOrder & { readonly id: number };

export class VirtualCard {
  readonly serial: number;
  readonly #worker: Worker;
  readonly #pending = new Map<number, PromiseWithResolvers<CardStatus>>();
  #lastId = 0;

  constructor(start: CardStart) {
    this.serial = start.serial;
    this.#worker = new Worker(new URL('./card-worker.ts', import.meta.url), { workerData: start });
    this.#worker.on('message', ({ id, status }: { id: number; status: CardStatus }) => {
      this.#pending.get(id)?.resolve(status);
      this.#pending.delete(id);
    });
    this.#worker.on('error', (error) => {
      for (const pending of this.#pending.values()) pending.reject(error);
      this.#pending.clear();
    });
  }

  /** Resolves once the reader at `port` has read the card's answer to reset. */
  async insert(port: number): Promise<void> {
    await this.#ask({ do: 'insert', port });
  }

  async pull(): Promise<void> {
    await this.#ask({ do: 'pull' });
  }

  /** Pulls the card when the next signature has been asked for and before it is made. */
  async pullAtSignature(): Promise<void> {
    await this.#ask({ do: 'pullAtSignature' });
  }

  async setTouched(isTouched: boolean): Promise<void> {
    await this.#ask({ do: 'touch', isTouched });
  }

  status(): Promise<CardStatus> {
    return this.#ask({ do: 'status' });
  }

  async destroy(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(order: CardOrder): Promise<CardStatus> {
    const id = (this.#lastId += 1);
    const answer = Promise.withResolvers<CardStatus>();
    this.#pending.set(id, answer);
    this.#worker.postMessage({ ...order, id });
    return answer.promise;
  }
}
