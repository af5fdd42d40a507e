// SPDX-License-Identifier: Apache-2.0
/** The room of a ceremony at a desk: shows each step, takes what people type, and never answers for them. */
import {
  currentStep,
  personWith,
  TYPED_CHARACTERS,
  type BeginView,
  type CeremonyState,
  type DecideView,
  type Digression,
  type ResultView,
  type Room,
  type SecretRequest,
  type StepView,
} from '@witnessmark/ceremony';
import type { RefusedError } from '@witnessmark/core';
import type { Desk } from './desk.ts';
import { refusalLines, resultScreen, stepScreen } from './screen.ts';

const DIGRESSIONS = ['exception', 'pause', 'abort'] as const;
const OTHERWISE = `or ${DIGRESSIONS.join(', ')}:`;
/** People find it as the script says. */
const AS_EXPECTED = 'y';

type Answer<Question extends 'begin' | 'observe' | 'witness' | 'decide'> = Awaited<ReturnType<Room[Question]>>;

export class TerminalRoom implements Room {
  readonly #desk: Desk;
  /** The step a secret is asked for belongs to. */
  readonly #state: () => CeremonyState;

  constructor(desk: Desk, state: () => CeremonyState) {
    this.#desk = desk;
    this.#state = state;
  }

  async begin(view: BeginView): Promise<Answer<'begin'>> {
    this.#show(stepScreen(view));
    const { confirmation, problem, plan } = view;
    if (problem !== null && plan === null) await this.#desk.refused(problem);
    const question =
      confirmation === null
        ? `Enter ${plan === null ? 'to look again' : 'when it was read aloud'},`
        : `Type ${confirmation.what} to go on,`;
    const answer = await this.#desk.ask(
      idOf(view, 'begin'),
      `${question} ${OTHERWISE}`,
      confirmation?.characters ?? '',
    );
    return (await this.#digression(view, answer)) ?? { kind: 'begin', typed: answer };
  }

  async observe(view: StepView): Promise<Answer<'observe'>> {
    const question = `What was observed? ${AS_EXPECTED} for "${view.own.step.expected}", other words, ${OTHERWISE}`;
    const answer = await this.#desk.ask(idOf(view, 'observe'), question, AS_EXPECTED);
    const digression = await this.#digression(view, answer);
    if (digression !== null) return digression;
    if (answer === '') return this.observe(view);
    return { kind: 'observed', text: answer === AS_EXPECTED ? 'as expected' : answer };
  }

  async witness(view: ResultView): Promise<Answer<'witness'>> {
    this.#show(resultScreen(view));
    const by = personWith(view.state, 'witness');
    const typed = view.resultDigest.slice(0, TYPED_CHARACTERS);
    const question = `Witness ${by}: did it happen as read? The first ${TYPED_CHARACTERS} characters of the result digest, ${OTHERWISE}`;
    const answer = await this.#desk.ask(idOf(view, 'witness'), question, typed);
    return (await this.#digression(view, answer)) ?? { kind: 'witnessed', by, typed: answer === '' ? '-' : answer };
  }

  async decide(view: DecideView): Promise<Answer<'decide'>> {
    const { state, own, detail } = view;
    this.#desk.say(`  Whether "${own.step.title}" was done cannot be seen: ${detail}`, 'bold');
    const both = `${personWith(state, 'administrator')} and ${personWith(state, 'witness')}`;
    const answer = await this.#desk.ask(
      idOf(view, 'decide'),
      `${both}, look at the thing itself: done, notDone, ${OTHERWISE}`,
      null,
    );
    const digression = await this.#digression(view, answer);
    if (digression !== null) return digression;
    if (answer !== 'done' && answer !== 'notDone') return this.decide(view);
    const reason = await this.#ask(view, 'reason', 'Why, for the record:');
    return { kind: 'decided', decision: answer, reason };
  }

  async secret({ from, id, text }: SecretRequest): Promise<string> {
    const step = currentStep(this.#state())?.step.id ?? '';
    return this.#desk.askSecret(`${step}/${id}`, `${from}, and nobody else looks: ${text}:`);
  }

  notice(text: string): void {
    this.#desk.say(`  ${text}`, 'bold');
  }

  async refused(error: RefusedError): Promise<void> {
    this.#show(refusalLines(error));
    await this.#desk.refused(error);
  }

  /** What was typed, when it calls for something else than going on. */
  async #digression(view: StepView, answer: string): Promise<Digression | null> {
    switch (answer) {
      case 'exception': {
        const text = await this.#ask(view, 'exception', 'What is not as the script says:');
        const people = view.state.settings.people.map(({ id }) => id);
        let by = await this.#ask(view, 'by', `Who says so (${people.join(', ')}):`);
        while (!people.includes(by)) by = await this.#ask(view, 'by', `One of ${people.join(', ')}:`);
        return { kind: 'exception', text, by };
      }
      case 'pause':
        return { kind: 'pause', reason: await this.#ask(view, 'reason', 'Why is there a break:') };
      case 'abort':
        return { kind: 'abort', reason: await this.#ask(view, 'reason', 'Why does the ceremony end:') };
      default:
        return null;
    }
  }

  async #ask(view: StepView, what: string, question: string): Promise<string> {
    for (;;) {
      const answer = await this.#desk.ask(idOf(view, what), question, null);
      if (answer !== '') return answer;
    }
  }

  #show(lines: readonly string[]): void {
    for (const line of lines) this.#desk.say(line);
  }
}

function idOf({ own }: StepView, what: string): string {
  return `${own.step.id}/${what}`;
}
