// SPDX-License-Identifier: Apache-2.0
/**
 * The state of a ceremony as its journal tells it: a pure function of script and records. A record that does not follow
 * from the ones before is refused, whoever wrote it – the running program, a resume or a forged journal.
 */
import { formatInstant, RefusedError, type Instant, type ReasonCode } from '@witnessmark/core';
import type { ActResult } from './act.ts';
import type { CeremonyFact, JournalRecord } from './facts.ts';
import { digestOfResult, observation, TYPED_CHARACTERS } from './result.ts';
import { checkParticipants, type Role } from './roles.ts';
import type { RunSettings } from './run-settings.ts';
import type { ReviewedScript, ScriptStep } from './script.ts';

/** `intended`: its effect may exist; `unclear`: nobody can see whether it does. */
export type StepPhase = 'open' | 'intended' | 'unclear' | 'performed' | 'witnessed';

export interface StepState {
  readonly step: ScriptStep;
  readonly phase: StepPhase;
  readonly attempts: number;
  /** Of the last attempt. */
  readonly intendedAt: Instant | null;
  readonly performedAt: Instant | null;
  readonly witnessedAt: Instant | null;
  readonly origin: 'performed' | 'inspected' | 'observed' | 'decided' | null;
  readonly result: ActResult | null;
  readonly resultDigest: string | null;
}

export interface CeremonyException {
  readonly step: string | null;
  readonly at: Instant;
  readonly text: string;
  readonly by: string;
}

export interface CeremonyBreak {
  readonly from: Instant;
  readonly until: Instant;
  readonly kind: 'break' | 'interruption';
  readonly reason: string;
}

export interface CeremonyState {
  readonly reviewed: ReviewedScript;
  readonly settings: RunSettings;
  readonly phase: 'running' | 'onBreak' | 'aborted' | 'closed';
  readonly outcome: 'completed' | 'aborted' | null;
  readonly steps: readonly StepState[];
  readonly exceptions: readonly CeremonyException[];
  readonly breaks: readonly CeremonyBreak[];
  /** Why the break that lasts was called. */
  readonly breakReason: string | null;
  readonly startedAt: Instant;
  readonly lastAt: Instant;
  readonly records: number;
}

/** Who notes what people did not say themselves. */
export const PROGRAM = 'program';

/** The state after all records; throws as {@link applyRecord} does, and CE-109 when there is none. */
export function replayRecords(reviewed: ReviewedScript, records: readonly JournalRecord[]): CeremonyState {
  const [first, ...rest] = records;
  if (first === undefined) throw new RefusedError('CE-109', 'the journal of the ceremony holds no record');
  return rest.reduce(applyRecord, openState(reviewed, first));
}

/** Throws CE-104 to CE-107 for people, script or things that do not fit together, CE-110 for another first record. */
export function openState(reviewed: ReviewedScript, { at, fact }: JournalRecord): CeremonyState {
  if (fact.kind !== 'opened') throw outOfOrder(fact, 'a ceremony begins with its opening');
  const { script, sha256 } = reviewed;
  const { settings } = fact;
  if (fact.script.sha256 !== sha256 || fact.script.name !== script.name || fact.script.version !== script.version) {
    throw new RefusedError('CE-106', `the ceremony began with script ${fact.script.sha256}, this one is ${sha256}`);
  }
  checkParticipants(settings.people, script.roles);
  checkBound('equipment', script.equipment, settings.equipment);
  checkBound('inputs', script.inputs, settings.inputs);
  return {
    reviewed,
    settings,
    phase: 'running',
    outcome: null,
    steps: script.steps.map(toOpenStep),
    exceptions: [],
    breaks: [],
    breakReason: null,
    startedAt: at,
    lastAt: at,
    records: 1,
  };
}

/** Throws CE-110 for a move that is not allowed, CE-112 for a wrong confirmation, CE-114 for time, CE-117 after the end. */
export function applyRecord(state: CeremonyState, { at, fact }: JournalRecord): CeremonyState {
  if (state.phase === 'closed') throw new RefusedError('CE-117', 'the ceremony is closed');
  if (state.phase === 'aborted' && fact.kind !== 'closed') throw new RefusedError('CE-117', 'the ceremony was aborted');
  if (at < state.lastAt) {
    throw new RefusedError(
      'CE-114',
      `it is ${formatInstant(at)}, and the last record is of ${formatInstant(state.lastAt)}`,
    );
  }
  const next = { ...applyFact(state, at, fact), lastAt: at, records: state.records + 1 };
  return next;
}

/** The first step that nobody has witnessed; null when all are. */
export function currentStep(state: CeremonyState): StepState | null {
  return state.steps.find(({ phase }) => phase !== 'witnessed') ?? null;
}

/** The one person with this role; scripts of ceremonies always have them. */
export function personWith(state: CeremonyState, role: Exclude<Role, 'holder' | 'auditor'>): string {
  return state.settings.people.find((person) => person.role === role)?.id ?? '';
}

function applyFact(state: CeremonyState, at: Instant, fact: CeremonyFact): CeremonyState {
  switch (fact.kind) {
    case 'opened':
      throw outOfOrder(fact, 'the ceremony is open already');
    case 'intended':
      return withStep(state, fact, 'open', (own) => ({
        ...own,
        phase: 'intended',
        attempts: own.attempts + 1,
        intendedAt: at,
      }));
    case 'performed':
      return withStep(state, fact, 'intended', (own) => {
        if ((own.step.act === null) !== (fact.origin === 'observed')) throw outOfOrder(fact, 'another kind of step');
        return performed(state, own, { at, origin: fact.origin, result: fact.result });
      });
    case 'failed':
      return withException(
        withStep(state, fact, 'intended', (own) => ({ ...own, phase: 'open' })),
        { step: fact.step, at, text: `${fact.code}: ${fact.detail}`, by: PROGRAM },
      );
    case 'unclear':
      return withException(
        withStep(state, fact, 'intended', (own) => ({ ...own, phase: 'unclear' })),
        { step: fact.step, at, text: `whether it was done cannot be seen: ${fact.detail}`, by: PROGRAM },
      );
    case 'decided':
      return withException(
        withStep(state, fact, 'unclear', (own) =>
          fact.decision === 'notDone'
            ? { ...own, phase: 'open' }
            : performed(state, own, { at, origin: 'decided', result: observation('people decided that it was done') }),
        ),
        {
          step: fact.step,
          at,
          text: `${personWith(state, 'administrator')} and ${personWith(state, 'witness')} decided ${
            fact.decision === 'done' ? 'that it was done' : 'that it was not done'
          }: ${fact.reason}`,
          by: personWith(state, 'administrator'),
        },
      );
    case 'witnessed':
      return withStep(state, fact, 'performed', (own) => {
        if (fact.by !== personWith(state, 'witness')) {
          throw new RefusedError('CE-112', `${fact.by} is not the witness of this ceremony`);
        }
        if (fact.typed !== own.resultDigest?.slice(0, TYPED_CHARACTERS)) {
          throw new RefusedError('CE-112', `the characters typed are not those of the result of step ${own.step.id}`);
        }
        return { ...own, phase: 'witnessed', witnessedAt: at };
      });
    case 'exception':
      if (fact.step !== null && !state.steps.some(({ step }) => step.id === fact.step)) {
        throw outOfOrder(fact, `the script has no step ${fact.step}`);
      }
      requirePresent(state, fact.by);
      return withException(state, { step: fact.step, at, text: fact.text, by: fact.by });
    case 'paused':
      requireRunning(state, fact);
      if (currentStep(state)?.phase === 'intended') throw outOfOrder(fact, 'a step is under way');
      return { ...state, phase: 'onBreak', breakReason: fact.reason };
    case 'resumed':
      return resumed(state, at, fact.after);
    case 'aborted': {
      const own = currentStep(state);
      const isUnsettled = own?.phase === 'intended' || own?.phase === 'unclear';
      const aborted: CeremonyState = { ...state, phase: 'aborted', breakReason: null };
      const reason = {
        step: own?.step.id ?? null,
        at,
        text: `aborted: ${fact.reason}`,
        by: personWith(state, 'administrator'),
      };
      if (!isUnsettled) return withException(aborted, reason);
      const unsettled = { ...reason, text: 'it was begun, and nobody established whether it was done', by: PROGRAM };
      return withException(withException(aborted, unsettled), reason);
    }
    case 'closed':
      if (state.phase !== 'aborted' && (state.phase !== 'running' || currentStep(state) !== null)) {
        throw new RefusedError('CE-127', `step ${currentStep(state)?.step.id ?? ''} and what follows is open`);
      }
      return { ...state, phase: 'closed', outcome: state.phase === 'aborted' ? 'aborted' : 'completed' };
  }
}

function toOpenStep(step: ScriptStep): StepState {
  return {
    step,
    phase: 'open',
    attempts: 0,
    intendedAt: null,
    performedAt: null,
    witnessedAt: null,
    origin: null,
    result: null,
    resultDigest: null,
  };
}

function performed(
  { settings }: CeremonyState,
  own: StepState,
  done: { readonly at: Instant; readonly origin: NonNullable<StepState['origin']>; readonly result: ActResult },
): StepState {
  return {
    ...own,
    phase: 'performed',
    performedAt: done.at,
    origin: done.origin,
    result: done.result,
    resultDigest: digestOfResult(settings.ceremonyId, own.step.id, done.result),
  };
}

/** Replaces the current step, which must be the one meant, in the phase the move starts from. */
function withStep(
  state: CeremonyState,
  fact: CeremonyFact & { readonly step: string },
  from: StepPhase,
  change: (own: StepState) => StepState,
): CeremonyState {
  requireRunning(state, fact);
  const own = currentStep(state);
  if (own?.step.id !== fact.step) throw outOfOrder(fact, `the next step is ${own?.step.id ?? 'the closing'}`);
  if (own.phase !== from) throw outOfOrder(fact, `step ${own.step.id} is ${own.phase}`);
  const changed = change(own);
  return { ...state, steps: state.steps.map((candidate) => (candidate === own ? changed : candidate)) };
}

function withException(state: CeremonyState, exception: CeremonyException): CeremonyState {
  return { ...state, exceptions: [...state.exceptions, exception] };
}

function resumed(state: CeremonyState, at: Instant, after: 'break' | 'interruption'): CeremonyState {
  const isBreak = state.phase === 'onBreak';
  if (isBreak !== (after === 'break')) {
    throw new RefusedError('CE-110', `a resume after ${after} does not follow when it is ${state.phase}`);
  }
  const reason = isBreak ? (state.breakReason ?? '') : 'the program had ended';
  const lasted: CeremonyBreak = { from: state.lastAt, until: at, kind: after, reason };
  return { ...state, phase: 'running', breakReason: null, breaks: [...state.breaks, lasted] };
}

function requireRunning(state: CeremonyState, fact: CeremonyFact): void {
  if (state.phase !== 'running') throw outOfOrder(fact, 'there is a break');
}

function requirePresent({ settings }: CeremonyState, id: string): void {
  if (id === PROGRAM || settings.people.some((person) => person.id === id)) return;
  throw new RefusedError('CE-112', `${id} does not take part in this ceremony`);
}

function checkBound(
  what: string,
  wanted: readonly { readonly name: string }[],
  bound: readonly { readonly name: string }[],
): void {
  const left = new Set(bound.map(({ name }) => name));
  const missing = wanted.find(({ name }) => !left.delete(name));
  if (missing !== undefined) throw new RefusedError('CE-107', `${what}: ${missing.name} is missing`);
  const [extra] = left;
  if (extra !== undefined) throw new RefusedError('CE-107', `${what}: ${extra} is not in the script`);
  if (bound.length !== wanted.length) throw new RefusedError('CE-107', `${what}: a name is there twice`);
}

function outOfOrder({ kind }: CeremonyFact, why: string): RefusedError {
  return new RefusedError('CE-110' satisfies ReasonCode, `"${kind}" does not follow: ${why}`);
}
