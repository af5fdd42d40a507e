// SPDX-License-Identifier: Apache-2.0
/** People who do what the script says, and answer otherwise where a test tells them to. */
import type { BeginView, DecideView, ResultView, Room, SecretRequest, StepView } from '@witnessmark/ceremony';
import { TYPED_CHARACTERS } from '@witnessmark/ceremony';
import type { RefusedError } from '@witnessmark/core';

type Answer<Question extends 'begin' | 'observe' | 'witness' | 'decide'> = Awaited<ReturnType<Room[Question]>>;

/** Each is asked once per question; null means: what good people say. */
export interface RoomHabits {
  begin?: (view: BeginView) => Answer<'begin'> | null;
  observe?: (view: StepView) => Answer<'observe'> | null;
  witness?: (view: ResultView) => Answer<'witness'> | null;
  decide?: (view: DecideView) => Answer<'decide'> | null;
  secret?: (request: SecretRequest) => string | null;
}

export class TestRoom implements Room {
  readonly refusals: RefusedError[] = [];
  readonly notices: string[] = [];
  readonly decisions: string[] = [];
  readonly #habits: RoomHabits;

  constructor(habits: RoomHabits = {}) {
    this.#habits = habits;
  }

  begin(view: BeginView): Promise<Answer<'begin'>> {
    const typed = view.confirmation?.characters ?? '';
    if (view.problem !== null && this.#habits.begin === undefined) return Promise.reject(view.problem);
    return Promise.resolve(this.#habits.begin?.(view) ?? { kind: 'begin', typed });
  }

  observe(view: StepView): Promise<Answer<'observe'>> {
    return Promise.resolve(this.#habits.observe?.(view) ?? { kind: 'observed', text: view.own.step.expected });
  }

  witness(view: ResultView): Promise<Answer<'witness'>> {
    const by = view.state.settings.people.find(({ role }) => role === 'witness')!.id;
    const typed = view.resultDigest.slice(0, TYPED_CHARACTERS);
    return Promise.resolve(this.#habits.witness?.(view) ?? { kind: 'witnessed', by, typed });
  }

  decide(view: DecideView): Promise<Answer<'decide'>> {
    this.decisions.push(view.detail);
    const answer = this.#habits.decide?.(view) ?? { kind: 'decided', decision: 'done', reason: 'we looked' };
    return Promise.resolve(answer);
  }

  secret(request: SecretRequest): Promise<string> {
    return Promise.resolve(this.#habits.secret?.(request) ?? 'correct horse');
  }

  notice(text: string): void {
    this.notices.push(text);
  }

  refused(error: RefusedError): Promise<void> {
    this.refusals.push(error);
    if (this.refusals.length > 20) return Promise.reject(error);
    return Promise.resolve();
  }
}
