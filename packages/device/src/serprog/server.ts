// SPDX-License-Identifier: Apache-2.0
/** Socket adapter: serves a bay over serprog on the loopback interface. */
import type { Socket } from 'node:net';
import type { DeviceBay } from '../simulated/device-bay.ts';
import { DeviceError } from '../error.ts';
import { LoopbackServer } from '../loopback.ts';
import { SerprogProgrammer } from './programmer.ts';

export interface SerprogServerOptions {
  readonly bay: DeviceBay;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Called whenever a client has gone and once before the server ends. */
  readonly persist?: () => void;
}

export class SerprogServer {
  readonly #server: LoopbackServer;
  readonly #sockets = new Set<Socket>();
  readonly #bay: DeviceBay;
  readonly #persist: () => void;

  private constructor(options: SerprogServerOptions) {
    this.#bay = options.bay;
    this.#persist = options.persist ?? (() => undefined);
    this.#server = new LoopbackServer((socket) => {
      this.#serve(socket);
    });
  }

  /** Rejects when the port is taken. */
  static async open(options: SerprogServerOptions): Promise<SerprogServer> {
    const server = new SerprogServer(options);
    await server.#server.listen(options.port);
    return server;
  }

  get host(): string {
    return this.#server.host;
  }

  get port(): number {
    return this.#server.port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#server.close();
    this.#persist();
  }

  #serve(socket: Socket): void {
    const programmer = new SerprogProgrammer(this.#bay);
    this.#sockets.add(socket);
    // The protocol is a short question and a short answer at a time; Nagle's algorithm would add 40 ms to each.
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      try {
        socket.write(programmer.receive(new Uint8Array(bytes)));
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
