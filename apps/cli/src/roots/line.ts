// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of the line server. The way of the data: a station's statement comes in by HTTP, the pool checks its
 * signature, the line's rules judge it, the evidence key countersigns, the log makes it durable together with the views,
 * and the answer carries its proof. Releases come in from the trust repository.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import type { Clock } from '@witnessmark/core';
import { loadSoftwareKey, NoteSigner } from '@witnessmark/custody';
import { checkSignatureIn, Line, startLineServer, TufReleaseSource, type LineServer } from '@witnessmark/line';
import { EvidenceLog, TileStorage, VerifyPool, type LogError } from '@witnessmark/log';
import { DiskGuard, freeBytesOf, openSqliteStore } from '@witnessmark/store';
import { TrustClient } from '@witnessmark/trust';
import type { LineConfig, LoadedConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';

interface RunningLine {
  readonly url: string;
  readonly line: Line;
  /** Answers what is under way, publishes, and lets go of everything. */
  close(): Promise<void>;
}

interface LineEnvironment {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Faults that are not the caller's. */
  readonly onFault: (error: unknown) => void;
  /** The log has stopped for good. */
  readonly onFatal: (error: LogError) => void;
}

export async function openLine(config: LoadedConfig<LineConfig>, environment: LineEnvironment): Promise<RunningLine> {
  const { values, pathOf } = config;
  const { clock, newId, listen, onFault, onFatal } = environment;
  const rules = values.rules;
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const signer = loadSoftwareKey(pathOf(values.evidenceKey));
  const logSigner = new NoteSigner(values.log.name, loadSoftwareKey(pathOf(values.log.key)));
  const database = pathOf(values.database);
  const logDirectory = pathOf(values.log.directory);
  const trustDirectory = pathOf(values.trust.repository);
  mkdirSync(dirname(database), { recursive: true });
  mkdirSync(logDirectory, { recursive: true });

  const opened: { close(): Promise<unknown> }[] = [];
  const closeAll = async (): Promise<void> => {
    for (const part of opened.toReversed()) await part.close();
  };
  try {
    const store = openSqliteStore({ path: database });
    opened.push(store);
    const diskGuard = new DiskGuard({
      freeBytes: () => freeBytesOf(dirname(database)),
      monotonic: () => clock.monotonic(),
    });
    const tiles = new TileStorage(logDirectory);
    const log = await EvidenceLog.open({ store, tiles, signer: logSigner, clock, diskGuard, onFatal });
    opened.push(log);
    const keys = toTrustedKeys(trustedRoot).map(({ key }) => key);
    const pool = new VerifyPool({ keys });
    opened.push(pool);
    const client = new TrustClient({
      metadataDir: pathOf(values.trust.memory),
      initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
      repositoryDir: trustDirectory,
    });
    const releases = new TufReleaseSource({ client, rules });
    const checkSignature = checkSignatureIn(pool, keys);
    const { views } = store;
    const line = await Line.open({ rules, trustedRoot, log, views, releases, signer, clock, newId, checkSignature });
    const server: LineServer = await startLineServer({ line, logDirectory, trustDirectory, ...listen, onFault });
    opened.push(server);
    return { url: server.url, line, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
