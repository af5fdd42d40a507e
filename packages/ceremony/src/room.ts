// SPDX-License-Identifier: Apache-2.0
/** The people, as the engine meets them: what they are shown, and what they may answer. Adapters are a terminal, a file, a test. */
import type { RefusedError } from '@witnessmark/core';
import type { ActPlan, ActPrompts, ActResult } from './act.ts';
import type { CeremonyState, StepState } from './state.ts';

export interface StepView {
  readonly state: CeremonyState;
  readonly own: StepState;
  /** Counted from 1. */
  readonly number: number;
}

export interface BeginView extends StepView {
  /** Null when the act could not even look; `problem` says why, and beginning means looking again. */
  readonly plan: ActPlan | null;
  readonly problem: RefusedError | null;
  /** What must be typed before something that cannot be taken back; null where nothing is final. */
  readonly confirmation: { readonly what: string; readonly characters: string } | null;
}

export interface ResultView extends StepView {
  readonly result: ActResult;
  readonly resultDigest: string;
}

export interface DecideView extends StepView {
  readonly detail: string;
}

/** What people may say instead of going on, at every question. */
export type Digression =
  | { readonly kind: 'exception'; readonly text: string; readonly by: string }
  | { readonly kind: 'pause'; readonly reason: string }
  | { readonly kind: 'abort'; readonly reason: string };

export interface Room extends ActPrompts {
  /** The step was read aloud and is to begin. */
  begin(view: BeginView): Promise<Digression | { readonly kind: 'begin'; readonly typed: string }>;
  /** A step of people alone: what was observed. */
  observe(view: StepView): Promise<Digression | { readonly kind: 'observed'; readonly text: string }>;
  /** The result is read aloud; the witness says whether it happened as read. */
  witness(
    view: ResultView,
  ): Promise<Digression | { readonly kind: 'witnessed'; readonly by: string; readonly typed: string }>;
  /** Whether something final was done cannot be seen; administrator and witness decide together. */
  decide(
    view: DecideView,
  ): Promise<Digression | { readonly kind: 'decided'; readonly decision: 'done' | 'notDone'; readonly reason: string }>;
  /** Something was refused; the same question follows. Rejects where nobody could answer otherwise. */
  refused(error: RefusedError): Promise<void>;
}
