// SPDX-License-Identifier: Apache-2.0
/** What runs: kernel, Debian packages, and the files that matter most, hashed as they lie on the disk. */
import { toLine } from '../manifest.ts';
import type { Machine } from '../machine.ts';

const STATUS = '/var/lib/dpkg/status';
const INFO = '/var/lib/dpkg/info';

export function readKernel(machine: Machine): string[] {
  const release = machine.readText('/proc/sys/kernel/osrelease')?.trim() ?? 'unknown';
  const commandLine = machine.readText('/proc/cmdline')?.trim() ?? '';
  const modules = (machine.readText('/proc/modules') ?? '').split('\n').filter((line) => line !== '');
  return [
    toLine('release', release),
    toLine('cmdline', commandLine),
    ...modules.map((line) => toLine('module', line.split(' ', 1)[0] ?? '')),
  ];
}

/** Name, architecture, version and the digest of the package's own list of file digests. */
export function readPackages(machine: Machine): string[] {
  return installedPackages(machine).map(({ name, architecture, version, listName }) => {
    const list = `${INFO}/${listName(machine, 'md5sums')}`;
    return toLine(`${name}:${architecture}`, version, machine.facts(list) === null ? 'no-list' : machine.digest(list));
  });
}

/** Every file of the packages named, and every path named, hashed: what a list says may be edited with the file. */
export function readFiles(machine: Machine, packages: readonly string[], paths: readonly string[]): string[] {
  const ofPackages = installedPackages(machine)
    .filter(({ name }) => packages.includes(name))
    .flatMap(({ listName }) => (machine.readText(`${INFO}/${listName(machine, 'list')}`) ?? '').split('\n'))
    .filter((path) => path.startsWith('/'));
  const all = new Set([...ofPackages, ...paths.flatMap((path) => walk(machine, path))]);
  return [...all].flatMap((path) => describeFile(machine, path) ?? []);
}

/** Type, digest or target, owner and mode; null for a directory, which is what it holds. */
export function describeFile(machine: Machine, path: string): string | null {
  const facts = machine.facts(path);
  if (facts === null) return toLine(path, 'missing');
  const { kind, uid, gid, mode } = facts;
  const owner = `${uid}:${gid}`;
  switch (kind) {
    case 'directory':
      return null;
    case 'link':
      return toLine(path, `link:${machine.readLink(path)}`, owner);
    case 'file':
      return toLine(path, `sha256:${machine.digest(path)}`, owner, mode.toString(8).padStart(4, '0'));
    case 'other':
      return toLine(path, 'special', owner);
  }
}

/** Files below a path, links not followed. */
export function walk(machine: Machine, path: string): string[] {
  const facts = machine.facts(path);
  if (facts?.kind !== 'directory') return [path];
  return machine.list(path).flatMap((name) => walk(machine, `${path === '/' ? '' : path}/${name}`));
}

interface InstalledPackage {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  /** Lists of packages that exist for several architectures carry it in their name. */
  readonly listName: (machine: Machine, suffix: string) => string;
}

/** Packages that dpkg calls installed (deb-control(5) paragraphs). */
function installedPackages(machine: Machine): InstalledPackage[] {
  return (machine.readText(STATUS) ?? '').split('\n\n').flatMap((paragraph) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    if (!field('Status').endsWith(' installed')) return [];
    const [name, architecture] = [field('Package'), field('Architecture')];
    const listName = (of: Machine, suffix: string): string => {
      const qualified = `${name}:${architecture}.${suffix}`;
      return of.facts(`${INFO}/${qualified}`) === null ? `${name}.${suffix}` : qualified;
    };
    return [{ name, architecture, version: field('Version'), listName }];
  });
}
