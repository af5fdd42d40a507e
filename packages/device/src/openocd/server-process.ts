// SPDX-License-Identifier: Apache-2.0
/** The remote_bitbang server as a program of its own. */
import { encodeHex, type Bytes } from '@witnessmark/core';
import { BoardProcess, startBoardProgram } from '../board-process.ts';
import type { McuProfile } from '../profile.ts';

export interface RemoteBitbangProcessOptions {
  /** State file of the part; made when `uniqueId` is given and it does not exist. */
  readonly partPath: string;
  readonly uniqueId?: Bytes;
  readonly profile?: McuProfile;
}

export class RemoteBitbangProcess extends BoardProcess {
  /** Throws `ERR_DEVICE_TOOL` when it does not come up, with what it said. */
  static async start({ partPath, uniqueId, profile }: RemoteBitbangProcessOptions): Promise<RemoteBitbangProcess> {
    const started = await startBoardProgram({
      name: 'remote_bitbang server',
      program: new URL('./server-main', import.meta.url),
      options: { part: partPath, 'unique-id': uniqueId && encodeHex(uniqueId), profile: profile?.id },
    });
    return new RemoteBitbangProcess(started);
  }
}
