// SPDX-License-Identifier: Apache-2.0
/** Which unit's label was sent to the printer and not scanned back: kept on the station's disk from before the first byte is sent. */
import { encodeUtf8, parseStrictJson, WitnessmarkError } from '@witnessmark/core';
import { sha256Text } from '@witnessmark/attestation';
import { z } from 'zod';
import { StationError } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import { replaceFile } from '../replace-file.ts';

const DIRECTORY = 'labels';
const FILE = `${DIRECTORY}/waiting.json`;
const DRAFT = `${DIRECTORY}/waiting.draft`;
const MAX_BYTES = 1024;

const schema = z.strictObject({ deviceId: sha256Text, serial: z.string().min(1).max(128) });

/** A unit that is to be labelled before the next one. */
export type WaitingUnit = z.infer<typeof schema>;

export class WaitingLabel {
  readonly #files: FileSystem;

  constructor(files: FileSystem) {
    this.#files = files;
  }

  /** Throws `ERR_STATION_JOURNAL_DAMAGED` for a file this station did not write. */
  async read(): Promise<WaitingUnit | null> {
    const bytes = await this.#files.read(FILE);
    if (bytes === null) return null;
    try {
      if (bytes.length <= MAX_BYTES) return schema.parse(parseStrictJson(bytes));
    } catch (error) {
      if (!(error instanceof WitnessmarkError || error instanceof z.ZodError)) throw error;
    }
    throw new StationError('ERR_STATION_JOURNAL_DAMAGED', `${FILE} holds something else than a waiting label`);
  }

  /** Durable when it resolves. */
  async keep({ deviceId, serial }: WaitingUnit): Promise<void> {
    await this.#durably(async () => {
      await this.#files.makeDirectory(DIRECTORY);
      const bytes = encodeUtf8(JSON.stringify({ deviceId, serial }));
      await replaceFile(this.#files, { path: FILE, draft: DRAFT }, bytes);
      await this.#files.syncDirectory('.');
    });
  }

  async forget(): Promise<void> {
    if ((await this.#files.read(FILE)) === null) return;
    await this.#durably(async () => {
      await this.#files.remove(FILE);
      await this.#files.syncDirectory(DIRECTORY);
    });
  }

  async #durably(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw new StationError('ERR_STATION_STORAGE', 'the waiting label cannot be kept', { cause });
    }
  }
}
