// SPDX-License-Identifier: Apache-2.0
/** What must hold for a refusal that a station reports: its own, about now, with a code people can look up. */
import { formatInstant, isReasonCode, parseInstant, type Instant } from '@witnessmark/core';
import { toRefusalKind, type TrustedKey } from '@witnessmark/attestation';
import { ensure, LineRefusal } from './error.ts';
import type { LineRules } from './rules.ts';
import type { ReadRefusal } from './statements.ts';

/** Throws LS-502, LS-506 or LS-301. */
export function checkStationRefusal(
  { predicate, subject }: ReadRefusal,
  { now, rules, signer }: { readonly now: Instant; readonly rules: LineRules; readonly signer: TrustedKey },
): void {
  const { code, kind, station, deviceId, refusedAt } = predicate;
  ensure(
    station.id === signer.owner && station.line === rules.line,
    'LS-502',
    `station ${signer.owner} of ${rules.line}, which signed`,
    `${station.id} of ${station.line}`,
  );
  if (!isReasonCode(code)) throw new LineRefusal('LS-506', 'a code of the catalogue', code);
  ensure(kind === toRefusalKind(code), 'LS-506', `${toRefusalKind(code)} for ${code}`, kind);
  ensure(
    subject === (deviceId ?? signer.key.keyid),
    'LS-506',
    'a statement about the device, or the station key without one',
    'another subject',
  );
  // A refusal may be delivered late, and a wrong clock is what some of them report; only the future is impossible.
  ensure(
    code === 'LS-301' || parseInstant(refusedAt) <= now + rules.maxClockOffsetMs,
    'LS-301',
    `a time not after ${formatInstant(now)}`,
    refusedAt,
  );
}
