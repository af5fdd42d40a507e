// SPDX-License-Identifier: Apache-2.0
/** Where a repository is read from: a directory (a stick, a mirror) or the line server. Nothing that comes from it is believed. */
import { join } from 'node:path';
import { hasCode, RefusedError, type Bytes } from '@witnessmark/core';
import { TrustError } from './error.ts';
import { readChunks, type Files } from './files.ts';
import { TRUST_LIMITS } from './limits.ts';

export interface RepositorySource {
  /**
   * Opens a file by its name in the repository, such as `metadata/timestamp.json`; null when it is not there. Rejects
   * with TR-107 for what is not a plain file, with `ERR_TRUST_UNREACHABLE` when nothing could be told.
   */
  open(name: string): Promise<AsyncIterable<Bytes> | null>;
}

export class DirectorySource implements RepositorySource {
  readonly #directory: string;
  readonly #files: Files;

  constructor(directory: string, files: Files) {
    this.#directory = directory;
    this.#files = files;
  }

  async open(name: string): Promise<AsyncIterable<Bytes> | null> {
    try {
      const file = await this.#files.open(join(this.#directory, name));
      return file?.chunks ?? null;
    } catch (cause) {
      if (hasCode(cause, 'ERR_TRUST_FILE')) throw new RefusedError('TR-107', (cause as Error).message, { cause });
      throw cause;
    }
  }
}

export class HttpSource implements RepositorySource {
  readonly #baseUrl: string;
  readonly #fetch: typeof fetch;

  /** `baseUrl` is where `metadata/` and `targets/` are, for example `http://line:8443/trust/`. */
  constructor(baseUrl: string, fetchFile: typeof fetch = globalThis.fetch) {
    this.#baseUrl = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
    this.#fetch = fetchFile;
  }

  async open(name: string): Promise<AsyncIterable<Bytes> | null> {
    const url = new URL(name, this.#baseUrl);
    const timeoutMs = name.startsWith('metadata/') ? TRUST_LIMITS.metadataTimeoutMs : TRUST_LIMITS.targetTimeoutMs;
    let response: Response;
    try {
      response = await this.#fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      throw unreachable(url, 'no answer', cause);
    }
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw unreachable(url, `status ${response.status}`);
    }
    return readBody(url, response.body);
  }
}

/** Reads a small file whole; null when it is not there. Throws TR-109 beyond `maxBytes`. */
export async function readSourceFile(source: RepositorySource, name: string, maxBytes: number): Promise<Bytes | null> {
  const chunks = await source.open(name);
  if (chunks === null) return null;
  const bytes = await readChunks(chunks, maxBytes);
  if (bytes === null) throw new RefusedError('TR-109', `${name} has more than ${maxBytes} bytes`);
  return bytes;
}

async function* readBody(url: URL, body: ReadableStream<Bytes>): AsyncGenerator<Bytes> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (cause) {
    throw unreachable(url, 'the transfer broke off', cause);
  }
}

function unreachable(url: URL, what: string, cause?: unknown): TrustError {
  return new TrustError('ERR_TRUST_UNREACHABLE', `${url.href}: ${what}`, { cause });
}
