// SPDX-License-Identifier: Apache-2.0
/** A stock tuf-js client over a folder, which knows nothing but the first root. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';

class FolderFetcher extends BaseFetcher {
  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const path = fileURLToPath(url);
    if (!existsSync(path)) return Promise.reject(new DownloadHTTPError('not found', 404));
    return Promise.resolve(new Response(readFileSync(path)).body as ReadableStream<Uint8Array<ArrayBuffer>>);
  }
}

/** Follows the roots in `directory`, which keeps what the client has seen; returns the root version and a target. */
export async function followWithTufJs(
  repository: string,
  directory: string,
  target: string,
): Promise<{ readonly rootVersion: number; readonly content: string }> {
  mkdirSync(join(directory, 'targets'), { recursive: true });
  const root = join(directory, 'root.json');
  if (!existsSync(root)) writeFileSync(root, readFileSync(join(repository, 'metadata', '1.root.json')));
  const updater = new Updater({
    metadataDir: directory,
    metadataBaseUrl: pathToFileURL(join(repository, 'metadata')).href,
    targetDir: join(directory, 'targets'),
    targetBaseUrl: pathToFileURL(join(repository, 'targets')).href,
    fetcher: new FolderFetcher(),
  });
  await updater.refresh();
  const info = await updater.getTargetInfo(target);
  if (info === undefined) throw new Error(`no target ${target}`);
  const content = readFileSync(await updater.downloadTarget(info), 'utf8');
  const { signed } = JSON.parse(readFileSync(root, 'utf8')) as { signed: { version: number } };
  return { rootVersion: signed.version, content };
}
