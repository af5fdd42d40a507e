// SPDX-License-Identifier: Apache-2.0
/** A ceremony from its script to the last witnessed step, or from where it was left. */
import {
  conductCeremony,
  currentStep,
  parseScript,
  SCRIPT_LIMITS,
  type ConductOutcome,
  type ReviewedScript,
} from '@witnessmark/ceremony';
import { RefusedError } from '@witnessmark/core';
import { Answers } from '../ceremony/answers.ts';
import { ceremoniesIn, closeAndPrint, type ClosingOptions } from '../ceremony/closing.ts';
import { openDesk, type Desk } from '../ceremony/desk.ts';
import { openingScreen } from '../ceremony/screen.ts';
import { loadSetup, toRunSettings } from '../ceremony/setup.ts';
import { TerminalRoom } from '../ceremony/terminal-room.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readFile } from '../files.ts';
import type { ceremonyResumeOptions, ceremonyRunOptions } from '../options/ceremony.ts';
import { beginCeremony, resumeCeremony, type OpenCeremony } from '../roots/ceremony.ts';
import type { Session } from '../session.ts';

/** So many characters of the reviewed digest are typed before anything begins. */
const DIGEST_CHARACTERS = 8;
/** Names tell a rehearsal from the real thing as well. */
const REHEARSAL_ID = 'rehearsal-';

const OUTCOME_EXITS: Readonly<Record<ConductOutcome, ExitCode>> = {
  done: EXIT.waiting,
  paused: EXIT.waiting,
  aborted: EXIT.no,
};

export async function ceremonyRun(input: CommandInput<typeof ceremonyRunOptions>): Promise<CommandResult> {
  return begin(input, false);
}

export async function ceremonyRehearse(input: CommandInput<typeof ceremonyRunOptions>): Promise<CommandResult> {
  return begin(input, true);
}

export async function ceremonyResume({
  args,
  options,
  session,
}: CommandInput<typeof ceremonyResumeOptions>): Promise<CommandResult> {
  const opened = await resumeCeremony(ceremoniesIn(options), args[0] as string, session.clock);
  try {
    const { environment } = opened.ceremony.state.settings;
    const desk = deskOf(session, environment, options.answers);
    return await conduct(session, opened, { desk, closing: options });
  } finally {
    await opened.close();
  }
}

async function begin(
  { args, options, session }: CommandInput<typeof ceremonyRunOptions>,
  isRehearsal: boolean,
): Promise<CommandResult> {
  const reviewed = parseScript(readFile(args[0] as string, SCRIPT_LIMITS.json.maxBytes + 1));
  const setup = loadSetup(options.setup);
  const { ceremonyId, simulated } = setup.values;
  if (ceremonyId.startsWith(REHEARSAL_ID) !== isRehearsal) {
    throw usageError(`${options.setup}: the id of a rehearsal begins with ${REHEARSAL_ID}, and no other does`);
  }
  const desk = deskOf(session, { simulated, rehearsal: isRehearsal }, options.answers);
  for (const line of openingScreen(reviewed, toRunSettings(setup, isRehearsal))) desk.say(line);
  await compareDigest(reviewed, options.scriptDigest, desk);
  const { clock } = session;
  const opened = await beginCeremony({ root: ceremoniesIn(options), reviewed, setup, isRehearsal, clock });
  try {
    return await conduct(session, opened, { desk, closing: options });
  } finally {
    await opened.close();
  }
}

/** Who answers: people, or for trials a file. Throws CE-116 and `ERR_CLI_ANSWER_MISSING`. */
function deskOf(
  { terminal, output }: Session,
  { simulated, rehearsal }: { readonly simulated: boolean; readonly rehearsal: boolean },
  answersFile: string | undefined,
): Desk {
  const isTrial = simulated || rehearsal;
  if (answersFile !== undefined) {
    if (!isTrial) throw new RefusedError('CE-116', '--answers was given for a real ceremony');
    return openDesk({ terminal, output, isRehearsal: rehearsal, answers: Answers.load(answersFile) });
  }
  if (!terminal.isInteractive) {
    if (!isTrial) throw new RefusedError('CE-116', 'there is no terminal');
    throw new CliError('ERR_CLI_ANSWER_MISSING', '--answers is missing, and there is no terminal to ask on');
  }
  return openDesk({ terminal, output, isRehearsal: rehearsal, answers: null });
}

/** The script on this disk is the one that was reviewed. Throws CE-106. */
async function compareDigest({ sha256 }: ReviewedScript, given: string | undefined, desk: Desk): Promise<void> {
  const expected = given === undefined ? sha256.slice(0, DIGEST_CHARACTERS) : sha256;
  const question = `Type the first ${DIGEST_CHARACTERS} characters of the script's digest from its review, not from this screen:`;
  const typed = given ?? (await desk.ask('script/digest', question, expected));
  if (typed !== expected) throw new RefusedError('CE-106', `the review says ${typed}, the script has ${sha256}`);
}

async function conduct(
  session: Session,
  { ceremony, acts }: OpenCeremony,
  { desk, closing }: { readonly desk: Desk; readonly closing: ClosingOptions },
): Promise<CommandResult> {
  const { output, clock, signal } = session;
  const room = new TerminalRoom(desk, () => ceremony.state);
  const outcome = await conductCeremony({ ceremony, acts, room, clock, signal });
  if (outcome === 'done' && closing.key.length > 0) return closeAndPrint(session, ceremony, closing);
  const { settings, steps, exceptions } = ceremony.state;
  const { ceremonyId } = settings;
  const next = currentStep(ceremony.state)?.step.id ?? null;
  const last = {
    done: `${ceremonyId}: every step is witnessed; sign it with "witnessmark ceremony close ${ceremonyId}"`,
    paused: `${ceremonyId}: a break before ${next ?? 'the closing'}; go on with "witnessmark ceremony resume ${ceremonyId}"`,
    aborted: `${ceremonyId}: aborted; sign it with "witnessmark ceremony close ${ceremonyId}"`,
  };
  const mark = settings.environment.rehearsal ? 'REHEARSAL ' : '';
  output.verdict(`${mark}${last[outcome]}`);
  const witnessed = steps.filter(({ phase }) => phase === 'witnessed').length;
  const document = {
    ceremonyId,
    outcome,
    rehearsal: settings.environment.rehearsal,
    next,
    witnessed,
    steps: steps.length,
  };
  return { exit: OUTCOME_EXITS[outcome], document: { ...document, exceptions: exceptions.length } };
}
