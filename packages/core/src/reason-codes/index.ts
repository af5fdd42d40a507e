// SPDX-License-Identifier: Apache-2.0
/** The catalogue of reason codes: stable, printed as text, the same on every screen and in every record. */
import { BOUNDARY_CODES } from './boundary.ts';
import { BREAK_GLASS_CODES } from './break-glass.ts';
import { CEREMONY_CODES } from './ceremony.ts';
import { CUSTODY_CODES } from './custody.ts';
import { EVIDENCE_CODES } from './evidence.ts';
import { IDENTITY_CODES } from './identity.ts';
import { LABEL_CODES } from './label.ts';
import { LINE_STOP_CODES } from './line-stop.ts';
import { LOG_CODES } from './log.ts';
import { PEOPLE_CODES } from './people.ts';
import { OFFLINE_CODES } from './offline.ts';
import { PROMOTION_CODES } from './promotion.ts';
import { TRUST_CODES } from './trust.ts';
import { UNIT_CODES } from './unit.ts';
import type { ReasonCodeEntry } from './reason-code.ts';

export const REASON_CODES = {
  ...LINE_STOP_CODES,
  ...UNIT_CODES,
  ...LABEL_CODES,
  ...PROMOTION_CODES,
  ...TRUST_CODES,
  ...EVIDENCE_CODES,
  ...LOG_CODES,
  ...CUSTODY_CODES,
  ...BOUNDARY_CODES,
  ...CEREMONY_CODES,
  ...BREAK_GLASS_CODES,
  ...IDENTITY_CODES,
  ...OFFLINE_CODES,
  ...PEOPLE_CODES,
} as const;

export type ReasonCode = keyof typeof REASON_CODES;

export function isReasonCode(text: string): text is ReasonCode {
  return Object.hasOwn(REASON_CODES, text);
}

export function describeReasonCode(code: ReasonCode): ReasonCodeEntry {
  return REASON_CODES[code];
}
