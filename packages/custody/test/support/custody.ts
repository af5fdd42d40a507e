// SPDX-License-Identifier: Apache-2.0
/** A custody service in this process, on a unix socket, with keys that can be made to wait or fail. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bytes, Clock } from '@witnessmark/core';
import {
  CustodyClient,
  CustodyService,
  generateSoftwareKey,
  Journal,
  listenCustody,
  type CustodyClientEntry,
  type CustodyListener,
  type Signer,
} from '@witnessmark/custody';

export const FIXED_CLOCK: Clock = { now: () => Date.UTC(2026, 10, 20), monotonic: () => 0 };

/** Counts what it signs; `gate` holds a signature back, or fails it. */
export class GatedKey implements Signer {
  readonly #key = generateSoftwareKey('ecdsa-sha2-nistp256');
  readonly publicKey = this.#key.publicKey;
  readonly custody = 'software';
  signatures = 0;
  gate: () => Promise<void> = () => Promise.resolve();

  async sign(message: Bytes): Promise<Bytes> {
    await this.gate();
    this.signatures += 1;
    return this.#key.signNow(message);
  }
}

export class CustodyFixture {
  readonly dir = mkdtempSync(join(tmpdir(), 'witnessmark-custody-'));
  readonly key = new GatedKey();
  readonly socketPath = join(this.dir, 'custody.sock');
  readonly journalDir = join(this.dir, 'journal');
  readonly #token = randomBytes(32).toString('hex');
  #running: { journal: Journal; listener: CustodyListener } | null = null;
  #clients: CustodyClient[] = [];

  get tokenFile(): string {
    return join(this.dir, 'token');
  }

  constructor() {
    writeFileSync(this.tokenFile, `${this.#token}\n`, { mode: 0o600 });
  }

  get clientEntry(): CustodyClientEntry {
    const tokenSha256 = createHash('sha256').update(this.#token).digest('hex');
    return { name: 'line', tokenSha256, allow: [{ key: 'line-evidence', purposes: ['event', 'permit'] }] };
  }

  async start(segmentBytes?: number): Promise<CustodyService> {
    const journal = await Journal.open({
      dir: this.journalDir,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
    });
    const keys = new Map([['line-evidence', this.key]]);
    const service = await CustodyService.open({ keys, clients: [this.clientEntry], journal, clock: FIXED_CLOCK });
    this.#running = { journal, listener: await listenCustody(this.socketPath, service) };
    return service;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.listener.close();
    running?.journal.close();
  }

  /** Makes durable what the service has still to write, so that its account can be read. */
  flush(): void {
    this.#running?.journal.flush();
  }

  async connect(change: Partial<Parameters<typeof CustodyClient.connect>[0]> = {}): Promise<CustodyClient> {
    const { socketPath, tokenFile } = this;
    const client = await CustodyClient.connect({ socketPath, client: 'line', tokenFile, newId: randomUUID, ...change });
    this.#clients.push(client);
    return client;
  }

  async remove(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
