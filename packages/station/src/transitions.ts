// SPDX-License-Identifier: Apache-2.0
/**
 * The allowed moves of one unit as data: idle → bound → intended → programmed → measured → (booted) → (keyed) → (locked) → signed →
 * logged → passed, and failed, stopped or interrupted. Whatever is not in the table cannot happen.
 */
import type { Outcome, ReleaseManifest } from '@witnessmark/attestation';

export const PHASES = [
  'idle',
  'bound',
  'intended',
  'programmed',
  'measured',
  'booted',
  'keyed',
  'locked',
  'signed',
  'spooled',
  'logged',
  'passed',
  'failed',
  'stopped',
  'interrupted',
] as const;
export type Phase = (typeof PHASES)[number];
export type FinalPhase = Extract<Phase, 'passed' | 'failed' | 'stopped' | 'interrupted'>;

export const MOVES = [
  'bind',
  'intend',
  'program',
  'measure',
  'bootDigest',
  'key',
  'lock',
  'sign',
  'spool',
  'record',
  'pass',
  'fail',
  'stop',
  'interrupt',
  'resume',
] as const;
export type Move = (typeof MOVES)[number];

export type Recipe = ReleaseManifest['recipe']['steps'];

export interface FlowState {
  readonly phase: Phase;
  /** Set when the closing event is signed. */
  readonly outcome: Outcome | null;
}

export const IDLE: FlowState = { phase: 'idle', outcome: null };

/** Where each step of a recipe leads. */
const PHASE_AFTER_STEP = {
  program: 'programmed',
  measure: 'measured',
  bootDigest: 'booted',
  key: 'keyed',
  lock: 'locked',
} as const;

/** Phases in which an intent is open and not yet closed by a signed event. */
const OPEN_PHASES: readonly Phase[] = [
  'intended',
  'programmed',
  'measured',
  'booted',
  'keyed',
  'locked',
  'interrupted',
];

const UNFINISHED_PHASES: readonly Phase[] = ['idle', 'bound', ...OPEN_PHASES, 'signed', 'spooled', 'logged'];

interface Transition {
  readonly from: (recipe: Recipe, outcome: Outcome | null) => readonly Phase[];
  readonly to: Phase;
}

const TRANSITIONS: Readonly<Record<Move, Transition>> = {
  bind: { from: () => ['idle'], to: 'bound' },
  intend: { from: () => ['bound'], to: 'intended' },
  program: { from: () => ['intended'], to: 'programmed' },
  measure: { from: () => ['programmed'], to: 'measured' },
  bootDigest: { from: (recipe) => before('bootDigest', recipe), to: 'booted' },
  key: { from: (recipe) => before('key', recipe), to: 'keyed' },
  lock: { from: (recipe) => before('lock', recipe), to: 'locked' },
  // A good event needs every step of the recipe; any other outcome may be signed as soon as an intent is open.
  sign: { from: (recipe, outcome) => (outcome === 'SUCCEEDED' ? [lastPhase(recipe)] : OPEN_PHASES), to: 'signed' },
  // While the line does not answer: made, and nothing that could pass.
  spool: { from: () => ['signed'], to: 'spooled' },
  record: { from: () => ['signed'], to: 'logged' },
  pass: { from: (_, outcome) => (outcome === 'SUCCEEDED' ? ['logged'] : []), to: 'passed' },
  fail: { from: failable, to: 'failed' },
  stop: { from: () => UNFINISHED_PHASES, to: 'stopped' },
  interrupt: { from: () => UNFINISHED_PHASES, to: 'interrupted' },
  // The device is read back, never programmed again.
  resume: { from: () => ['interrupted'], to: 'programmed' },
};

/** The state after `move`. Signing names its `outcome`. Throws `TypeError` for a move that is not allowed. */
export function advance(state: FlowState, move: Move, recipe: Recipe, outcome?: Outcome): FlowState {
  if ((move === 'sign') !== (outcome !== undefined)) throw new TypeError('signing, and only signing, names an outcome');
  const next = outcome ?? state.outcome;
  const { from, to } = TRANSITIONS[move];
  if (!from(recipe, next).includes(state.phase)) {
    throw new TypeError(`a unit that is ${state.phase} cannot ${move}${next === null ? '' : ` as ${next}`}`);
  }
  return { phase: to, outcome: move === 'resume' ? null : next };
}

function before(step: Recipe[number], recipe: Recipe): readonly Phase[] {
  const previous = recipe[recipe.indexOf(step) - 1];
  return recipe.includes(step) && previous !== undefined ? [PHASE_AFTER_STEP[previous]] : [];
}

/** Before an intent nothing has to be recorded about the device; after it a unit fails by its logged event. */
function failable(_: Recipe, outcome: Outcome | null): readonly Phase[] {
  if (outcome === null) return ['idle', 'bound'];
  return outcome === 'FAILED' ? ['logged', 'spooled'] : [];
}

function lastPhase(recipe: Recipe): Phase {
  return PHASE_AFTER_STEP[recipe.at(-1) ?? 'measure'];
}
