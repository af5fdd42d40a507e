// SPDX-License-Identifier: Apache-2.0
/** Socket adapter: the server of a simulated board, which only this machine reaches. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Bytes } from '@witnessmark/core';
import { DeviceError } from './error.ts';

const LOOPBACK = '127.0.0.1';

export interface LoopbackServerOptions<Bay> {
  /** Where the board sits. */
  readonly bay: Bay;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Called whenever a client has gone and once before the server ends. */
  readonly persist?: () => void;
}

export abstract class LoopbackServer<Bay> {
  readonly host = LOOPBACK;
  protected readonly bay: Bay;
  readonly #persist: () => void;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  protected constructor({ bay, persist }: LoopbackServerOptions<Bay>) {
    this.bay = bay;
    this.#persist = persist ?? (() => undefined);
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when the last connection is gone. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#persist();
  }

  /** Rejects when the port is taken. */
  protected listen(port = 0): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, LOOPBACK, resolve);
    });
  }

  /** Takes a new client, and returns what takes its bytes; a `DeviceError` from there ends the connection. */
  protected abstract accept(client: Socket): (bytes: Bytes) => void;

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    // The protocols are a short question and a short answer at a time; Nagle's algorithm would add 40 ms to each.
    socket.setNoDelay(true);
    const receive = this.accept(socket);
    socket.on('data', (bytes) => {
      try {
        receive(new Uint8Array(bytes));
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        socket.destroy();
      }
    });
    // A client that resets the connection is a client that has gone; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#persist();
    });
  }
}
