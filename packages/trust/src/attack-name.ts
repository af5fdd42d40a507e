// SPDX-License-Identifier: Apache-2.0
/**
 * The name of what tuf-js refused (TUF 1.0.34 section 2, "Threat model"). It reports several refusals as text only, so
 * the name is read from the text of the pinned version; that there is a refusal never depends on it.
 */
import { RefusedError, type ReasonCode } from '@witnessmark/core';

const NAMES: readonly (readonly [pattern: RegExp, code: ReasonCode])[] = [
  [/is expired/, 'TR-102'],
  [/is less than current version|Missing file \S+ in new snapshot/, 'TR-101'],
  [/Expected length|Expected hash|doesn't match timestamp|does not match snapshot version/, 'TR-103'],
  [/root was signed by|Expected version/, 'TR-106'],
  [/was signed by/, 'TR-104'],
];

export function nameAttack(error: unknown, fileName: string): RefusedError {
  const text = error instanceof Error ? error.message : 'refused';
  const code = NAMES.find(([pattern]) => pattern.test(text))?.[1] ?? 'TR-109';
  const what = text.replace(/^Unable to load (?:snapshot metadata|targets) error Error: /, '');
  return new RefusedError(code, `${fileName}: ${what}`, { cause: error });
}
