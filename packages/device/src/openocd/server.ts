// SPDX-License-Identifier: Apache-2.0
/** Socket adapter: serves a bay over remote_bitbang on the loopback interface, to the newest client. */
import type { Socket } from 'node:net';
import { DeviceError } from '../error.ts';
import { LoopbackServer } from '../loopback.ts';
import type { McuBay } from '../stm32/mcu-bay.ts';
import { RemoteBitbangAdapter } from './remote-bitbang.ts';

export interface RemoteBitbangServerOptions {
  readonly bay: McuBay;
  /** 0 takes a free one. */
  readonly port?: number;
  /** Called whenever a client has gone and once before the server ends. */
  readonly persist?: () => void;
}

export class RemoteBitbangServer {
  readonly #server: LoopbackServer;
  readonly #bay: McuBay;
  readonly #persist: () => void;
  #client: Socket | null = null;

  private constructor(options: RemoteBitbangServerOptions) {
    this.#bay = options.bay;
    this.#persist = options.persist ?? (() => undefined);
    this.#server = new LoopbackServer((socket) => {
      this.#serve(socket);
    });
  }

  /** Rejects when the port is taken. */
  static async open(options: RemoteBitbangServerOptions): Promise<RemoteBitbangServer> {
    const server = new RemoteBitbangServer(options);
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
    this.#client?.destroy();
    await this.#server.close();
    this.#persist();
  }

  #serve(socket: Socket): void {
    // There is one set of wires: a client that was killed may not be gone yet when its successor comes.
    this.#client?.destroy();
    this.#client = socket;
    const adapter = new RemoteBitbangAdapter(this.#bay);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      if (socket !== this.#client) return;
      try {
        const { output, ended } = adapter.receive(new Uint8Array(bytes));
        if (output.length > 0) socket.write(output);
        if (ended) socket.end();
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        socket.destroy();
      }
    });
    // A client that resets the connection is a client that has gone; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (socket === this.#client) this.#client = null;
      this.#persist();
    });
  }
}
