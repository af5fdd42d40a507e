// SPDX-License-Identifier: Apache-2.0
/** The office's own evidence log: every candidate, decision and withdrawal, in order, as the line logs units. */
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { formatEnvelope, parseEnvelope, type Clock, type Envelope } from '@witnessmark/core';
import type { NoteSigner } from '@witnessmark/custody';
import { EvidenceLog, TileStorage, type Receipt } from '@witnessmark/log';
import { openSqliteStore, type SqliteStore } from '@witnessmark/store';

export interface OfficeLogOptions {
  readonly directory: string;
  readonly signer: NoteSigner;
  readonly clock: Clock;
}

export class OfficeLog {
  readonly #store: SqliteStore;
  readonly #log: EvidenceLog;

  private constructor(store: SqliteStore, log: EvidenceLog) {
    this.#store = store;
    this.#log = log;
  }

  /** Throws the `LG-` codes of a log that does not fit together, LG-110 when another process writes it. */
  static async open({ directory, signer, clock }: OfficeLogOptions): Promise<OfficeLog> {
    mkdirSync(directory, { recursive: true });
    const store = openSqliteStore({ path: join(directory, 'office.db') });
    try {
      const tiles = new TileStorage(join(directory, 'log'));
      return new OfficeLog(store, await EvidenceLog.open({ store, tiles, signer, clock }));
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** Resolves when the statement is durable in a signed tree. */
  record(envelope: Envelope): Promise<Receipt> {
    return this.#log.append({ entry: formatEnvelope(envelope) });
  }

  /** Every statement of the log, oldest first. */
  async *read(): AsyncGenerator<Envelope> {
    for (let index = 0; index < this.#log.size; index += 1) yield parseEnvelope(await this.#log.readEntry(index));
  }

  get size(): number {
    return this.#log.size;
  }

  /** Publishes the tiles and gives up the log. */
  async close(): Promise<void> {
    await this.#log.close();
    await this.#store.close();
  }
}
