// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of the office. The way of the data: the image the build produced becomes a candidate signed by its
 * author; approvers sign it on their own machines, each with an own key; when enough people have, the gate publishes it in
 * the trust repository. Every statement is in the office's evidence log before it takes effect.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { sealImage, SEED_BYTES } from '@witnessmark/boundary';
import type { Clock, Envelope } from '@witnessmark/core';
import {
  KeyAccess,
  NoteSigner,
  parseKeyReference,
  type PinSource,
  type Purpose,
  type Signer,
} from '@witnessmark/custody';
import { CounterExceptions, Gate, OfficeLog, TrustChanges, type TrustChangesOptions } from '@witnessmark/gate';
import type { LoadedConfig, OfficeConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { checkOfficeKeys, demandsOf, refuseKeyFiles } from '../production-office.ts';
import { CHECKPOINT_PURPOSE, METADATA_PURPOSE, purposeOfStatement } from '../purpose.ts';

export interface Office {
  readonly gate: Gate;
  readonly exceptions: CounterExceptions;
  /** Who is trusted, and changing it. */
  readonly changes: TrustChanges;
  /** Every statement of the office's log, oldest first. */
  readLog(): AsyncIterable<Envelope>;
  close(): Promise<void>;
}

interface OfficeEnvironment {
  readonly clock: Clock;
  readonly newId: () => string;
  /** Asks a person when a key reference names no source of the PIN. */
  readonly askPin?: PinSource | undefined;
  /** Whoever only looks publishes nothing and is asked for no PIN; refusals are recorded where that needs none. */
  readonly isLooking?: boolean;
}

/**
 * The log is opened with the first statement, so that looking on never waits for, or blocks, a writer. Throws CU-202,
 * CU-203, CU-204 or CU-135 for keys that a production office may not have.
 */
export async function openOffice(
  { values, pathOf }: LoadedConfig<OfficeConfig>,
  environment: OfficeEnvironment,
): Promise<Office> {
  const { clock, newId, isLooking = false } = environment;
  refuseKeyFiles(values);
  const keyAccess = new KeyAccess(environment);
  const open = (reference: string, purpose: Purpose): Promise<Signer> =>
    keyAccess.open(parseKeyReference(reference, pathOf), purpose);
  const openLog = async (): Promise<OfficeLog> => {
    const signer = new NoteSigner(values.log.name, await open(values.log.key, CHECKPOINT_PURPOSE));
    return OfficeLog.open({ directory: join(pathOf(values.directory), 'evidence'), signer, clock });
  };
  let log: Promise<OfficeLog> | null = null;
  const record = async (envelope: Envelope): Promise<void> => {
    log ??= openLog();
    await (await log).record(envelope);
  };
  const close = async (): Promise<void> => {
    await (await log)?.close();
    keyAccess.close();
  };
  const demands = demandsOf(values);
  const options: TrustChangesOptions = {
    directory: pathOf(values.directory),
    repositoryDir: pathOf(values.trust.repository),
    initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
    site: values.site,
    rule: values.approvals,
    clock,
    workstation: hostname(),
    onStatement: record,
    sealing: { policy: values.sealing, seal: sealImage, newSeed: () => randomBytes(SEED_BYTES) },
    attestationRoots: (values.attestationRoots ?? []).map((path) => readFile(pathOf(path), DOCUMENT_BYTES)),
    ...(demands && { demands }),
  };
  try {
    const { publishing, evidenceKey } = values;
    const mayOpen = evidenceKey !== undefined && !(isLooking && needsPin(evidenceKey));
    const evidence = mayOpen ? await open(evidenceKey, purposeOfStatement) : null;
    const signers =
      publishing === null || isLooking
        ? null
        : {
            online: await open(publishing.onlineKey, METADATA_PURPOSE),
            effectivity: await open(publishing.effectivityKey, METADATA_PURPOSE),
          };
    await checkOfficeKeys(values, { evidence, signers, now: clock.now(), changes: new TrustChanges(options) });
    const opened = {
      ...options,
      ...(signers && { signers }),
      ...(evidence && { refusals: { signer: evidence, newId } }),
    };
    return assemble(opened, close, openLog);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether opening a key may ask somebody for a PIN. */
function needsPin(reference: string): boolean {
  return parseKeyReference(reference).kind === 'pkcs11';
}

function assemble(options: TrustChangesOptions, close: Office['close'], openLog: () => Promise<OfficeLog>): Office {
  return {
    gate: new Gate(options),
    exceptions: new CounterExceptions(options),
    changes: new TrustChanges(options),
    close,
    async *readLog() {
      const log = await openLog();
      try {
        yield* log.read();
      } finally {
        await log.close();
      }
    },
  };
}
