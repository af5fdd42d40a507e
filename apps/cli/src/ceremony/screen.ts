// SPDX-License-Identifier: Apache-2.0
/** What people in the room see: the opening, each step before it begins, its result, and the end. Plain lines, no redrawing. */
import {
  findParticipant,
  formatHexGroups,
  formatWords,
  type ActResult,
  type BeginView,
  type CeremonyState,
  type ResultView,
  type ReviewedScript,
  type RunSettings,
  type StepView,
} from '@witnessmark/ceremony';
import { describeReasonCode, formatInstant, type RefusedError } from '@witnessmark/core';

const DOUBLE_RULE = '='.repeat(78);
const RULE = '-'.repeat(78);
const LABEL_WIDTH = 18;
const TEXT_WIDTH = 78 - LABEL_WIDTH - 1;

/** Before anything begins: the script by its digest, the people, the things. */
export function openingScreen({ script, sha256 }: ReviewedScript, settings: RunSettings): readonly string[] {
  return [
    DOUBLE_RULE,
    ` ${script.title}`,
    ...field('ceremony', `${settings.ceremonyId}, ${markOfSettings(settings)}`),
    ...field('purpose', script.purpose),
    ...field('script', `${script.name}, version ${script.version}, ${script.steps.length} steps`),
    ...digest('sha256', sha256),
    ...field('program', `witnessmark ${settings.tool.version}`),
    ...digest('sha256', settings.tool.sha256),
    ...field('place', settings.location),
    ...settings.people.flatMap(({ id, role }) => field(role, id)),
    ...settings.equipment.flatMap(({ name, label, serial, bag }) =>
      field(name, `${label}, serial ${serial}${bag === null ? '' : `, out of bag ${bag}`}`),
    ),
    ...settings.inputs.flatMap(({ name, value }) => field(name, value)),
    DOUBLE_RULE,
  ];
}

export function stepScreen({ state, own, number, plan, problem }: BeginView): readonly string[] {
  const { step } = own;
  return [
    '',
    ...heading(state, number),
    ...field(`STEP ${number}`, `${step.title}  [${step.id}]`),
    ...field('by', step.roles.map((ref) => describePerson(state, ref)).join(', ')),
    ...field('READ ALOUD', `"${step.readAloud}"`),
    ...(plan?.lines ?? []).flatMap((line, index) => field(index === 0 ? 'will happen' : '', line)),
    ...(step.irreversible === null ? [] : field('CANNOT BE UNDONE', step.irreversible)),
    ...field('check', step.check),
    ...field('expected', step.expected),
    ...(problem === null ? [] : refusalLines(problem)),
  ];
}

export function resultScreen({ own, number, result, resultDigest }: ResultView): readonly string[] {
  return [
    RULE,
    ...field(`RESULT ${number}`, `${own.step.title} (${own.origin ?? ''})`),
    ...resultLines(result),
    ...digest('result digest', resultDigest),
    ...field('witness', own.step.witness),
  ];
}

/** One step of a transcript, as the replay prints it. */
export function replayedStep({ own, number }: Omit<StepView, 'state'>): readonly string[] {
  const { step, result, resultDigest } = own;
  const at = (what: number | null): string => (what === null ? 'no' : formatInstant(what));
  return [
    RULE,
    ...field(`STEP ${number}`, `${step.title}  [${step.id}]`),
    ...field('read aloud', `"${step.readAloud}"`),
    ...(step.irreversible === null ? [] : field('not undone', step.irreversible)),
    ...field('done', `${at(own.performedAt)}${own.origin === null ? '' : ` (${own.origin}, tries: ${own.attempts})`}`),
    ...(result === null ? [] : resultLines(result)),
    ...(resultDigest === null ? [] : digest('result digest', resultDigest)),
    ...field('witnessed', at(own.witnessedAt)),
  ];
}

/** What is on record besides the steps. */
export function recordLines(state: CeremonyState): readonly string[] {
  return [
    RULE,
    ...field('outcome', state.outcome ?? 'not closed'),
    ...state.exceptions.flatMap(({ at, step, text, by }) =>
      field('exception', `${formatInstant(at)} ${step ?? 'ceremony'}: ${text} (${by})`),
    ),
    ...state.breaks.flatMap(({ from, until, kind, reason }) =>
      field(kind, `${formatInstant(from)} to ${formatInstant(until)}: ${reason}`),
    ),
  ];
}

export function refusalLines(error: RefusedError): readonly string[] {
  const { operatorText, nextStep } = describeReasonCode(error.code);
  return [
    ...field('REFUSED', `${operatorText} [${error.code}]`),
    ...field('', error.message),
    ...field('next', nextStep),
  ];
}

function heading(state: CeremonyState, number: number): readonly string[] {
  const { settings, steps, exceptions } = state;
  const place = `step ${number} of ${steps.length}   exceptions so far: ${exceptions.length}`;
  return [DOUBLE_RULE, ` CEREMONY ${settings.ceremonyId}   ${markOfSettings(settings)}   ${place}`, RULE];
}

function resultLines({ facts, digests, keys }: ActResult): readonly string[] {
  return [
    ...facts.flatMap(({ name, value }) => field(name, value)),
    ...digests.flatMap(({ name, sha256 }) => digest(name, sha256)),
    ...keys.flatMap(({ name, change, holder, grade }) =>
      field(`key ${change}`, `${name} of ${holder}, custody ${grade}`),
    ),
  ];
}

function markOfSettings({ environment }: RunSettings): string {
  if (environment.rehearsal) return 'REHEARSAL';
  return environment.simulated ? 'SIMULATED' : 'REAL (not a rehearsal)';
}

function describePerson(state: CeremonyState, ref: Parameters<typeof findParticipant>[1]): string {
  const person = findParticipant(state.settings.people, ref);
  return `${ref} ${person?.id ?? ''}`;
}

function digest(name: string, sha256: string): readonly string[] {
  const words = formatWords(sha256);
  return [...formatHexGroups(sha256), ...words].map((text, index) => label(index === 0 ? name : '') + text);
}

function field(name: string, text: string): readonly string[] {
  return wrap(text).map((line, index) => label(index === 0 ? name : '') + line);
}

function label(name: string): string {
  return ` ${name.padEnd(LABEL_WIDTH - 1)} `;
}

/** Breaks between words; a word that is too long stays whole. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last === '' || last.length + word.length < TEXT_WIDTH)
      lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
