// SPDX-License-Identifier: Apache-2.0
/** Who works at a station during one run of the program: signs in, comes back when it is time, signs out at the end. */
import type { SessionService } from '@witnessmark/api';
import { parseTrustedRoot } from '@witnessmark/attestation';
import { describeReasonCode, type ReasonCode } from '@witnessmark/core';
import { readPinFile } from '@witnessmark/custody';
import type { Station, UnitResult } from '@witnessmark/station';
import type { OptionValues } from './command.ts';
import type { LoadedConfig, StationConfig } from './config.ts';
import { CliError, usageError } from './error.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';
import { signSession } from './operator-session.ts';
import type { signInOptions } from './options/station.ts';
import { purposeOfStatement } from './purpose.ts';
import type { Session } from './session.ts';
import { withSigner } from './signer-reference.ts';

const HOUR_MS = 3600 * 1000;
const MINUTES_PER_HOUR = 60;
const DEFAULT_SESSION_HOURS = 8;
/** What a person answers by signing in again. */
const LAPSES: ReadonlySet<string> = new Set(['LS-501', 'LS-511', 'LS-512', 'LS-515']);

type Options = Pick<OptionValues<typeof signInOptions>, keyof typeof signInOptions>;

/** The station, or all its places at once. */
type SignInTarget = Pick<Station, 'signIn' | 'signInWithBadge' | 'endSession' | 'sessionLapse'>;

interface SignInPlace {
  readonly session: Session;
  readonly options: Options;
  readonly config: LoadedConfig<StationConfig>;
  readonly line: Pick<SessionService, 'sessionChallenge' | 'openSessions'>;
  readonly station: SignInTarget;
}

export class OperatorAtStation {
  readonly #place: SignInPlace;
  /** The line said that a session is over of which the station did not know. */
  #isOver = false;

  /** Signs in; throws `ERR_CLI_USAGE` when nothing says as whom, and there is no terminal to ask on. */
  static async signIn(place: SignInPlace): Promise<OperatorAtStation> {
    const operator = new OperatorAtStation(place);
    await operator.#signIn();
    return operator;
  }

  private constructor(place: SignInPlace) {
    this.#place = place;
  }

  /** Before each unit: asks the person back when the pause was too long or the batch is done. */
  async renewIfDue(): Promise<void> {
    const { station, session } = this.#place;
    const lapse = this.#isOver ? 'LS-515' : station.sessionLapse;
    if (lapse === null) return;
    await this.#askBack(lapse, session);
    await this.#signIn();
  }

  /** After each unit: the line counts too, over all stations and restarts. */
  hear({ code }: Pick<UnitResult, 'code'>): void {
    if (code !== null && LAPSES.has(code)) this.#isOver = true;
  }

  /** The line ends a session that nobody uses, so that not being heard now changes nothing. */
  async signOut(): Promise<void> {
    const { station, session, config } = this.#place;
    const entry = await station.endSession();
    if (entry !== null) session.output.note(`signed out at ${config.values.station}, log entry ${entry.index}`);
  }

  async #signIn(): Promise<void> {
    const { options, session, config } = this.#place;
    const { operatorKey, badge } = options;
    if (operatorKey !== undefined && badge !== undefined) throw usageError('--operator-key or --badge, not both');
    const entry = operatorKey === undefined ? await this.#signInWithBadge() : await this.#signInWithKey(operatorKey);
    this.#isOver = false;
    const { station, line } = config.values;
    session.output.note(`signed in at ${station} of ${line}, log entry ${entry.index}`);
  }

  #signInWithKey(operatorKey: string): ReturnType<SignInTarget['signIn']> {
    const { session, options, config, line, station } = this.#place;
    const { clock, newId } = session;
    const { values, pathOf } = config;
    const sign = withSigner(operatorKey, { session, purpose: purposeOfStatement }, (credential) =>
      signSession({
        credential,
        trustedRoot: parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES)),
        station: { id: values.station, line: values.line },
        line,
        id: newId(),
        clock,
        durationMs: (options.sessionHours ?? DEFAULT_SESSION_HOURS) * HOUR_MS,
        endsOther: options.endOther,
      }),
    );
    return sign.then((envelope) => station.signIn(envelope));
  }

  async #signInWithBadge(): ReturnType<SignInTarget['signInWithBadge']> {
    const { session, options, station } = this.#place;
    const badge = options.badge ?? (await askForBadge(session));
    const pin = await readBadgePin(session, options.pinSource);
    const durationMinutes = (options.sessionHours ?? DEFAULT_SESSION_HOURS) * MINUTES_PER_HOUR;
    return station.signInWithBadge({ badge, pin, durationMinutes, endsOther: options.endOther });
  }

  /** A card asks for its PIN or a touch by itself; that a person is there at all is asked where somebody can answer. */
  async #askBack(lapse: ReasonCode, { output, terminal }: Session): Promise<void> {
    output.note(`${lapse} ${describeReasonCode(lapse).operatorText}`);
    if (terminal.isInteractive && this.#place.options.operatorKey !== undefined) {
      await terminal.ask('Put in your own card and press Enter: ');
    }
  }
}

/** The PIN of a badge: from a file that only its owner can read, or typed unseen. */
export async function readBadgePin(
  { terminal }: Pick<Session, 'terminal'>,
  source: string | undefined,
): Promise<string> {
  if (source !== undefined) return readPinFile(source);
  if (!terminal.isInteractive) {
    throw new CliError(
      'ERR_CLI_ANSWER_MISSING',
      '--pin-source is missing, and there is no terminal to type the PIN on',
    );
  }
  return terminal.askSecret('PIN of the badge: ');
}

/** A reader types the number and Enter. */
async function askForBadge({ terminal }: Session): Promise<string> {
  if (!terminal.isInteractive) {
    throw usageError('--operator-key (or WITNESSMARK_OPERATOR_KEY) or --badge is missing');
  }
  const badge = (await terminal.ask('Scan your badge: ')).trim();
  if (badge === '') throw usageError('nothing was scanned; --badge answers it too');
  return badge;
}
