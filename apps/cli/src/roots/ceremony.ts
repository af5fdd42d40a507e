// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of a ceremony. The way of the data: the script says what, the acts do it to tokens, registry and
 * repository, the journal in the ceremony's own directory holds what happened. Nothing here needs a network.
 */
import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  ceremonyActs,
  Ceremony,
  JOURNAL_FILE,
  lockCeremony,
  nodeCeremonyFiles,
  RegistryFile,
  toActTable,
  WorkFolder,
  type ActTable,
  type BreakGlassPort,
  type ReviewedScript,
} from '@witnessmark/ceremony';
import { HttpLineService } from '@witnessmark/api';
import { parseTrustedRoot } from '@witnessmark/attestation';
import { RefusedError, type Bytes, type Clock } from '@witnessmark/core';
import { openPkcs11Module, PivTool, type Pkcs11Module } from '@witnessmark/custody';
import { nodeFiles } from '@witnessmark/trust';
import { LineBreakGlass } from '../ceremony/line-break-glass.ts';
import { CEREMONY_ID, keepSetup, keptSetup, toRunSettings, type CeremonySetup } from '../ceremony/setup.ts';
import type { LoadedConfig } from '../config.ts';
import { CliError, usageError } from '../error.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';

const LINE_TIMEOUT_MS = 10_000;
const MAX_CERTIFICATE_BYTES = 16 * 1024;
const PRIVATE_DIRECTORY = 0o700;

export interface OpenCeremony {
  readonly ceremony: Ceremony;
  readonly acts: ActTable;
  close(): Promise<void>;
}

export interface BeginCeremony {
  /** Where ceremonies of this office lie, each in a directory of its own. */
  readonly root: string;
  readonly reviewed: ReviewedScript;
  readonly setup: LoadedConfig<CeremonySetup>;
  readonly isRehearsal: boolean;
  readonly clock: Clock;
}

export async function beginCeremony(options: BeginCeremony): Promise<OpenCeremony> {
  const { root, reviewed, setup, isRehearsal, clock } = options;
  const settings = toRunSettings(setup, isRehearsal);
  const own = join(root, settings.ceremonyId);
  mkdirSync(own, { recursive: true, mode: PRIVATE_DIRECTORY });
  return locked(own, async (directory) => {
    const files = nodeCeremonyFiles(directory);
    // Before the journal: a ceremony that was begun can be resumed. Never over the setup of one that was begun before.
    if (!existsSync(join(directory, JOURNAL_FILE))) keepSetup(setup, directory);
    const ceremony = await Ceremony.begin({ files, clock, reviewed, settings });
    return { ceremony, acts: openActs(setup, directory) };
  });
}

/** Throws `ERR_CLI_USAGE` when there is no such ceremony here, and what reading its journal throws. */
export async function resumeCeremony(root: string, id: string, clock: Clock): Promise<OpenCeremony> {
  const own = join(root, id);
  if (!CEREMONY_ID.test(id) || !existsSync(own)) throw usageError(`${root} holds no ceremony ${id}`);
  return locked(own, async (directory) => {
    const ceremony = await Ceremony.open({ files: nodeCeremonyFiles(directory), clock });
    return { ceremony, acts: openActs(keptSetup(directory), directory) };
  });
}

async function locked(
  directory: string,
  open: (directory: string) => Promise<Pick<OpenCeremony, 'ceremony' | 'acts'>>,
): Promise<OpenCeremony> {
  const lock = await lockCeremony(directory);
  try {
    const opened = await open(directory);
    return {
      ...opened,
      close: async () => {
        await opened.ceremony.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openActs({ values, pathOf }: LoadedConfig<CeremonySetup>, directory: string): ActTable {
  const { hsmModule, cardModule, pivRoots, registry, repository } = values.acts;
  const module = (path: string | null, what: string) => (): Promise<Pkcs11Module> => {
    if (path !== null) return openPkcs11Module(pathOf(path));
    return Promise.reject(new RefusedError('CU-101', `the setup names no PKCS#11 module for ${what}`));
  };
  return toActTable(
    ceremonyActs({
      openHsmModule: module(hsmModule, 'HSMs'),
      openCardModule: module(cardModule, 'cards'),
      pivTool: new PivTool(),
      pivRoots: pivRoots.map((path) => readCertificate(pathOf(path))),
      registry: new RegistryFile(
        registry === null ? join(directory, 'key-registry.json') : pathOf(registry),
        nodeFiles,
      ),
      work: new WorkFolder(join(directory, 'work'), nodeFiles),
      repository: {
        directory: repository === null ? join(directory, 'repository') : pathOf(repository),
        files: nodeFiles,
      },
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      breakGlass: values.acts.breakGlass === undefined ? null : openBreakGlass(values.acts.breakGlass, pathOf),
    }),
  );
}

function openBreakGlass(
  { lineUrl, trustedRoot, ...place }: NonNullable<CeremonySetup['acts']['breakGlass']>,
  pathOf: (path: string) => string,
): BreakGlassPort {
  return new LineBreakGlass({
    line: new HttpLineService({ baseUrl: lineUrl, timeoutMs: LINE_TIMEOUT_MS }),
    trustedRoot: parseTrustedRoot(readFile(pathOf(trustedRoot), DOCUMENT_BYTES)),
    place,
  });
}

function readCertificate(path: string): Bytes {
  try {
    return new Uint8Array(new X509Certificate(readFile(path, MAX_CERTIFICATE_BYTES)).raw);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('ERR_CLI_INPUT', `${path} is not an X.509 certificate`, { cause });
  }
}
