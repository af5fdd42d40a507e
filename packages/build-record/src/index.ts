// SPDX-License-Identifier: Apache-2.0
export { describeDrift, findDrift, formatUnifiedDiff, listDrift, withoutTolerated } from './drift.ts';
export { BuildRecordError } from './error.ts';
export { LIST_FILE, openKit } from './kit/kit-files.ts';
export { formatKitList, KIT_LIMITS, parseKitList } from './kit/kit-list.ts';
export { makeKit } from './kit/make-kit.ts';
export { REBUILT_SECTIONS, rebuildStation } from './kit/rebuild.ts';
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

export type { DriftLine, SectionDrift } from './drift.ts';
export type { BuildRecordErrorCode } from './error.ts';
export type { Kit } from './kit/kit-files.ts';
export type { KitFile, KitLink, KitList, KitPlan } from './kit/kit-list.ts';
export type { KitRequest, MadeKit } from './kit/make-kit.ts';
export type { Rebuild, RebuildRequest } from './kit/rebuild.ts';
export type { Machine } from './machine.ts';
export type { BuildManifest, Section } from './manifest.ts';
export type { BuildPlan, Programmer } from './measure.ts';
