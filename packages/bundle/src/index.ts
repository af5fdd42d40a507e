// SPDX-License-Identifier: Apache-2.0
export { BundleError } from './error.ts';
export {
  formatUnitEvidence,
  parseUnitEvidence,
  UNIT_EVIDENCE_LIMITS,
  UNIT_EVIDENCE_MEDIA_TYPE,
  unitEvidenceFileName,
} from './unit-evidence.ts';

export type { BundleErrorCode } from './error.ts';
export type { LoggedEnvelope, ReleaseEvidence, UnitEvidence } from './unit-evidence.ts';
