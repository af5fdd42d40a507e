// SPDX-License-Identifier: Apache-2.0
/** File adapter: what the files of simulated parts have in common. One process uses a part's file at a time. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { encodeHex, equalBytes, type Bytes } from '@witnessmark/core';
import { DeviceError } from './error.ts';
import type { BoardProfile } from './profile.ts';

interface PartState {
  readonly jedecId: string;
  readonly uniqueId: Bytes;
  readonly memory: Bytes;
}

/** A part that counts its changes. */
interface ChangingPart {
  readonly revision: number;
}

export abstract class PartFile<Part extends ChangingPart> {
  readonly path: string;
  readonly chip: Part;
  #savedRevision: number;

  /** `isSaved` when the part is as the file holds it. */
  protected constructor(path: string, chip: Part, isSaved: boolean) {
    this.path = path;
    this.chip = chip;
    this.#savedRevision = isSaved ? chip.revision : -1;
  }

  /** Replaces the file when the part changed; never leaves half of one. Throws `ERR_DEVICE_CHIP_FILE`. */
  save(): void {
    if (this.#savedRevision === this.chip.revision) return;
    const temporary = `${this.path}.tmp`;
    try {
      writeFileSync(temporary, this.format(), { mode: 0o600 });
      renameSync(temporary, this.path);
    } catch (cause) {
      throw new DeviceError('ERR_DEVICE_CHIP_FILE', `${this.path} cannot be written`, { cause });
    }
    this.#savedRevision = this.chip.revision;
  }

  /** The bytes of the file that holds the part as it is now. */
  protected abstract format(): Bytes;
}

/** Null when there is no file. */
export function readPartFile(path: string): Bytes | null {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new DeviceError('ERR_DEVICE_CHIP_FILE', `${path} cannot be read`, { cause: error });
  }
}

/** Throws `ERR_DEVICE_CHIP_FILE` when there is no unique id to make a new part with. */
export function requireUniqueId(path: string, uniqueId: Bytes | undefined): Bytes {
  if (uniqueId === undefined) throw new DeviceError('ERR_DEVICE_CHIP_FILE', `${path} does not exist`);
  return uniqueId;
}

/** Throws `ERR_DEVICE_CHIP_FILE` when the file holds another kind of part, or another one than was asked for. */
export function requirePart(path: string, state: PartState, profile: BoardProfile, uniqueId: Bytes | undefined): void {
  if (state.jedecId !== profile.jedecId || state.memory.length !== profile.sizeBytes) {
    throw new DeviceError('ERR_DEVICE_CHIP_FILE', `${path} holds a part ${state.jedecId}, not a ${profile.model}`);
  }
  if (uniqueId !== undefined && !equalBytes(uniqueId, state.uniqueId)) {
    const found = encodeHex(state.uniqueId);
    throw new DeviceError('ERR_DEVICE_CHIP_FILE', `${path} holds part ${found}, not ${encodeHex(uniqueId)}`);
  }
}
