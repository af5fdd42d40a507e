// SPDX-License-Identifier: Apache-2.0
/**
 * Conducts a ceremony from where its journal ends: plan → read aloud → intent → act → result → witnessed. Whatever ends
 * the program in between, the journal says where, and an act whose result is missing is looked at, never assumed.
 */
import { formatJson, RefusedError, sha256Hex, type Clock } from '@witnessmark/core';
import { checkClock, type Ceremony } from './ceremony.ts';
import { FACT_LIMITS } from './facts.ts';
import { checkResult, observation, TYPED_CHARACTERS } from './result.ts';
import { findParticipant } from './roles.ts';
import { checkActs } from './script.ts';
import { currentStep, type StepState } from './state.ts';
import type { ActContext, ActInspection, ActPlan, ActTable, AnyAct } from './act.ts';
import type { CeremonyFact } from './facts.ts';
import type { Digression, Room, StepView } from './room.ts';

export interface ConductOptions {
  readonly ceremony: Ceremony;
  readonly acts: ActTable;
  readonly room: Room;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** `done`: every step is witnessed and the ceremony can be closed. */
export type ConductOutcome = 'done' | 'paused' | 'aborted';

/**
 * Returns when nothing is left, a break was called or the ceremony was aborted. Rejects with CE-102 or CE-103 when script and
 * acts do not fit, CE-108 when the journal fails, CE-114 for the clock, CE-117 when it is over, and with whatever
 * else ended the work; then it is conducted again after a resume.
 */
export async function conductCeremony(options: ConductOptions): Promise<ConductOutcome> {
  const { ceremony, acts, clock } = options;
  checkActs(ceremony.state.reviewed.script, acts);
  checkClock(ceremony.state, clock);
  const { phase } = ceremony.state;
  if (phase === 'aborted' || phase === 'closed') throw new RefusedError('CE-117', `the ceremony is ${phase}`);
  if (phase === 'onBreak') await ceremony.record({ kind: 'resumed', after: 'break' });
  else if (ceremony.isLeft) await ceremony.record({ kind: 'resumed', after: 'interruption' });
  const conductor = new Conductor(options);
  for (;;) {
    const { state } = ceremony;
    if (state.phase === 'onBreak') return 'paused';
    if (state.phase === 'aborted') return 'aborted';
    const own = currentStep(state);
    if (own === null) return 'done';
    await conductor.advance(own);
  }
}

class Conductor {
  readonly #options: ConductOptions;
  /** The step whose act was begun by this very program, so that a step found begun is one that was interrupted. */
  #begun: string | null = null;

  constructor(options: ConductOptions) {
    this.#options = options;
  }

  async advance(own: StepState): Promise<void> {
    switch (own.phase) {
      case 'open':
        return this.#begin(own);
      case 'intended':
        return this.#settleInterrupted(own);
      case 'unclear':
        return this.#decide(own);
      case 'performed':
        return this.#witness(own);
      case 'witnessed':
        throw new TypeError('a witnessed step is not current');
    }
  }

  async #begin(own: StepState): Promise<void> {
    const { room } = this.#options;
    const { plan, problem } = await this.#plan(own);
    const confirmation = own.step.irreversible === null || plan === null ? null : toConfirmation(own, plan);
    const answer = await room.begin({ ...this.#view(own), plan, problem, confirmation });
    if (answer.kind !== 'begin') return this.#digress(own, answer);
    if (plan === null) return;
    if (confirmation !== null && answer.typed !== confirmation.characters) {
      return room.refused(new RefusedError('CE-111', `"${answer.typed}" was typed, not ${confirmation.what}`));
    }
    await this.#record({ kind: 'intended', step: own.step.id, plan: [...plan.lines] });
    this.#begun = own.step.id;
    await this.#perform(own);
  }

  async #perform(own: StepState): Promise<void> {
    const act = this.#actOf(own);
    if (act === null) return this.#observe(own);
    try {
      const result = checkResult(own.step.id, await act.perform(this.#context(own)));
      await this.#record({ kind: 'performed', step: own.step.id, origin: 'performed', result });
    } catch (error) {
      // Only a refusal is an answer; everything else ends the program, and the resume looks.
      if (!(error instanceof RefusedError) || error.code === 'CE-108') throw error;
      await this.#settle(own, act, error);
      await this.#options.room.refused(error);
    }
  }

  /** A step found begun: this program, or the one before it, was ended in the middle. */
  async #settleInterrupted(own: StepState): Promise<void> {
    const act = this.#actOf(own);
    if (act !== null) {
      return this.#settle(own, act, new RefusedError('CE-113', 'the program ended while the step was under way'));
    }
    if (own.step.irreversible === null || this.#begun === own.step.id) return this.#observe(own);
    const detail = 'people were doing it when the program ended';
    await this.#record({ kind: 'unclear', step: own.step.id, detail });
  }

  /** Looks at the world and records what is true there: done, not done, or for people to decide. */
  async #settle(own: StepState, act: AnyAct, why: RefusedError): Promise<void> {
    const step = own.step.id;
    const found = await this.#inspect(own, act);
    if (found.state === 'done') {
      const result = checkResult(step, found.result);
      await this.#record({ kind: 'performed', step, origin: 'inspected', result });
      await this.#record({
        kind: 'exception',
        step,
        text: clip(`${why.code}: ${why.message}; found done`),
        by: 'program',
      });
    } else if (found.state === 'notDone' || !act.isIrreversible) {
      await this.#record({ kind: 'failed', step, code: why.code, detail: clip(why.message) });
    } else {
      await this.#record({ kind: 'unclear', step, detail: clip(`${why.message}; ${found.detail}`) });
    }
  }

  async #inspect(own: StepState, act: AnyAct): Promise<ActInspection> {
    try {
      const found = await act.inspect(this.#context(own));
      if (found.state === 'done') checkResult(own.step.id, found.result);
      return found;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return { state: 'unknown', detail: `${error.code}: ${error.message}` };
    }
  }

  async #observe(own: StepState): Promise<void> {
    const answer = await this.#options.room.observe(this.#view(own));
    if (answer.kind === 'observed') {
      const result = checkResult(own.step.id, observation(answer.text));
      return this.#record({ kind: 'performed', step: own.step.id, origin: 'observed', result });
    }
    // In the middle of a step there is no break, only words about it or the end.
    if (answer.kind === 'pause') {
      return this.#options.room.refused(new RefusedError('CE-110', 'a break can be called before or after a step'));
    }
    return this.#digress(own, answer);
  }

  async #witness(own: StepState): Promise<void> {
    const { room } = this.#options;
    const { result, resultDigest } = own;
    if (result === null || resultDigest === null) throw new TypeError('a performed step has a result');
    const answer = await room.witness({ ...this.#view(own), result, resultDigest });
    if (answer.kind !== 'witnessed') return this.#digress(own, answer);
    const { by, typed } = answer;
    try {
      await this.#record({ kind: 'witnessed', step: own.step.id, by, typed: typed.slice(0, 8) });
    } catch (error) {
      if (!(error instanceof RefusedError) || error.code !== 'CE-112') throw error;
      await room.refused(error);
    }
  }

  async #decide(own: StepState): Promise<void> {
    const exception = this.#options.ceremony.state.exceptions.findLast(({ step }) => step === own.step.id);
    const answer = await this.#options.room.decide({ ...this.#view(own), detail: exception?.text ?? '' });
    if (answer.kind !== 'decided') return this.#digress(own, answer);
    const { decision, reason } = answer;
    await this.#record({ kind: 'decided', step: own.step.id, decision, reason: clip(reason) });
  }

  async #digress(own: StepState, digression: Digression): Promise<void> {
    switch (digression.kind) {
      case 'exception':
        return this.#record({ ...digression, text: clip(digression.text), step: own.step.id });
      case 'pause':
        return this.#record({ kind: 'paused', reason: clip(digression.reason) });
      case 'abort':
        return this.#record({ kind: 'aborted', reason: clip(digression.reason) });
    }
  }

  async #plan(own: StepState): Promise<{ plan: ActPlan | null; problem: RefusedError | null }> {
    const act = this.#actOf(own);
    if (act === null) return { plan: { lines: [] }, problem: null };
    try {
      return { plan: checkPlan(await act.plan(this.#context(own))), problem: null };
    } catch (problem) {
      if (!(problem instanceof RefusedError)) throw problem;
      return { plan: null, problem };
    }
  }

  #actOf({ step }: StepState): AnyAct | null {
    return step.act === null ? null : (this.#options.acts.get(step.act.kind) ?? null);
  }

  #context({ step }: StepState): ActContext {
    const { ceremony, clock, room, signal } = this.#options;
    const { state } = ceremony;
    const { settings } = state;
    const find = <T extends { readonly name: string }>(items: readonly T[], name: string): T => {
      const found = items.find((item) => item.name === name);
      if (found === undefined)
        throw new RefusedError('CE-107', `step ${step.id} wants ${name}, which the script does not name`);
      return found;
    };
    return {
      ceremonyId: settings.ceremonyId,
      stepId: step.id,
      isRehearsal: settings.environment.rehearsal,
      parameters: step.act?.parameters ?? null,
      clock,
      prompts: room,
      signal,
      person: (ref) => {
        const person = findParticipant(settings.people, ref);
        if (person === null) throw new RefusedError('CE-104', `step ${step.id} wants ${ref}, and nobody is`);
        return person.id;
      },
      equipment: (name) => find(settings.equipment, name),
      input: (name) => find(settings.inputs, name).value,
      result: (id) => {
        const result = state.steps.find((other) => other.step.id === id && other.phase === 'witnessed')?.result;
        if (result === null || result === undefined) {
          throw new RefusedError('CE-118', `step ${step.id} needs the result of ${id}, which has none`);
        }
        return result;
      },
    };
  }

  #view(own: StepState): StepView {
    const { state } = this.#options.ceremony;
    return { state, own, number: state.steps.findIndex(({ step }) => step.id === own.step.id) + 1 };
  }

  async #record(fact: CeremonyFact): Promise<void> {
    await this.#options.ceremony.record(fact);
  }
}

function toConfirmation(own: StepState, plan: ActPlan): { readonly what: string; readonly characters: string } {
  if (plan.confirmation !== undefined) return plan.confirmation;
  const digest = sha256Hex(formatJson({ step: own.step.id, plan: [...plan.lines] }));
  const characters = digest.slice(0, TYPED_CHARACTERS);
  return { what: `the first four characters of this plan's digest, ${digest}`, characters };
}

function checkPlan(plan: ActPlan): ActPlan {
  return { ...plan, lines: plan.lines.slice(0, FACT_LIMITS.planLines).map((text) => clip(text, FACT_LIMITS.planLine)) };
}

/** One printable line within its bound: messages may hold what a token or a file said. */
function clip(text: string, maxLength: number = FACT_LIMITS.text): string {
  // Shortened first, so that half of a character at the cut is taken away with the rest.
  const plain = text
    .slice(0, maxLength)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return plain === '' ? '-' : plain;
}
