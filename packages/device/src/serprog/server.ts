// SPDX-License-Identifier: Apache-2.0
/** Serves a bay over serprog on the loopback interface. */
import type { Socket } from 'node:net';
import type { Bytes } from '@witnessmark/core';
import { LoopbackServer, type LoopbackServerOptions } from '../loopback.ts';
import type { DeviceBay } from '../simulated/device-bay.ts';
import { SerprogProgrammer } from './programmer.ts';

export type SerprogServerOptions = LoopbackServerOptions<DeviceBay>;

export class SerprogServer extends LoopbackServer<DeviceBay> {
  /** Rejects when the port is taken. */
  static async open(options: SerprogServerOptions): Promise<SerprogServer> {
    const server = new SerprogServer(options);
    await server.listen(options.port);
    return server;
  }

  protected override accept(client: Socket): (bytes: Bytes) => void {
    const programmer = new SerprogProgrammer(this.bay);
    return (bytes) => client.write(programmer.receive(bytes));
  }
}
