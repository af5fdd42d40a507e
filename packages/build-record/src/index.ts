// SPDX-License-Identifier: Apache-2.0
export { describeDrift, findDrift, formatUnifiedDiff } from './drift.ts';
export { BuildRecordError } from './error.ts';
export { openMachine } from './machine.ts';
export {
  formatManifest,
  MANIFEST_LIMITS,
  manifestDigest,
  parseManifest,
  SECTIONS,
  toLine,
  toManifest,
} from './manifest.ts';
export { measureStation } from './measure.ts';

export type { SectionDrift } from './drift.ts';
export type { BuildRecordErrorCode } from './error.ts';
export type { Machine } from './machine.ts';
export type { BuildManifest, Section } from './manifest.ts';
export type { BuildPlan, Programmer } from './measure.ts';
