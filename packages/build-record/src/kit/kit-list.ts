// SPDX-License-Identifier: Apache-2.0
/**
 * The list of a kit (spec/station-build.md, "Kit"): which files of a station a rebuild writes, from which content, and how
 * to measure the result. Text of one form, so its SHA-256 names the kit.
 */
import { decodeUtf8, encodeUtf8, equalBytes, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { BuildRecordError } from '../error.ts';
import { toFields, toLine } from '../manifest.ts';
import type { BuildPlan } from '../measure.ts';

const HEADER = 'witnessmark station kit v1';
export const KIT_LIMITS = { maxListBytes: 8 * 1024 * 1024, maxFiles: 50_000, maxFileBytes: 256 * 1024 * 1024 };

export interface KitFile {
  /** Absolute, normal: no empty, `.` or `..` part. */
  readonly path: string;
  /** SHA-256, lower-case hexadecimal. */
  readonly digest: string;
  readonly length: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface KitLink {
  readonly path: string;
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
}

/** How the rebuilt station is measured; the digest of what measures is its own. */
export type KitPlan = Omit<BuildPlan, 'agentDigest'>;

export interface KitList {
  /** Of the approved manifest. */
  readonly manifestDigest: string;
  readonly plan: KitPlan;
  readonly files: readonly KitFile[];
  readonly links: readonly KitLink[];
}

export function formatKitList({ manifestDigest, plan, files, links }: KitList): Bytes {
  const lines = [
    toLine('manifest', `sha256:${manifestDigest}`),
    ...plan.hashedPackages.map((name) => toLine('hashed-package', name)),
    ...plan.hashedPaths.map((path) => toLine('hashed-path', path)),
    ...plan.configuration.map((path) => toLine('configuration', path)),
    ...plan.programmers.map(({ model, serial, firmware }) => toLine('programmer', model, serial, firmware)),
    ...plan.fixtures.map((fixture) => toLine('fixture', fixture)),
    ...files.map(({ path, digest, length, uid, gid, mode }) =>
      toLine('file', path, `sha256:${digest}`, String(length), `${uid}:${gid}`, formatMode(mode)),
    ),
    ...links.map(({ path, target, uid, gid }) => toLine('link', path, target, `${uid}:${gid}`)),
  ];
  return encodeUtf8([HEADER, ...[...new Set(lines)].sort(), ''].join('\n'));
}

/** Throws `ERR_BUILD_RECORD_FORMAT` for anything but the one form of a list. */
export function parseKitList(bytes: Bytes): KitList {
  if (bytes.length > KIT_LIMITS.maxListBytes) throw malformed('it is too long');
  const [header, ...lines] = toText(bytes).split('\n');
  if (header !== HEADER || lines.pop() !== '') throw malformed('its first or last line is another');
  if (lines.length > KIT_LIMITS.maxFiles) throw malformed('it has too many lines');
  const of = (kind: string, count: number): string[][] =>
    lines
      .map(toFields)
      .filter(([first]) => first === kind)
      .map(([, ...fields]) => {
        if (fields.length !== count) throw malformed(`a line of the kind ${kind} has ${fields.length} fields`);
        return fields;
      });
  const names = (kind: string): string[] => of(kind, 1).map(([name = '']) => name);
  const [manifest, ...others] = names('manifest');
  if (manifest === undefined || others.length > 0) throw malformed('it names not one manifest');
  const list: KitList = {
    manifestDigest: parseDigest(manifest),
    plan: {
      hashedPackages: names('hashed-package'),
      hashedPaths: names('hashed-path'),
      configuration: names('configuration'),
      programmers: of('programmer', 3).map(([model = '', serial = '', firmware = '']) => ({ model, serial, firmware })),
      fixtures: names('fixture'),
    },
    files: of('file', 5).map(toFile),
    links: of('link', 3).map(([path = '', target = '', owner = '']) => ({
      path: parsePath(path),
      target,
      ...parseOwner(owner),
    })),
  };
  if (!equalBytes(formatKitList(list), bytes))
    throw malformed('it is not in canonical order, or holds an unknown line');
  const paths = [...list.files, ...list.links].map(({ path }) => path);
  if (new Set(paths).size !== paths.length) throw malformed('a path stands twice');
  return list;
}

/** What a file of a manifest's line is; null for every other line. */
export function parseFileLine(line: string): KitFile | KitLink | null {
  if (!line.startsWith('/')) return null;
  const [path = '', content = '', owner = '', mode = '0644'] = toFields(line);
  if (content.startsWith('link:')) {
    return { path: parsePath(path), target: content.slice('link:'.length), ...parseOwner(owner) };
  }
  if (!content.startsWith('sha256:')) return null;
  const digest = parseDigest(content);
  return { path: parsePath(path), digest, length: 0, ...parseOwner(owner), mode: parseMode(mode) };
}

function toFile([path = '', digest = '', length = '', owner = '', mode = '']: string[]): KitFile {
  if (!/^(?:0|[1-9][0-9]{0,11})$/.test(length)) throw malformed('a length is no number');
  const bytes = Number(length);
  if (bytes > KIT_LIMITS.maxFileBytes) throw malformed('a file is too long');
  return {
    path: parsePath(path),
    digest: parseDigest(digest),
    length: bytes,
    ...parseOwner(owner),
    mode: parseMode(mode),
  };
}

function parsePath(path: string): string {
  const [root, ...parts] = path.split('/');
  const isNormal = root === '' && parts.every((part) => part !== '' && part !== '.' && part !== '..');
  // The byte that ends a path for the system would make another path of it.
  if (!isNormal || path.includes('\0')) throw malformed(`${path.slice(0, 64)} is not a normal absolute path`);
  return path;
}

function parseDigest(text: string): string {
  const digest = /^sha256:([0-9a-f]{64})$/.exec(text)?.[1];
  if (digest === undefined) throw malformed('a digest is no SHA-256');
  return digest;
}

function parseOwner(text: string): { uid: number; gid: number } {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  if (uid === undefined || gid === undefined) throw malformed('an owner is not two numbers');
  return { uid: Number(uid), gid: Number(gid) };
}

function parseMode(text: string): number {
  if (!/^[0-7]{4}$/.test(text)) throw malformed('a mode is not four octal digits');
  return Number.parseInt(text, 8);
}

function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function toText(bytes: Bytes): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw malformed('it is not UTF-8', cause);
  }
}

function malformed(detail: string, cause?: unknown): BuildRecordError {
  return new BuildRecordError('ERR_BUILD_RECORD_FORMAT', `this is no list of a kit: ${detail}`, { cause });
}
