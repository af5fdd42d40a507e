// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of the line server. The way of the data: a station's statement comes in by HTTP, the pool checks its
 * signature, the line's rules judge it, the evidence key countersigns, the log makes it durable together with the views,
 * and the answer carries its proof. Releases come in from the trust repository.
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { ImageUnsealer } from '@witnessmark/boundary';
import type { Clock } from '@witnessmark/core';
import { KeyAccess, NoteSigner, parseKeyReference, type PinSource } from '@witnessmark/custody';
import {
  BadgeFiles,
  checkSignatureIn,
  Line,
  startLineServer,
  TufReleaseSource,
  type LineServer,
  type LineTls,
} from '@witnessmark/line';
import { EvidenceLog, TileStorage, VerifyPool, type LogError } from '@witnessmark/log';
import { DiskGuard, freeBytesOf, openSqliteStore } from '@witnessmark/store';
import { TrustClient } from '@witnessmark/trust';
import type { LineConfig, LoadedConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { openConnectionKey } from '../identity/connection.ts';
import { demandHardware, demandProductionKey } from '../production.ts';
import { CHECKPOINT_PURPOSE, purposeOfStatement } from '../purpose.ts';

/** A commit waits for the log's signature; stations ask again later. */
const CUSTODY_TIMEOUT_MS = 10_000;

interface RunningLine {
  readonly url: string;
  readonly line: Line;
  /** Answers what is under way, publishes, and lets go of everything. */
  close(): Promise<void>;
}

interface LineEnvironment {
  readonly clock: Clock;
  readonly newId: () => string;
  /** Asks a person when a key reference names no source of the PIN. */
  readonly askPin?: PinSource | undefined;
  readonly listen: { readonly host: string; readonly port: number };
  /** Faults that are not the caller's. */
  readonly onFault: (error: unknown) => void;
  /** The log has stopped for good. */
  readonly onFatal: (error: LogError) => void;
}

export async function openLine(config: LoadedConfig<LineConfig>, environment: LineEnvironment): Promise<RunningLine> {
  const { values, pathOf } = config;
  const { clock, newId, listen, askPin, onFault, onFatal } = environment;
  const rules = values.rules;
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const database = pathOf(values.database);
  const logDirectory = pathOf(values.log.directory);
  const trustDirectory = pathOf(values.trust.repository);
  mkdirSync(dirname(database), { recursive: true });
  mkdirSync(logDirectory, { recursive: true });

  const keyAccess = new KeyAccess({ clock, newId, askPin, custodyTimeoutMs: CUSTODY_TIMEOUT_MS });
  const opened: { close(): unknown }[] = [keyAccess];
  const closeAll = async (): Promise<void> => {
    for (const part of opened.toReversed()) await part.close();
  };
  try {
    const signer = await keyAccess.open(parseKeyReference(values.evidenceKey, pathOf), purposeOfStatement);
    const logKey = await keyAccess.open(parseKeyReference(values.log.key, pathOf), CHECKPOINT_PURPOSE);
    demandProductionKey(values, signer, { trustedRoot, role: 'evidence', owner: rules.line, now: clock.now() });
    demandHardware(values, logKey, 'log key');
    const logSigner = new NoteSigner(values.log.name, logKey);
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
    // One core is the line's own thread's: it signs as much as a verifying thread verifies.
    const pool = new VerifyPool({ keys, limits: { workers: Math.max(1, availableParallelism() - 1) } });
    opened.push(pool);
    const client = new TrustClient({
      metadataDir: pathOf(values.trust.memory),
      initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
      ...(values.trust.minThreshold !== undefined && { minThreshold: values.trust.minThreshold }),
      repositoryDir: trustDirectory,
    });
    const releases = new TufReleaseSource({ client, rules });
    let unsealer: ImageUnsealer | undefined;
    if (values.unsealingKey !== undefined) {
      const key = await keyAccess.openAgreement(parseKeyReference(values.unsealingKey, pathOf));
      demandProductionKey(values, key, { trustedRoot, role: 'unsealing', owner: rules.line, now: clock.now() });
      unsealer = new ImageUnsealer({ key, readTarget: (target) => client.readTarget(target) });
    }
    const checkSignature = checkSignatureIn(pool, keys);
    const { views } = store;
    const line = await Line.open({
      rules,
      trustedRoot,
      log,
      views,
      releases,
      signer,
      ...(unsealer && { unsealer }),
      ...(values.badges !== undefined && { badges: new BadgeFiles(pathOf(values.badges)) }),
      clock,
      newId,
      checkSignature,
    });
    const tls = await readTls(config);
    const server: LineServer = await startLineServer({ line, logDirectory, trustDirectory, ...listen, tls, onFault });
    opened.push(server);
    return { url: server.url, line, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function readTls({ values, pathOf }: LoadedConfig<LineConfig>): Promise<LineTls | undefined> {
  const { tls } = values.listen;
  if (tls === undefined) return undefined;
  const readPem = (path: string): string => Buffer.from(readFile(pathOf(path), DOCUMENT_BYTES)).toString('latin1');
  return {
    certificate: readPem(tls.certificate),
    key: await openConnectionKey(tls.key, pathOf),
    clientAuthority: readPem(tls.clientAuthority),
  };
}
