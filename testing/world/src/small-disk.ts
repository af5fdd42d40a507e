// SPDX-License-Identifier: Apache-2.0
/** A real file system that is soon full: a tmpfs of a few KiB or MiB, which root may mount. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** `size` as mount takes it, for example `256k`; null where this process may not mount. */
  static mount(size: string): SmallDisk | null {
    const path = mkdtempSync(join(tmpdir(), 'witnessmark-disk-'));
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
    if (status === 0) return new SmallDisk(path);
    rmSync(path, { recursive: true });
    return null;
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  unmount(): void {
    spawnSync('umount', ['-l', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Whether this process may mount at all. */
export function canMountDisks(): boolean {
  const disk = SmallDisk.mount('64k');
  disk?.unmount();
  return disk !== null;
}
