// SPDX-License-Identifier: Apache-2.0
/**
 * Builds a station again from its kit: files by digest, links, accounts, modes; then measures what came out and compares
 * it with the approved build. No secret is in a kit, so passwords are to be set, and keys enrolled, by people.
 */
import { chmodSync, chownSync, lchownSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeUtf8 } from '@witnessmark/core';
import { findDrift, type SectionDrift } from '../drift.ts';
import { BuildRecordError } from '../error.ts';
import { openMachine } from '../machine.ts';
import { toFields, toLine, type BuildManifest, type Section } from '../manifest.ts';
import { measureStation } from '../measure.ts';
import { isEmptyDirectory, makeFolder, readContent, writeDurably, type Kit } from './kit-files.ts';

/** What a kit can bring back; the others are the machine's own, and are measured there at its first start. */
export const REBUILT_SECTIONS: readonly Section[] = [
  'agent',
  'packages',
  'files',
  'configuration',
  'accounts',
  'sudo',
  'schedule',
  'programmers',
  'fixtures',
];

export interface RebuildRequest {
  readonly kit: Kit;
  /** A new or empty directory that becomes the root of the station. */
  readonly root: string;
  /** SHA-256 of the software that measures. */
  readonly agentDigest: string;
  readonly tolerated: readonly string[];
}

export interface Rebuild {
  /** As measured afterwards; empty when the station is the approved one. */
  readonly drift: readonly SectionDrift[];
  /** Accounts that had a password and are locked now. */
  readonly passwordsToSet: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

/** Throws LS-411 before anything is written when content is damaged, and `ERR_BUILD_RECORD_DIRECTORY` for a root in use. */
export function rebuildStation({ kit, root, agentDigest, tolerated }: RebuildRequest): Rebuild {
  if (!isEmptyDirectory(root)) throw new BuildRecordError('ERR_BUILD_RECORD_DIRECTORY', `${root} is not empty`);
  const { files, links, plan } = kit.list;
  const accounts = kit.manifest.get('accounts') ?? [];
  for (const { digest, length, path } of files) readContent(kit.directory, digest, length, path);
  makeFolder(root);
  for (const { path, digest, length, uid, gid, mode } of files) {
    makeFolder(dirname(join(root, path)));
    writeDurably(join(root, path), readContent(kit.directory, digest, length, path), 0o600);
    own(() => {
      chownSync(join(root, path), uid, gid);
    });
    // After the owner: a change of owner takes setuid away.
    chmodSync(join(root, path), mode);
  }
  writeAccounts(root, accounts);
  // Last, so that no file is written through one.
  for (const { path, target, uid, gid } of links) {
    makeFolder(dirname(join(root, path)));
    symlinkSync(target, join(root, path));
    own(() => {
      lchownSync(join(root, path), uid, gid);
    });
  }
  const measured = measureStation(openMachine(root), { ...plan, agentDigest });
  const approved = withLockedAccounts(kit.manifest);
  return {
    drift: findDrift(pick(approved), pick(measured), tolerated),
    passwordsToSet: usersOf(accounts).flatMap(({ name, password }) => (password === 'set' ? [name] : [])),
    files: files.length + links.length,
    bytes: files.reduce((sum, { length }) => sum + length, 0),
  };
}

interface User {
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  readonly home: string;
  readonly shell: string;
  readonly password: string;
}

function usersOf(accounts: readonly string[]): User[] {
  return accounts.flatMap((line) => {
    const [kind, name = '', uid = '', gid = '', home = '', shell = '', password = ''] = toFields(line);
    return kind === 'user' ? [{ name, uid, gid, home, shell, password: password.replace(/^password:/, '') }] : [];
  });
}

/** Nobody can log in with a password before a person has set one. */
function writeAccounts(root: string, accounts: readonly string[]): void {
  const users = usersOf(accounts);
  if (users.length === 0) return;
  const groups = accounts.map(toFields).filter(([kind]) => kind === 'group');
  const write = (path: string, lines: readonly string[], mode: number): void => {
    makeFolder(dirname(join(root, path)));
    writeDurably(join(root, path), encodeUtf8(lines.map((line) => `${line}\n`).join('')), mode);
  };
  const passwd = users.map(({ name, uid, gid, home, shell }) => [name, 'x', uid, gid, '', home, shell].join(':'));
  write('/etc/passwd', passwd, 0o644);
  write(
    '/etc/shadow',
    users.flatMap(({ name, password }) => (password === 'unknown' ? [] : [`${name}:!:::::::`])),
    0o600,
  );
  write(
    '/etc/group',
    groups.map(([, name = '', gid = '', members = '']) => [name, 'x', gid, members].join(':')),
    0o644,
  );
}

/** The approved build as a rebuild leaves it. */
function withLockedAccounts(manifest: BuildManifest): BuildManifest {
  const accounts = manifest.get('accounts');
  if (accounts === undefined) return manifest;
  const locked = accounts.map((line) => {
    const fields = toFields(line);
    const isOpen = fields[0] === 'user' && /^password:(?:set|empty)$/.test(fields[6] ?? '');
    return isOpen ? toLine(...fields.slice(0, 6), 'password:locked') : line;
  });
  return new Map(manifest).set('accounts', locked);
}

function pick(manifest: BuildManifest): BuildManifest {
  return new Map([...manifest].filter(([section]) => REBUILT_SECTIONS.includes(section)));
}

/** Only root can give files away; what is not given away is drift, and is named. */
function own(give: () => void): void {
  try {
    give();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EPERM') throw error;
  }
}
