// SPDX-License-Identifier: Apache-2.0
/** Help from the command table: one sentence, three examples, flags, exit codes. */
import { longFlag, type CommandDefinition, type OptionDefinition } from './command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit-codes.ts';

export const PROGRAM = 'witnessmark';

/** Flags every command has. */
export const COMMON_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ['--json', 'print one JSON document on stdout; "ok" is true exactly when the exit code is 0'],
  ['-q, --quiet', 'print the last line only; -qq prints nothing'],
  ['--verbose', 'on errors, print the chain of causes'],
  ['-h, --help', 'print this help'],
];

export function formatCommandHelp(command: CommandDefinition): string {
  return [
    command.summary,
    '',
    'Examples',
    ...command.examples.flatMap((example) => [`  ${example.command}`, `      ${example.note}`]),
    '',
    'Usage',
    `  ${usageOf(command)}`,
    ...section('Arguments', argumentRows(command)),
    ...section('Options', optionRows(command)),
    ...section('Common options', COMMON_OPTIONS),
    ...section('Exit codes', exitRows(command)),
  ].join('\n');
}

export function formatGroupHelp(noun: string, commands: readonly CommandDefinition[]): string {
  const rows = commands.map((command) => [command.path.slice(noun === '' ? 0 : 1).join(' '), command.summary] as const);
  const prefix = noun === '' ? PROGRAM : `${PROGRAM} ${noun}`;
  return [
    noun === '' ? 'Evidence per serial: secure programming on a production line.' : `The ${noun} commands.`,
    ...section('Commands', rows),
    '',
    `Run "${prefix} <command> --help" for examples, flags and exit codes.`,
  ].join('\n');
}

export function usageOf(command: CommandDefinition): string {
  const args = command.args.map(({ name, required, variadic }) => {
    const text = variadic ? `${name}...` : name;
    return required ? `<${text}>` : `[${text}]`;
  });
  return [PROGRAM, ...command.path, '[options]', ...args].join(' ');
}

export function argumentRows(command: CommandDefinition): readonly (readonly [string, string])[] {
  return command.args.map(({ name, description }) => [name, description]);
}

export function optionRows(command: CommandDefinition): readonly (readonly [string, string])[] {
  return Object.values(command.options).map((option) => [option.flags, describeOption(option)]);
}

/** Required flags say so; the others say what applies without them. */
function describeOption(option: OptionDefinition<unknown>): string {
  const facts = [
    ...(option.required ? ['required'] : []),
    ...(option.choices === undefined ? [] : [`one of ${option.choices.join(', ')}`]),
    ...(option.fallback === undefined ? [] : [`default ${option.fallback}`]),
    ...(option.kind === 'list' ? ['may be repeated'] : []),
    ...(option.environment === undefined ? [] : [`also ${option.environment}`]),
  ];
  return facts.length === 0 ? option.description : `${option.description} (${facts.join('; ')})`;
}

export function exitRows(command: CommandDefinition): readonly (readonly [string, string])[] {
  const always: Partial<Record<ExitCode, string>> = {
    [EXIT.usage]: EXIT_MEANINGS[EXIT.usage],
    [EXIT.bug]: EXIT_MEANINGS[EXIT.bug],
    [EXIT.interrupted]: EXIT_MEANINGS[EXIT.interrupted],
  };
  return Object.entries({ ...always, ...command.exits })
    .map(([code, meaning]) => [code, meaning] as const)
    .sort(([left], [right]) => Number(left) - Number(right));
}

/** The flags and variables that answer a required option, for messages. */
export function namesOf(option: OptionDefinition<unknown>): string {
  return option.environment === undefined ? longFlag(option) : `${longFlag(option)} (or ${option.environment})`;
}

function section(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([left]) => left.length));
  return ['', title, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)];
}
