// SPDX-License-Identifier: Apache-2.0
/** Serves a bay over remote_bitbang on the loopback interface, to the newest client. */
import type { Socket } from 'node:net';
import type { Bytes } from '@witnessmark/core';
import { LoopbackServer, type LoopbackServerOptions } from '../loopback.ts';
import type { McuBay } from '../stm32/mcu-bay.ts';
import { RemoteBitbangAdapter } from './remote-bitbang.ts';

export type RemoteBitbangServerOptions = LoopbackServerOptions<McuBay>;

export class RemoteBitbangServer extends LoopbackServer<McuBay> {
  #newest: Socket | null = null;

  /** Rejects when the port is taken. */
  static async open(options: RemoteBitbangServerOptions): Promise<RemoteBitbangServer> {
    const server = new RemoteBitbangServer(options);
    await server.listen(options.port);
    return server;
  }

  protected override accept(client: Socket): (bytes: Bytes) => void {
    // There is one set of wires: a client that was killed may not be gone yet when its successor comes.
    this.#newest?.destroy();
    this.#newest = client;
    const adapter = new RemoteBitbangAdapter(this.bay);
    return (bytes) => {
      if (client !== this.#newest) return;
      const { output, ended } = adapter.receive(bytes);
      if (output.length > 0) client.write(output);
      if (ended) client.end();
    };
  }
}
