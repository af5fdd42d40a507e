// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8, WitnessmarkError, type Bytes, type JsonValue } from '@witnessmark/core';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { Verifier } from '@witnessmark/verify';
import { findVector } from './vectors.ts';

type Path = readonly (string | number)[];

const { evidence, trust, time, expected } = findVector('rework-with-newer-release');
const verifier = new Verifier(trust);
const good = JSON.parse(new TextDecoder().decode(evidence)) as JsonValue;
const paths = listPaths(good);

/** Either the verdict is not yes, or the file still says exactly what it said. */
function expectNoYes(bytes: Bytes): void {
  if (verifier.inspect(bytes, time, expected.file).verdict !== 'VERIFIED') return;
  expect(parseUnitEvidence(bytes)).toEqual(parseUnitEvidence(evidence));
}

describe('a changed file is never VERIFIED', () => {
  it('while the file itself is', () => {
    expect(verifier.inspect(evidence, time, expected.file).verdict).toBe('VERIFIED');
  });

  it('when any one member is dropped', () => {
    for (const path of paths) expectNoYes(write(removeAt(good, path)));
  });

  it('when any one element of a list is there twice', () => {
    for (const path of paths) {
      if (typeof path.at(-1) === 'number') expectNoYes(write(duplicateAt(good, path)));
    }
  });

  it('when any two elements of a list change places', () => {
    for (const path of paths) {
      const list = valueAt(good, path);
      if (!Array.isArray(list)) continue;
      for (let left = 0; left < list.length; left += 1) {
        for (let right = left + 1; right < list.length; right += 1) {
          expectNoYes(write(changeAt(good, path, (value) => swap(value as JsonValue[], left, right))));
        }
      }
    }
  });

  it('when any two values of one kind change places', () => {
    const texts = paths.filter((path) => typeof valueAt(good, path) === 'string');
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.constantFrom(...texts), (left, right) => {
        const [first, second] = [valueAt(good, left), valueAt(good, right)];
        expectNoYes(
          write(
            changeAt(
              changeAt(good, left, () => second),
              right,
              () => first,
            ),
          ),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('when a character of any text is replaced, dropped or added', () => {
    const texts = paths.filter((path) => typeof valueAt(good, path) === 'string');
    const change = fc.constantFrom<(text: string, at: number, letter: string) => string>(
      (text, at, letter) => text.slice(0, at) + letter + text.slice(at + 1),
      (text, at) => text.slice(0, at) + text.slice(at + 1),
      (text, at, letter) => text.slice(0, at) + letter + text.slice(at),
    );
    const letters = fc.constantFrom('A', 'B', '0', '=', '\n', ' ', '+', 'é');
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), change, letters, (path, position, apply, letter) => {
        const changed = changeAt(good, path, (value) => {
          const text = value as string;
          return apply(text, position % (text.length + 1), letter);
        });
        expectNoYes(write(changed));
      }),
      { numRuns: 500 },
    );
  });

  it('when any byte is changed', () => {
    fc.assert(
      fc.property(fc.nat(evidence.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const bytes = Uint8Array.from(evidence);
        bytes[at] = (bytes[at] as number) ^ mask;
        expectNoYes(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('when it is cut off anywhere', () => {
    // The last byte is the newline after the document.
    for (let length = 0; length < evidence.length - 1; length += 97) {
      expect(verifier.inspect(evidence.slice(0, length), time, expected.file).verdict).toBe('FAILED');
    }
  });

  it('and reading never throws anything but a named error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(verifier.inspect(bytes, time).code).toBe('EV-101');
        expect(() => parseUnitEvidence(bytes)).toThrow(WitnessmarkError);
      }),
    );
  });
});

function write(value: JsonValue | undefined): Bytes {
  return encodeUtf8(JSON.stringify(value));
}

/** Every path to a value inside `value`. */
function listPaths(value: JsonValue, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? value.keys().toArray() : Object.keys(value);
  return keys.flatMap((key) => {
    const inner = [...path, key];
    return [inner, ...listPaths(valueAt(value, [key]), inner)];
  });
}

function valueAt(value: JsonValue, path: Path): JsonValue {
  return path.reduce<JsonValue>((inner, key) => (inner as Record<string | number, JsonValue>)[key] as JsonValue, value);
}

function changeAt(value: JsonValue, path: Path, change: (value: JsonValue) => JsonValue): JsonValue {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const copy = structuredClone(value) as Record<string | number, JsonValue>;
  copy[key] = changeAt(copy[key] as JsonValue, rest, change);
  return copy;
}

function removeAt(value: JsonValue, path: Path): JsonValue {
  const key = path.at(-1) as string | number;
  return changeAt(value, path.slice(0, -1), (parent) => {
    if (Array.isArray(parent)) return parent.toSpliced(key as number, 1) as JsonValue;
    return Object.fromEntries(Object.entries(parent as Record<string, JsonValue>).filter(([name]) => name !== key));
  });
}

function duplicateAt(value: JsonValue, path: Path): JsonValue {
  const key = path.at(-1) as number;
  return changeAt(value, path.slice(0, -1), (parent) => {
    const list = parent as JsonValue[];
    return list.toSpliced(key, 0, list[key] as JsonValue);
  });
}

function swap(list: readonly JsonValue[], left: number, right: number): JsonValue {
  return list.with(left, list[right] as JsonValue).with(right, list[left] as JsonValue);
}
