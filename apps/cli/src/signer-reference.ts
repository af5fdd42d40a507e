// SPDX-License-Identifier: Apache-2.0
/**
 * Key references (spec/configuration.md), as every `--key` flag and every key member of a configuration takes them. A PIN
 * is typed unseen, or comes from where the reference says; the card found and the card expected are named first.
 */
import {
  formatToken,
  KeyAccess,
  parseKeyReference,
  type PinRequest,
  type PinSource,
  type PinTries,
  type Purpose,
  type Signer,
  type TokenIdentity,
} from '@witnessmark/custody';
import { CliError } from './error.ts';
import type { Session } from './session.ts';

interface KeyOptions {
  readonly session: Pick<Session, 'terminal' | 'output' | 'newId' | 'clock'>;
  /** What the key is to sign; custody keeps account of it. */
  readonly purpose: Purpose;
  /** Makes the paths in a reference absolute; a configuration's are relative to its file. */
  readonly pathOf?: (path: string) => string;
  /** In place of the prompt, where a reference names no source. */
  readonly askPin?: PinSource;
}

interface OpenedSigner {
  readonly signer: Signer;
  close(): void;
}

/** Opens the one key of a command. Throws what parsing the reference and opening the key throw. */
export async function openSigner(reference: string, options: KeyOptions): Promise<OpenedSigner> {
  const access = openKeyAccess(options);
  try {
    const signer = await access.open(parseKeyReference(reference, options.pathOf), options.purpose);
    return {
      signer,
      close: () => {
        access.close();
      },
    };
  } catch (error) {
    access.close();
    throw error;
  }
}

/** Opens a key for the time of `work`. */
export async function withSigner<T>(
  reference: string,
  options: KeyOptions,
  work: (signer: Signer) => Promise<T>,
): Promise<T> {
  const opened = await openSigner(reference, options);
  try {
    return await work(opened.signer);
  } finally {
    opened.close();
  }
}

/** For programs with several keys: one login for each token, one connection to custody. */
export function openKeyAccess({ session, askPin }: Pick<KeyOptions, 'session' | 'askPin'>): KeyAccess {
  return new KeyAccess({
    clock: session.clock,
    newId: session.newId,
    askPin: askPin ?? promptForPin(session),
    onWaiting: (token, keyLabel) => {
      session.output.note(`Touch ${describeToken(token)} now: it waits to sign with "${keyLabel}".`);
    },
  });
}

/** Without a terminal nobody can type: the reference has to name a source. */
export function promptForPin({ terminal, output }: Pick<Session, 'terminal' | 'output'>): PinSource {
  return async (request) => {
    if (!terminal.isInteractive) {
      throw new CliError(
        'ERR_CLI_ANSWER_MISSING',
        `the PIN of token ${formatToken(request.expected)} is asked for, and there is no terminal; name a pin-source in the key reference`,
      );
    }
    for (const line of describeRequest(request)) output.note(line);
    return terminal.askSecret(`PIN${request.purpose === 'login' ? '' : ' for this signature'}: `);
  };
}

function describeRequest({ expected, found, purpose, keyLabel, tries }: PinRequest): string[] {
  const what = purpose === 'login' ? 'to log in' : `for one signature with "${keyLabel ?? ''}"`;
  return [
    `expected token ${formatToken(expected)}`,
    `found    token ${describeToken(found)}`,
    `The token asks for its PIN ${what}.${TRIES[tries]}`,
  ];
}

const TRIES: Readonly<Record<PinTries, string>> = {
  unknown: '',
  fewerThanAll: ' A wrong PIN was entered before.',
  last: ' This is the last try before it locks.',
  none: ' It is locked.',
};

function describeToken(token: TokenIdentity): string {
  return `${formatToken(token)}, ${token.manufacturer} ${token.model}, in ${token.slot}`;
}
