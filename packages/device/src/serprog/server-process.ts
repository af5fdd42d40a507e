// SPDX-License-Identifier: Apache-2.0
/** Process adapter: the serprog server as a program of its own. */
import { encodeHex, type Bytes } from '@witnessmark/core';
import { BoardProcess } from '../board-process.ts';
import type { DeviceProfile } from '../profile.ts';

export interface SerprogProcessOptions {
  /** Chip file; made when `uniqueId` is given and it does not exist. */
  readonly chipPath: string;
  readonly uniqueId?: Bytes;
  readonly profile?: DeviceProfile;
  readonly writeProtectPin?: 'low' | 'high';
}

/** A running server; `close` ends it after its last save. */
export class SerprogProcess {
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
  static async start(options: SerprogProcessOptions): Promise<SerprogProcess> {
    const program = new URL('./server-main', import.meta.url);
    return new SerprogProcess(
      await BoardProcess.start({ name: 'serprog server', program, args: serverArguments(options) }),
    );
  }

  async close(): Promise<void> {
    await this.#process.close();
  }
}

function serverArguments(options: SerprogProcessOptions): string[] {
  const { chipPath, uniqueId, profile, writeProtectPin } = options;
  return [
    ...['--chip', chipPath],
    ...(uniqueId === undefined ? [] : ['--unique-id', encodeHex(uniqueId)]),
    ...(profile === undefined ? [] : ['--profile', profile.id]),
    ...(writeProtectPin === undefined ? [] : ['--write-protect-pin', writeProtectPin]),
  ];
}
