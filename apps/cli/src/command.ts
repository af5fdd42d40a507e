// SPDX-License-Identifier: Apache-2.0
/**
 * What a command is: data. Parsing, help, docs/cli.md, completion and the exit-code tests all read these definitions,
 * so they cannot disagree.
 */
import { usageError } from './error.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

export interface OptionDefinition<Value> {
  /** For example `--trust <FILE>` or `-q, --quiet`. */
  readonly flags: string;
  readonly description: string;
  readonly kind: 'text' | 'flag' | 'list';
  readonly required: boolean;
  /** What applies without flag, variable and file, as text for help. */
  readonly fallback?: string;
  readonly choices?: readonly string[];
  /** Read when the flag is absent. */
  readonly environment?: string;
  /** Turns the text (one per occurrence for lists) into the value; throws `ERR_CLI_USAGE`. */
  readonly parse: (texts: readonly string[], flag: string) => Value;
}

export interface ArgumentDefinition {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly choices?: () => readonly string[];
}

export type OptionTable = Readonly<Record<string, OptionDefinition<unknown>>>;

/** The values of a table of options, typed by their definitions. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionDefinition<infer Value> ? Value : never;
};

/** For commands without options of their own. */
export type NoOptions = Readonly<Record<string, never>>;

export interface CommandInput<Table extends OptionTable> {
  readonly options: OptionValues<Table>;
  readonly args: readonly string[];
  readonly session: Session;
}

/** What a command leaves: its exit code and, for `--json`, the rest of its one document. */
export interface CommandResult {
  readonly exit: ExitCode;
  readonly document: Readonly<Record<string, unknown>>;
}

export interface CommandDefinition {
  /** One word, or noun and verb. */
  readonly path: readonly string[];
  /** One sentence. */
  readonly summary: string;
  readonly examples: readonly [Example, Example, Example];
  readonly args: readonly ArgumentDefinition[];
  readonly options: OptionTable;
  /** The codes this command can end with, and what each means here; 2, 70 and 130 go without saying. */
  readonly exits: Readonly<Partial<Record<ExitCode, string>>>;
  run(input: CommandInput<OptionTable>): Promise<CommandResult>;
}

export interface Example {
  readonly command: string;
  readonly note: string;
}

/** Checks a definition's types; the table keeps it without its own option types. */
export function defineCommand<const Table extends OptionTable>(
  definition: Omit<CommandDefinition, 'options' | 'run'> & {
    readonly options: Table;
    run(input: CommandInput<Table>): Promise<CommandResult>;
  },
): CommandDefinition {
  return definition;
}

interface TextDetails {
  readonly environment?: string;
  readonly choices?: readonly string[];
}

export function requiredText(flags: string, description: string, details: TextDetails = {}): OptionDefinition<string> {
  return { flags, description, kind: 'text', required: true, ...details, parse: ([text = '']) => text };
}

export function optionalText(
  flags: string,
  description: string,
  details: TextDetails & { readonly fallback?: string } = {},
): OptionDefinition<string | undefined> {
  return { flags, description, kind: 'text', required: false, ...details, parse: (texts) => texts[0] };
}

export function textWithDefault(
  flags: string,
  description: string,
  fallback: string,
  details: TextDetails = {},
): OptionDefinition<string> {
  return {
    flags,
    description,
    kind: 'text',
    required: false,
    fallback,
    ...details,
    parse: (texts) => texts[0] ?? fallback,
  };
}

export function optionalInteger(
  flags: string,
  description: string,
  range: { readonly min: number; readonly max: number; readonly fallback?: string },
): OptionDefinition<number | undefined> {
  const { min, max, fallback } = range;
  return {
    flags,
    description,
    kind: 'text',
    required: false,
    ...(fallback === undefined ? {} : { fallback }),
    parse: ([text], flag) => {
      if (text === undefined) return undefined;
      const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      if (value >= min && value <= max) return value;
      throw usageError(`${flag} takes a whole number from ${min} to ${max}`);
    },
  };
}

export function flag(flags: string, description: string): OptionDefinition<boolean> {
  return { flags, description, kind: 'flag', required: false, parse: (texts) => texts.length > 0 };
}

/** May be given several times. */
export function list(flags: string, description: string): OptionDefinition<readonly string[]> {
  return { flags, description, kind: 'list', required: false, parse: (texts) => texts };
}

export function longFlag(definition: Pick<OptionDefinition<unknown>, 'flags'>): string {
  return /--[a-z][a-z-]*/.exec(definition.flags)?.[0] ?? definition.flags;
}
