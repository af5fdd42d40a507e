// SPDX-License-Identifier: Apache-2.0
/** Process adapter: the remote_bitbang server as a program of its own. */
import { encodeHex, type Bytes } from '@witnessmark/core';
import { BoardProcess } from '../board-process.ts';
import type { McuProfile } from '../profile.ts';

export interface RemoteBitbangProcessOptions {
  /** State file of the part; made when `uniqueId` is given and it does not exist. */
  readonly partPath: string;
  readonly uniqueId?: Bytes;
  readonly profile?: McuProfile;
}

/** A running server; `close` ends it after its last save. */
export class RemoteBitbangProcess {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly #process: BoardProcess;

  private constructor(running: BoardProcess) {
    this.#process = running;
    this.host = running.host;
    this.port = running.port;
    this.pid = running.pid;
  }

  /** Throws `ERR_DEVICE_TOOL` when it does not come up, with what it said. */
  static async start({ partPath, uniqueId, profile }: RemoteBitbangProcessOptions): Promise<RemoteBitbangProcess> {
    const args = [
      ...['--part', partPath],
      ...(uniqueId === undefined ? [] : ['--unique-id', encodeHex(uniqueId)]),
      ...(profile === undefined ? [] : ['--profile', profile.id]),
    ];
    const program = new URL('./server-main', import.meta.url);
    return new RemoteBitbangProcess(await BoardProcess.start({ name: 'remote_bitbang server', program, args }));
  }

  async close(): Promise<void> {
    await this.#process.close();
  }
}
