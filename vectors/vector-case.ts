// SPDX-License-Identifier: Apache-2.0
/** The layout of the test vectors (see README.md), as code: what a case is, and how cases become files and are compared. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export type Expectation = { readonly verdict: 'accepted' } | { readonly verdict: 'refused'; readonly code: string };

export interface VectorCase {
  /** The directory; ends in `_fail` exactly when the case is refused. */
  readonly name: string;
  /** One line: why it must pass or fail. */
  readonly why: string;
  /** `input` and an extension. */
  readonly fileName: string;
  readonly input: Uint8Array;
  readonly expectation: Expectation;
}

export interface VectorFormat {
  readonly format: string;
  /** What every case is judged with: keys, thresholds, the entry. File name to content. */
  readonly given: Readonly<Record<string, Uint8Array>>;
  readonly cases: readonly VectorCase[];
}

export const VECTORS_DIRECTORY: string = import.meta.dirname;

export interface CaseMaker {
  readonly accepted: (name: string, why: string, input: Uint8Array | string) => VectorCase;
  readonly refused: (name: string, code: string, why: string, input: Uint8Array | string) => VectorCase;
}

/** Makes cases whose inputs are files of one name. */
export function caseMaker(fileName: string): CaseMaker {
  return {
    accepted: (name, why, input) => ({
      name,
      why,
      fileName,
      input: toBytes(input),
      expectation: { verdict: 'accepted' },
    }),
    refused: (name, code, why, input) => ({
      name: `${name}_fail`,
      why,
      fileName,
      input: toBytes(input),
      expectation: { verdict: 'refused', code },
    }),
  };
}

export function toJsonFile(value: unknown): Uint8Array {
  return toBytes(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** The files of a format, by their path below the vectors. */
export function toFiles({ format, given, cases }: VectorFormat): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const add = (path: string, content: Uint8Array): void => {
    if (files.has(path)) throw new Error(`${path} is there twice`);
    files.set(path, content);
  };
  for (const [fileName, content] of Object.entries(given)) add(join(format, fileName), content);
  for (const { name, why, fileName, input, expectation } of cases) {
    add(join(format, name, fileName), input);
    add(join(format, name, 'README'), toBytes(`${why}\n`));
    add(join(format, name, 'expect.json'), toJsonFile(expectation));
  }
  return files;
}

/** The files of a format as they are on disk. */
export function readFiles(format: string, directory: string = VECTORS_DIRECTORY): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(join(directory, format), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, format, name);
    if (statSync(path).isFile()) files.set(relative(directory, path), new Uint8Array(readFileSync(path)));
  }
  return files;
}

/** Replaces the format on disk. */
export function writeFiles(vectors: VectorFormat, directory: string = VECTORS_DIRECTORY): void {
  rmSync(join(directory, vectors.format), { recursive: true, force: true });
  for (const [path, content] of toFiles(vectors)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

function toBytes(input: Uint8Array | string): Uint8Array {
  return typeof input === 'string' ? new TextEncoder().encode(input) : input;
}
