// SPDX-License-Identifier: Apache-2.0
/** Makes a kit: the files of a measured station, by digest, with the list that says where each belongs. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import { BuildRecordError } from '../error.ts';
import type { Machine } from '../machine.ts';
import { formatManifest, manifestDigest, type BuildManifest } from '../manifest.ts';
import { formatKitList, KIT_LIMITS, parseFileLine, type KitFile, type KitLink, type KitPlan } from './kit-list.ts';
import { CONTENT_DIRECTORY, isEmptyDirectory, LIST_FILE, MANIFEST_FILE, writeDurably } from './kit-files.ts';

/** Sections whose lines name files that a rebuild writes again. */
const FILE_SECTIONS = ['files', 'configuration', 'accounts', 'sudo', 'schedule'] as const;
const PACKAGE_STATUS = '/var/lib/dpkg/status';
const PACKAGE_INFO = '/var/lib/dpkg/info';
/** They hold what nobody may have, whoever lists them. */
const PASSWORD_FILES: ReadonlySet<string> = new Set(['/etc/shadow', '/etc/gshadow', '/etc/shadow-', '/etc/gshadow-']);

export interface KitRequest {
  readonly machine: Machine;
  /** As approved: without the lines that come and go. */
  readonly manifest: BuildManifest;
  readonly plan: KitPlan;
  /** A new or empty directory. */
  readonly directory: string;
  /** Why a file may not be in a kit; null when it may. */
  readonly findSecret: (path: string, content: Bytes) => Promise<string | null>;
}

export interface MadeKit {
  /** SHA-256 of the list. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Throws BX-121 for a file with a secret, `ERR_BUILD_RECORD_DIRECTORY` when something is in the directory, and
 * `ERR_BUILD_RECORD_UNREADABLE` when a file changed since it was measured.
 */
export async function makeKit({ machine, manifest, plan, directory, findSecret }: KitRequest): Promise<MadeKit> {
  if (!isEmptyDirectory(directory)) {
    throw new BuildRecordError('ERR_BUILD_RECORD_DIRECTORY', `${directory} is not empty`);
  }
  const named = FILE_SECTIONS.flatMap((section) => manifest.get(section) ?? []).map(parseFileLine);
  const listed = new Map<string, KitFile | KitLink>();
  for (const entry of [...named, ...packageDatabase(machine, manifest)]) if (entry) listed.set(entry.path, entry);
  const contents = new Map<string, Bytes>();
  const files: KitFile[] = [];
  for (const entry of listed.values()) {
    if (!('digest' in entry)) continue;
    const content = readMeasured(machine, entry);
    const secret = PASSWORD_FILES.has(entry.path) ? 'passwords' : await findSecret(entry.path, content);
    if (secret !== null) throw new RefusedError('BX-121', `${entry.path} holds a secret (${secret}); leave it out`);
    contents.set(entry.digest, content);
    files.push({ ...entry, length: content.length });
  }
  const links = [...listed.values()].filter((entry) => 'target' in entry);
  const list = formatKitList({ manifestDigest: manifestDigest(manifest), plan, files, links });
  mkdirSync(join(directory, CONTENT_DIRECTORY), { recursive: true });
  for (const [digest, content] of contents) writeDurably(join(directory, CONTENT_DIRECTORY, digest), content);
  writeDurably(join(directory, MANIFEST_FILE), formatManifest(manifest));
  writeDurably(join(directory, LIST_FILE), list);
  const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
  return { digest: sha256Hex(list), files: files.length + links.length, bytes };
}

/** What dpkg knows of the installed packages, which the section `packages` is read from. */
function packageDatabase(machine: Machine, manifest: BuildManifest): KitFile[] {
  if ((manifest.get('packages') ?? []).length === 0) return [];
  const lists = machine.list(PACKAGE_INFO).filter((name) => name.endsWith('.md5sums') || name.endsWith('.list'));
  return [PACKAGE_STATUS, ...lists.map((name) => `${PACKAGE_INFO}/${name}`)].flatMap((path) => {
    const facts = machine.facts(path);
    if (facts?.kind !== 'file') return [];
    const { uid, gid, mode } = facts;
    return [{ path, digest: machine.digest(path), length: 0, uid, gid, mode }];
  });
}

function readMeasured(machine: Machine, { path, digest }: KitFile): Bytes {
  const content = machine.readBytes(path);
  if (content === null || content.length > KIT_LIMITS.maxFileBytes || sha256Hex(content) !== digest) {
    throw new BuildRecordError('ERR_BUILD_RECORD_UNREADABLE', `${path} is not what was measured, or is too long`);
  }
  return content;
}
