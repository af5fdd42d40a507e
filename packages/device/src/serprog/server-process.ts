// SPDX-License-Identifier: Apache-2.0
/** The serprog server as a program of its own. */
import { encodeHex, type Bytes } from '@witnessmark/core';
import { BoardProcess, startBoardProgram } from '../board-process.ts';
import type { DeviceProfile } from '../profile.ts';

export interface SerprogProcessOptions {
  /** Chip file; made when `uniqueId` is given and it does not exist. */
  readonly chipPath: string;
  readonly uniqueId?: Bytes;
  readonly profile?: DeviceProfile;
  readonly writeProtectPin?: 'low' | 'high';
}

export class SerprogProcess extends BoardProcess {
  /** Throws `ERR_DEVICE_TOOL` when it does not come up, with what it said. */
  static async start(settings: SerprogProcessOptions): Promise<SerprogProcess> {
    const { chipPath, uniqueId, profile, writeProtectPin } = settings;
    const started = await startBoardProgram({
      name: 'serprog server',
      program: new URL('./server-main', import.meta.url),
      options: {
        chip: chipPath,
        'unique-id': uniqueId && encodeHex(uniqueId),
        profile: profile?.id,
        'write-protect-pin': writeProtectPin,
      },
    });
    return new SerprogProcess(started);
  }
}
