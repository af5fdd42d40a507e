// SPDX-License-Identifier: Apache-2.0
/** A simulated microcontroller that outlives its process. */
import type { Bytes } from '@witnessmark/core';
import { PartFile, readPartFile, requirePart, requireUniqueId } from '../part-file.ts';
import type { McuProfile } from '../profile.ts';
import { Stm32Mcu } from './mcu.ts';
import { blankMcu, formatMcuState, parseMcuState } from './mcu-state.ts';

export interface McuFileOptions {
  readonly profile: McuProfile;
  /** Makes a blank part of this unique id when there is no file; a file of another part is refused. */
  readonly uniqueId?: Bytes;
}

export class McuFile extends PartFile<Stm32Mcu> {
  /** Throws `ERR_DEVICE_CHIP_FILE` when the file is missing, damaged, or holds another part. */
  static open(path: string, { profile, uniqueId }: McuFileOptions): McuFile {
    const bytes = readPartFile(path);
    if (bytes === null) {
      const blank = blankMcu({ ...profile, uniqueId: requireUniqueId(path, uniqueId) });
      const file = new McuFile(path, new Stm32Mcu(blank), false);
      file.save();
      return file;
    }
    const state = parseMcuState(bytes);
    requirePart(path, state, profile, uniqueId);
    return new McuFile(path, new Stm32Mcu(state), true);
  }

  protected override format(): Bytes {
    return formatMcuState(this.chip.snapshot());
  }
}
