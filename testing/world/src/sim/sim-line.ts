// SPDX-License-Identifier: Apache-2.0
/** The real line – admission, log, SQLite store – in a directory of its own, with a wire to it that can be cut. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ImageUnsealer } from '@witnessmark/boundary';
import type { Clock } from '@witnessmark/core';
import type { TrustedRoot } from '@witnessmark/attestation';
import type { KeyAgreement, Signer } from '@witnessmark/custody';
import { Line, toLineRules, TufReleaseSource, type LineRules } from '@witnessmark/line';
import { EvidenceLog, TileStorage } from '@witnessmark/log';
import { openSqliteStore, type Store } from '@witnessmark/store';
import { TrustClient } from '@witnessmark/trust';
import { LINE, PLANT, type People } from './sim-people.ts';
import { simIds } from './sim-ids.ts';
import type { SimReleases } from './sim-release.ts';

export interface SimLineOptions {
  readonly directory: string;
  readonly people: People;
  readonly trustedRoot: TrustedRoot;
  readonly releases: Pick<SimReleases, 'directory' | 'initialRoot'>;
  readonly clock: Clock;
  readonly rules?: Partial<LineRules> | undefined;
  readonly wrapSigner?: ((signer: Signer) => Signer) | undefined;
  readonly wrapUnsealing?: ((key: KeyAgreement) => KeyAgreement) | undefined;
  /** Stands between log and store. */
  readonly wrapStore?: ((store: Store) => Store) | undefined;
}

export interface SimLine {
  readonly directory: string;
  readonly line: Line;
  readonly log: EvidenceLog;
  readonly store: Store;
  readonly logDirectory: string;
  close(): Promise<void>;
}

export async function openSimLine(options: SimLineOptions): Promise<SimLine> {
  const { directory, people, trustedRoot, clock } = options;
  const logDirectory = join(directory, 'log');
  mkdirSync(logDirectory, { recursive: true });
  const store = openSqliteStore({ path: join(directory, 'line.db') });
  const wrapped = options.wrapStore?.(store) ?? store;
  const tiles = new TileStorage(logDirectory);
  const log = await EvidenceLog.open({ store: wrapped, tiles, signer: people.log, clock });
  // Sweeps fail far more units than a line would bear.
  const rules = toLineRules({ plant: PLANT, line: LINE, maxFailuresInRow: 0, maxTrustAgeMs: 60_000, ...options.rules });
  const client = new TrustClient({
    metadataDir: join(directory, 'trust-metadata'),
    repositoryDir: options.releases.directory,
    initialRoot: options.releases.initialRoot,
  });
  const { unsealing } = people;
  const line = await Line.open({
    rules,
    trustedRoot,
    log,
    views: wrapped.views,
    releases: new TufReleaseSource({ client, rules }),
    signer: options.wrapSigner?.(people.line.key) ?? people.line.key,
    ...(unsealing !== undefined && {
      unsealer: new ImageUnsealer({
        key: options.wrapUnsealing?.(unsealing) ?? unsealing,
        readTarget: (path) => client.readTarget(path),
      }),
    }),
    clock,
    newId: simIds(clock),
  });
  // Reads the trust repository, as whoever asks a server whether it is ready makes it do.
  await line.checkHealth();
  return {
    directory,
    line,
    log,
    store,
    logDirectory,
    close: async () => {
      await log.close();
      await store.close();
    },
  };
}
