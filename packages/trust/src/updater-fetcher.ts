// SPDX-License-Identifier: Apache-2.0
/** What tuf-js reads through: our sources, with our limits, and our reader looking at every file before tuf-js does. */
import { RefusedError, type Bytes } from '@witnessmark/core';
import { BaseFetcher } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { TRUST_LIMITS } from './limits.ts';
import { parseMetadata, type MetadataType } from './metadata.ts';
import { readSourceFile, type RepositorySource } from './source.ts';

/** Stands for the repository in the addresses tuf-js builds; nothing is fetched from it. */
export const REPOSITORY_URL = 'tuf:///';

export class SourceFetcher extends BaseFetcher {
  /** The file asked for last, by its name in the repository. */
  lastName = '';
  /** Why a file could not be had; tuf-js folds some of these into text, so they are kept here. */
  failure: unknown = null;
  /** What our reader has against a file whose digest tuf-js has not compared yet. */
  objection: RefusedError | null = null;
  readonly #source: RepositorySource;

  constructor(source: RepositorySource) {
    super();
    this.#source = source;
  }

  override async downloadBytes(url: string): Promise<Buffer> {
    this.lastName = toName(url);
    const type = toMetadataType(this.lastName);
    const bytes = await this.#read(type);
    this.#look(type, bytes);
    return Buffer.from(bytes);
  }

  /** Targets are read by {@link TrustClient}, which streams them; tuf-js asks for metadata only. */
  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return Promise.reject(new TypeError(`${url} is not read this way`));
  }

  async #read(type: MetadataType): Promise<Bytes> {
    let bytes: Bytes | null;
    try {
      bytes = await readSourceFile(this.#source, this.lastName, TRUST_LIMITS.maxMetadataBytes[type]);
      if (bytes === null && type !== 'root') throw new RefusedError('TR-107', `${this.lastName} is missing`);
    } catch (cause) {
      this.failure = cause;
      throw cause;
    }
    // The end of the chain of roots (TUF 5.3.3).
    if (bytes === null) throw new DownloadHTTPError(`${this.lastName} is missing`, 404);
    return bytes;
  }

  /**
   * A root is stored as soon as tuf-js accepts it, so it is refused here. Files that a digest vouches for are looked at
   * too, but a wrong digest is the better name for what is wrong with them.
   */
  #look(type: MetadataType, bytes: Bytes): void {
    try {
      parseMetadata(type, bytes);
    } catch (cause) {
      if (!(cause instanceof RefusedError)) throw cause;
      if (type === 'root' || type === 'timestamp') throw cause;
      this.objection ??= cause;
    }
  }
}

function toName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function toMetadataType(name: string): MetadataType {
  if (name.endsWith('.root.json')) return 'root';
  if (name.endsWith('timestamp.json')) return 'timestamp';
  return name.endsWith('.snapshot.json') ? 'snapshot' : 'targets';
}
