// SPDX-License-Identifier: Apache-2.0
/**
 * The build manifest of a station: what it is made of, as text that people can read and `diff` can compare
 * (spec/station-build.md). One form for one content, so its SHA-256 names the build.
 */
import { decodeUtf8, encodeUtf8, equalBytes, sha256Hex, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { BuildRecordError } from './error.ts';

/** In the order they are written. */
export const SECTIONS = [
  'agent',
  'kernel',
  'packages',
  'files',
  'configuration',
  'accounts',
  'sudo',
  'schedule',
  'usb',
  'block',
  'ports',
  'routes',
  'mounts',
  'hardware',
  'programmers',
  'fixtures',
] as const;
export type Section = (typeof SECTIONS)[number];

/** Lines of each section, sorted by their bytes, each once. A section that was not measured is absent, not empty. */
export type BuildManifest = ReadonlyMap<Section, readonly string[]>;

const HEADER = 'witnessmark station build v1';
export const MANIFEST_LIMITS = { maxBytes: 4 * 1024 * 1024, maxLines: 50_000, maxLineLength: 1_024 };
const LINE = /^[!-~][ -~]*$/;

/** Throws `ERR_BUILD_RECORD_FORMAT` for lines no manifest can hold. */
export function toManifest(sections: ReadonlyMap<Section, Iterable<string>>): BuildManifest {
  const manifest = new Map<Section, readonly string[]>();
  for (const section of SECTIONS) {
    const lines = sections.get(section);
    if (lines !== undefined) manifest.set(section, [...new Set(lines)].sort(compareText));
  }
  checkManifest(manifest);
  return manifest;
}

export function formatManifest(manifest: BuildManifest): Bytes {
  const text = [...manifest].map(([section, lines]) => [`[${section}]`, ...lines, ''].join('\n'));
  return encodeUtf8([`${HEADER}\n`, ...text].join(''));
}

/** SHA-256 of the manifest's text, lower-case hexadecimal. */
export function manifestDigest(manifest: BuildManifest): string {
  return sha256Hex(formatManifest(manifest));
}

/** Throws `ERR_BUILD_RECORD_FORMAT` for anything but the one form of a manifest. */
export function parseManifest(bytes: Bytes): BuildManifest {
  if (bytes.length > MANIFEST_LIMITS.maxBytes) throw malformed('it is too long');
  const [header, ...lines] = toText(bytes).split('\n');
  if (header !== HEADER || lines.pop() !== '') throw malformed('its first or last line is another');
  const manifest = new Map<Section, string[]>();
  let current: string[] | null = null;
  for (const line of lines) {
    const name = /^\[([a-z]+)\]$/.exec(line)?.[1];
    if (name === undefined) {
      if (current === null) throw malformed('a line stands before the first section');
      current.push(line);
    } else {
      const section = SECTIONS.find((candidate) => candidate === name);
      if (section === undefined || manifest.has(section)) throw malformed('a section is unknown or stands twice');
      current = [];
      manifest.set(section, current);
    }
  }
  checkManifest(manifest);
  // Order of sections and lines, and lines that stand twice: there is one form only.
  if (!equalBytes(formatManifest(toManifest(manifest)), bytes)) throw malformed('it is not in canonical order');
  return manifest;
}

/** A field of a line: printable ASCII without blanks; every other byte of its UTF-8 form, and `%`, as `%` and two digits. */
function toField(text: string): string {
  const encoded = Array.from(encodeUtf8(text), (byte) => {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    return isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
  // A section's head begins with a bracket; a line never does.
  return encoded === '' ? '-' : encoded.replace(/^\[/, '%5B');
}

/** One line of fields. */
export function toLine(...fields: readonly string[]): string {
  return fields.map(toField).join(' ');
}

/** The fields of a line that {@link toLine} wrote. Throws `ERR_BUILD_RECORD_FORMAT` for bytes it does not write. */
export function toFields(line: string): string[] {
  return line.split(' ').map((field) => {
    if (field === '-') return '';
    try {
      return decodeURIComponent(field);
    } catch (cause) {
      throw malformed('a field is not UTF-8', cause);
    }
  });
}

function checkManifest(manifest: BuildManifest): void {
  let count = 0;
  for (const lines of manifest.values()) {
    count += lines.length;
    if (count > MANIFEST_LIMITS.maxLines) throw malformed('it has too many lines');
    for (const line of lines) {
      if (line.length > MANIFEST_LIMITS.maxLineLength || !LINE.test(line) || line.startsWith('[')) {
        throw malformed('a line is too long, empty, or holds a character it cannot hold');
      }
    }
  }
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
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
  return new BuildRecordError('ERR_BUILD_RECORD_FORMAT', `this is no build manifest: ${detail}`, { cause });
}
