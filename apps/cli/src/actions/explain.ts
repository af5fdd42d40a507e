// SPDX-License-Identifier: Apache-2.0
import { describeReasonCode, isReasonCode, REASON_CODES, type ReasonCode } from '@witnessmark/core';
import type { CommandInput, CommandResult, NoOptions } from '../command.ts';
import { ERROR_CATALOGUE, isErrorCode } from '../error-catalogue.ts';
import { usageError } from '../error.ts';
import { EXIT, EXIT_MEANINGS, exitCodeOfError, exitCodeOfReason } from '../exit-codes.ts';

// eslint-disable-next-line @typescript-eslint/require-await -- every action is asynchronous
export async function explain({ args, session }: CommandInput<NoOptions>): Promise<CommandResult> {
  const [typed] = args;
  const { output } = session;
  if (typed === undefined) {
    const codes = Object.entries(REASON_CODES).map(([code, entry]) => ({ code, ...entry }));
    for (const { code, operatorText } of codes) output.data(`${code}  ${operatorText}`);
    return { exit: EXIT.yes, document: { codes } };
  }
  const code = typed.toUpperCase();
  const rows = isReasonCode(code) ? reasonRows(code) : isErrorCode(code) ? errorRows(code) : unknownCode(typed);
  for (const [name, text] of Object.entries(rows)) output.data(`${name.padEnd(12)}${text}`);
  return { exit: EXIT.yes, document: toDocument(rows) };
}

type Rows = Readonly<Record<string, string>>;

function reasonRows(code: ReasonCode): Rows {
  const { operatorText, cause, nextStep, overrideBy } = describeReasonCode(code);
  const exit = exitCodeOfReason(code);
  return {
    code,
    operator: operatorText,
    cause,
    next: nextStep,
    'lifted by': overrideBy,
    'exit code': `${exit}, ${EXIT_MEANINGS[exit]}`,
  };
}

function errorRows(code: keyof typeof ERROR_CATALOGUE): Rows {
  const { meaning, next } = ERROR_CATALOGUE[code];
  const exit = exitCodeOfError(code);
  return { code, meaning, next, 'exit code': `${exit}, ${EXIT_MEANINGS[exit]}` };
}

function unknownCode(typed: string): never {
  const prefix = typed.slice(0, 2).toUpperCase();
  const family = Object.keys(REASON_CODES).filter((code) => code.startsWith(prefix));
  const hint =
    family.length === 0 ? '"witnessmark explain" lists them all' : `did you mean one of ${family.join(', ')}?`;
  throw usageError(`CODE ${JSON.stringify(typed.slice(0, 40))} is not known; ${hint}`);
}

function toDocument(rows: Rows): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, text]) => [
      name.replace(/ (.)/g, (_, letter: string) => letter.toUpperCase()),
      text,
    ]),
  );
}
