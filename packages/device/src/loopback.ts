// SPDX-License-Identifier: Apache-2.0
/** Socket adapter: a server that only this machine reaches. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const LOOPBACK = '127.0.0.1';

export class LoopbackServer {
  readonly host = LOOPBACK;
  readonly #server: Server;

  constructor(serve: (socket: Socket) => void) {
    this.#server = createServer(serve);
  }

  /** Port 0 takes any that is free. Rejects when the port is taken. */
  listen(port = 0): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, LOOPBACK, resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when the last connection is gone. */
  close(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}
