// SPDX-License-Identifier: Apache-2.0
/** What must hold for a decision: a supervisor who is not the operator, about something that waits, with an action the code allows. */
import { formatInstant, parseInstant, type Instant } from '@witnessmark/core';
import type { Refusal, TrustedKey } from '@witnessmark/attestation';
import type { EventRow, RefusalRow, UnitRow } from '@witnessmark/store';
import { findDispositionRule, takesUnitOut, toWaitingState } from './dispositions.ts';
import { ensure, LineRefusal } from './error.ts';
import type { LineRules } from './rules.ts';
import type { ReadDisposition } from './statements.ts';

/** What the decision is about, as the log has it. */
export type Matter =
  | {
      readonly about: 'stop';
      readonly row: RefusalRow;
      readonly refusal: Refusal;
      /** The device of the refusal; null for one that nobody has begun. */
      readonly unit: UnitRow | null;
    }
  | { readonly about: 'hold'; readonly row: EventRow; readonly unit: UnitRow };

interface DispositionContext {
  readonly now: Instant;
  readonly rules: LineRules;
  readonly signer: TrustedKey;
  /** Null when nothing of that id is known. */
  readonly matter: Matter | null;
}

/** Throws LS-507, LS-502 or LS-301. */
export function checkDisposition({ predicate, subject }: ReadDisposition, context: DispositionContext): void {
  const { now, rules, signer, matter } = context;
  const decide = (condition: boolean, expected: string, observed: string): void => {
    ensure(condition, 'LS-507', expected, observed);
  };
  decide(signer.role === 'supervisor', 'the credential of a supervisor', `one of role ${signer.role}`);
  decide(
    signer.owner === predicate.decidedBy.id,
    `a decision signed by ${predicate.decidedBy.id}`,
    `one signed by ${signer.owner}`,
  );
  ensure(predicate.station.line === rules.line, 'LS-502', `a decision for ${rules.line}`, predicate.station.line);
  const decidedAt = parseInstant(predicate.decidedAt);
  ensure(
    Math.abs(decidedAt - now) <= rules.maxClockOffsetMs,
    'LS-301',
    `a decision made within ${rules.maxClockOffsetMs} ms of ${formatInstant(now)}`,
    predicate.decidedAt,
  );
  const rule = findDispositionRule(predicate.code);
  if (rule === undefined) throw new LineRefusal('LS-507', 'a code that waits for a decision', predicate.code);
  decide(
    rule.actions.includes(predicate.action),
    `${rule.actions.join(' or ')} for ${predicate.code}`,
    predicate.action,
  );
  if (matter?.about !== rule.about) {
    throw new LineRefusal('LS-507', `something that waits under ${predicate.refusalId}`, 'nothing');
  }
  checkMatter(predicate, matter, decide);
  decide(subject === predicate.refusalDigest.sha256, 'a statement about what it decides', 'one about something else');
}

/** A unit is not taken from under a station that works on it, and scrap stays scrap. */
function checkTakingOut(
  unit: UnitRow | null,
  decide: (condition: boolean, expected: string, observed: string) => void,
): void {
  if (unit === null) return;
  decide(unit.open_transaction === null, 'a unit that nobody is working on', `${unit.station} working on it`);
  decide(unit.state !== 'scrapped', 'a unit that is not scrap', 'a scrapped one');
}

function checkMatter(
  decision: ReadDisposition['predicate'],
  matter: Matter,
  decide: (condition: boolean, expected: string, observed: string) => void,
): void {
  const { row } = matter;
  decide(
    row.payload_digest === decision.refusalDigest.sha256,
    `digest ${row.payload_digest}`,
    decision.refusalDigest.sha256,
  );
  decide(row.device_id === decision.deviceId, `device ${row.device_id ?? 'none'}`, decision.deviceId ?? 'none');
  decide(row.station === decision.station.id, `station ${row.station}`, decision.station.id);
  if (matter.about === 'stop') {
    decide(matter.row.state === 'open', 'a stop that is open', 'one that was decided');
    decide(matter.row.code === decision.code, `a decision about ${matter.row.code}`, decision.code);
    decide(
      matter.refusal.operatorId !== decision.decidedBy.id,
      'a decision by somebody other than the operator',
      decision.decidedBy.id,
    );
    decide(
      decision.deviceId !== null || decision.action === 'releaseStation' || decision.action === 'voidLabel',
      'a device to decide about',
      'none',
    );
    if (takesUnitOut(decision.action)) checkTakingOut(matter.unit, decide);
    return;
  }
  const { unit } = matter;
  decide(
    matter.row.operator !== decision.decidedBy.id,
    'a decision by somebody other than the operator',
    decision.decidedBy.id,
  );
  decide(unit.head_digest === matter.row.payload_digest, 'the last event of the unit', 'an earlier one');
  const waiting = toWaitingState(decision.code);
  decide(unit.state === waiting, `a unit that is ${waiting} (${decision.code})`, unit.state);
}
