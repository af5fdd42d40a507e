// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of the boundary: the policies and people of the office, its evidence log, and what the trust repository says
 * about media and images.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  mediaTransfer,
  parseStatement,
  parseTrustedRoot,
  PREDICATE_TYPES,
  readPredicateType,
  toTrustedKeys,
  type MediaTransfer,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  ContentsList,
  DebugBundleDesk,
  DEFAULT_SECRET_CLASSES,
  formatSecretClasses,
  markersOfImage,
  parseMarkers,
  SecretClasses,
  WATERMARK_BYTES,
  type Expectation,
  type Marker,
} from '@witnessmark/boundary';
import { sha256Hex, type Bytes, type Envelope } from '@witnessmark/core';
import { KeyAccess, NoteSigner, parseKeyReference } from '@witnessmark/custody';
import { OfficeLog } from '@witnessmark/gate';
import {
  DirectorySource,
  listTargets,
  loadRepository,
  nodeFiles,
  targetFileName,
  type RepositorySource,
} from '@witnessmark/trust';
import { loadConfig, namedConfig, officeConfigSchema, type LoadedConfig, type OfficeConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { usageError } from '../error.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { CHECKPOINT_PURPOSE } from '../purpose.ts';
import type { Session } from '../session.ts';
import { promptForPin } from '../signer-reference.ts';

const MAX_IMAGE_BYTES = 256 * 1024 * 1024;
const IMAGE_PATH = /^images\/[^/]+$/;
/** Sealed images are of no use as markers: their plaintext is not there. */
const SEALED_SUFFIX = '.cms';

interface OfficeOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
  readonly trust: string | undefined;
}

interface PolicyOptions {
  readonly data: string | undefined;
  readonly secretClasses: string | undefined;
  readonly markers: string | undefined;
  readonly image: readonly string[];
}

type Batch = NonNullable<MediaTransfer['batch']>;

export class Boundary {
  readonly config: LoadedConfig<OfficeConfig>;
  readonly keys: readonly TrustedKey[];
  readonly #session: Session;
  readonly #access: KeyAccess;
  #log: Promise<OfficeLog> | null = null;

  constructor(session: Session, options: OfficeOptions) {
    const file = namedConfig(options, (data) => DataDirectory.open(data).officeConfig);
    this.config = loadConfig(file, officeConfigSchema);
    this.keys = readTrustedKeys(options);
    this.#session = session;
    const { clock, newId } = session;
    this.#access = new KeyAccess({ clock, newId, askPin: promptForPin(session) });
  }

  readonly record = async (envelope: Envelope): Promise<void> => {
    await (await this.#openLog()).record(envelope);
  };

  /** The number of the next export, and the export before it; the log stays open, so that nobody takes the same number. */
  async nextBatch(): Promise<Batch> {
    let last: Batch = { sequence: 0, previous: null };
    for await (const envelope of (await this.#openLog()).read()) {
      if (readPredicateType(envelope.payload) !== PREDICATE_TYPES.mediaTransfer) continue;
      const { batch, result } = parseStatement(mediaTransfer, envelope.payload).predicate;
      if (batch === null || result !== 'accepted') continue;
      last = { sequence: batch.sequence, previous: { sha256: sha256Hex(envelope.payload) } };
    }
    return { ...last, sequence: last.sequence + 1 };
  }

  desk(): DebugBundleDesk {
    return new DebugBundleDesk({
      directory: join(this.config.pathOf(this.config.values.directory), 'debug-bundles'),
      keys: this.keys,
      clock: this.#session.clock,
      newWatermark: () => new Uint8Array(randomBytes(WATERMARK_BYTES)),
      record: this.record,
    });
  }

  /** The markers that options name, and pieces of every image that the repository carries in clear. */
  async markers(options: PolicyOptions): Promise<readonly Marker[]> {
    const { trust } = this.config.values;
    const directory = this.config.pathOf(trust.repository);
    const repository = await loadRepository(new DirectorySource(directory, nodeFiles), this.initialRoot());
    const known = [...listTargets(repository).values()]
      .filter(({ path }) => IMAGE_PATH.test(path) && !path.endsWith(SEALED_SUFFIX))
      .map(({ path, sha256 }) => {
        const file = join(directory, targetFileName(path, sha256));
        return existsSync(file) ? markersOfImage(path, readFile(file, MAX_IMAGE_BYTES)) : [];
      });
    return [...known.flat(), ...readMarkers(options)];
  }

  initialRoot(): Bytes {
    return readFile(this.config.pathOf(this.config.values.trust.root), DOCUMENT_BYTES);
  }

  async close(): Promise<void> {
    await (await this.#log)?.close();
    this.#access.close();
  }

  #openLog(): Promise<OfficeLog> {
    const { directory, log } = this.config.values;
    const { pathOf } = this.config;
    this.#log ??= this.#access.open(parseKeyReference(log.key, pathOf), CHECKPOINT_PURPOSE).then((signer) =>
      OfficeLog.open({
        directory: join(pathOf(directory), 'evidence'),
        signer: new NoteSigner(log.name, signer),
        clock: this.#session.clock,
      }),
    );
    return this.#log;
  }
}

export async function withBoundary<T>(
  session: Session,
  options: OfficeOptions,
  work: (boundary: Boundary) => Promise<T>,
): Promise<T> {
  const boundary = new Boundary(session, options);
  try {
    return await work(boundary);
  } finally {
    await boundary.close();
  }
}

export function readTrustedKeys({ data, trust }: Pick<OfficeOptions, 'data' | 'trust'>): readonly TrustedKey[] {
  const file = trust ?? (data === undefined ? undefined : DataDirectory.open(data).trustedRoot);
  if (file === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  return toTrustedKeys(parseTrustedRoot(readFile(file, DOCUMENT_BYTES)));
}

/** The named policy, else the site's, else the built-in one. Throws BX-128. */
export function readSecretClasses({
  data,
  secretClasses,
}: Pick<PolicyOptions, 'data' | 'secretClasses'>): SecretClasses {
  const ofSite = data === undefined ? undefined : DataDirectory.open(data).secretClasses;
  const file = secretClasses ?? (ofSite !== undefined && existsSync(ofSite) ? ofSite : undefined);
  return SecretClasses.parse(
    file === undefined ? formatSecretClasses(DEFAULT_SECRET_CLASSES) : readFile(file, DOCUMENT_BYTES),
  );
}

/** The markers of files that options name. */
export function readMarkers({ markers, image }: Pick<PolicyOptions, 'markers' | 'image'>): readonly Marker[] {
  return [
    ...(markers === undefined ? [] : parseMarkers(readFile(markers, DOCUMENT_BYTES))),
    ...image.flatMap((path) => markersOfImage(path, readFile(path, MAX_IMAGE_BYTES))),
  ];
}

export function readContentsList(options: {
  readonly data: string | undefined;
  readonly contents: string | undefined;
}): ContentsList {
  const { data, contents } = options;
  const file = contents ?? (data === undefined ? undefined : DataDirectory.open(data).debugContents);
  if (file === undefined) throw usageError('--contents or --data is missing');
  return ContentsList.parse(readFile(file, DOCUMENT_BYTES));
}

/** Exactly what a trust repository at a path of the medium consists of; its metadata is checked from the pinned root down. */
export function expectRepository(path: string, initialRoot: Bytes): Expectation {
  const at = (name: string): string => (path === '.' ? name : `${path}/${name}`);
  return {
    kind: 'trustRepository',
    needs: (file) => file.startsWith(at('metadata/')),
    resolve: async (read) => {
      const source: RepositorySource = { open: (name) => Promise.resolve(toChunks(read(at(name)))) };
      const repository = await loadRepository(source, initialRoot);
      const metadata = [...repository.files].map(([name, bytes]) => ({
        path: at(name),
        bytes: bytes.length,
        sha256: sha256Hex(bytes),
      }));
      const targets = [...listTargets(repository).values()].map(({ path: target, length, sha256 }) => ({
        path: at(targetFileName(target, sha256)),
        bytes: length,
        sha256,
      }));
      return [...metadata, ...targets];
    },
  };
}

function toChunks(bytes: Bytes | null): AsyncIterable<Bytes> | null {
  if (bytes === null) return null;
  return (async function* () {
    yield await Promise.resolve(bytes);
  })();
}
