// SPDX-License-Identifier: Apache-2.0
/** A simulated chip that outlives its process. */
import type { Bytes } from '@witnessmark/core';
import { PartFile, readPartFile, requirePart, requireUniqueId } from '../part-file.ts';
import type { DeviceProfile } from '../profile.ts';
import { SpiNorChip, type ChipOptions } from '../spi-nor/chip.ts';
import { blankChip, formatChipState, parseChipState } from '../spi-nor/chip-state.ts';

export interface ChipFileOptions extends ChipOptions {
  readonly profile: DeviceProfile;
  /** Makes a blank chip of this unique id when there is no file; a file of another chip is refused. */
  readonly uniqueId?: Bytes;
}

export class ChipFile extends PartFile<SpiNorChip> {
  /** Throws `ERR_DEVICE_CHIP_FILE` when the file is missing, damaged, or holds another part. */
  static open(path: string, options: ChipFileOptions): ChipFile {
    const { profile, uniqueId } = options;
    const bytes = readPartFile(path);
    if (bytes === null) {
      const blank = blankChip({ ...profile, uniqueId: requireUniqueId(path, uniqueId) });
      const file = new ChipFile(path, new SpiNorChip(blank, options), false);
      file.save();
      return file;
    }
    const state = parseChipState(bytes);
    requirePart(path, state, profile, uniqueId);
    return new ChipFile(path, new SpiNorChip(state, options), true);
  }

  protected override format(): Bytes {
    return formatChipState(this.chip.snapshot());
  }
}
