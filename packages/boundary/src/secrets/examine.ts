// SPDX-License-Identifier: Apache-2.0
/** Looks for everything the policy of secret classes knows in a file, and says what may not be where it is. */
import { parseLabelSerial } from '@witnessmark/attestation';
import { RefusedError, type Bytes, type ReasonCode } from '@witnessmark/core';
import { BOUNDARY_LIMITS, type BoundaryLimits } from '../limits.ts';
import { RefusedFile, showPath, toFinding, type Finding } from '../refused-file.ts';
import { findDerPrivateKey, isEnvelopedData } from './der.ts';
import { inspectElf, type ElfKind } from './elf.ts';
import { MarkerSearch, type Marker } from './markers.ts';
import type { SecretClass, SecretClasses, SecretForm, SecretPlace } from './secret-classes.ts';
import { findSourceRule } from './source-rules.ts';
import { findTextPrivateKey } from './text-keys.ts';
import { viewsOf, type View } from './views.ts';

const CODES: Readonly<Record<SecretClass, ReasonCode>> = {
  signingKey: 'BX-121',
  deviceKey: 'BX-121',
  source: 'BX-122',
  coreFile: 'BX-123',
  image: 'BX-124',
  calibrationSecret: 'BX-125',
  serialList: 'BX-125',
  customerName: 'BX-125',
  symbols: 'BX-127',
};

/** So many different label serials are a list of them. */
const SERIAL_LIST_LENGTH = 20;
const LABEL_SERIAL = /[A-Z0-9][A-Z0-9-]{2,40}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/g;
const MAX_SERIAL_FILE_BYTES = 16 * 1024 * 1024;

export interface ExamineOptions {
  readonly classes: SecretClasses;
  readonly place: SecretPlace;
  readonly markers?: readonly Marker[];
  /** Whether containers that cannot be looked into are refused; a listed file may be one. */
  readonly allowsOpaque?: boolean;
  /** Whether this file may carry symbols, whatever the policy says. */
  readonly allowsSymbols?: boolean;
  readonly limits?: BoundaryLimits;
}

export interface Examination {
  /** Sorted as they were found; each code once for a file. */
  readonly findings: readonly Finding[];
  /** What the outermost layer is, as a program. */
  readonly symbols: 'none' | 'stripped' | 'present';
}

interface Detection {
  readonly class: SecretClass;
  readonly form: SecretForm;
  readonly what: string;
}

/** Examines files under one policy; the search for markers is prepared once. */
export class Examiner {
  readonly #options: ExamineOptions;
  readonly #search: MarkerSearch;

  constructor(options: ExamineOptions) {
    this.#options = options;
    this.#search = new MarkerSearch(options.markers ?? []);
  }

  /** Never throws for what is in the file: a bad archive, and what cannot be looked into, are findings as well. */
  async examine(path: string, content: Bytes, overrides: Partial<ExamineOptions> = {}): Promise<Examination> {
    const options = { ...this.#options, ...overrides };
    const { limits = BOUNDARY_LIMITS } = options;
    const found = new Map<ReasonCode, Finding>();
    const add = (finding: Finding): void => {
      if (!found.has(finding.code)) found.set(finding.code, finding);
    };
    let symbols: Examination['symbols'] = 'none';
    try {
      for await (const view of viewsOf(path, content, limits)) {
        const elf = inspectElf(view.content);
        if (view.path === path) symbols = symbolsOf(elf);
        for (const finding of this.#judge(view, elf, options)) add(finding);
      }
    } catch (cause) {
      if (!(cause instanceof RefusedError)) throw cause;
      // An archive inside a listed file is not unpacked here; what can be read of it has been examined.
      if (options.allowsOpaque !== true)
        add(
          cause instanceof RefusedFile && cause.path !== '.'
            ? toFinding(cause)
            : { ...toFinding(cause), path: showPath(path) },
        );
    }
    return { findings: [...found.values()], symbols };
  }

  *#judge(view: View, elf: ElfKind | null, options: ExamineOptions): Generator<Finding> {
    const path = showPath(view.path);
    if (view.opaque !== null && options.allowsOpaque !== true) {
      yield { path, code: 'BX-126', detail: `${view.opaque} data` };
    }
    if (elf === 'malformed') yield { path, code: 'BX-126', detail: 'an ELF file whose sections cannot be read' };
    for (const detection of this.#detect(view, elf, options.classes)) {
      const isExempt = detection.class === 'symbols' && options.allowsSymbols === true;
      if (isExempt || options.classes.isAllowed(detection.class, detection.form, options.place)) continue;
      yield { path, code: CODES[detection.class], detail: detection.what };
    }
  }

  *#detect({ name, path, content, opaque }: View, elf: ElfKind | null, classes: SecretClasses): Generator<Detection> {
    const key = findTextPrivateKey(content) ?? findDerPrivateKey(content);
    if (key !== null) yield { class: 'signingKey', form: 'clear', what: `a private key (${key})` };
    const rule = findSourceRule(name, content);
    if (rule !== null) yield { class: 'source', form: 'clear', what: rule };
    if (elf === 'core' || isMinidump(content)) yield { class: 'coreFile', form: 'clear', what: 'a core file' };
    if (elf === 'symbols' || isDebugDatabase(content)) {
      yield { class: 'symbols', form: 'clear', what: 'symbols or debug information' };
    }
    if (hasSerialList(content)) yield { class: 'serialList', form: 'clear', what: 'a list of label serials' };
    const form = isEnvelopedData(content) || opaque === 'age' ? 'sealed' : 'clear';
    // A path says something about the file that lies there, not about what is inside it.
    const claimed = path === name || !path.includes(' > ') ? classes.classesOfPath(path) : [];
    for (const secretClass of claimed) yield { class: secretClass, form, what: `its place says ${secretClass}` };
    for (const marker of this.#search.find(content)) {
      yield { class: marker.class, form: 'clear', what: `the marker "${marker.name}"` };
    }
  }
}

function symbolsOf(elf: ElfKind | null): Examination['symbols'] {
  if (elf === 'symbols') return 'present';
  return elf === 'stripped' ? 'stripped' : 'none';
}

/** Memory dumps of Windows, of Breakpad, and of kdump. */
function isMinidump(content: Bytes): boolean {
  return /^(?:MDMP|PAGEDU|KDUMP )/.test(String.fromCharCode(...content.subarray(0, 8)));
}

/** Program databases of Microsoft linkers. */
function isDebugDatabase(content: Bytes): boolean {
  return String.fromCharCode(...content.subarray(0, 24)) === 'Microsoft C/C++ MSF 7.00';
}

function hasSerialList(content: Bytes): boolean {
  if (content.length > MAX_SERIAL_FILE_BYTES) return false;
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1');
  const serials = new Set<string>();
  for (const [serial] of text.matchAll(LABEL_SERIAL)) {
    if (isLabelSerial(serial)) serials.add(serial);
    if (serials.size >= SERIAL_LIST_LENGTH) return true;
  }
  return false;
}

function isLabelSerial(text: string): boolean {
  try {
    parseLabelSerial(text);
    return true;
  } catch {
    return false;
  }
}
