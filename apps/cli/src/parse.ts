// SPDX-License-Identifier: Apache-2.0
/** The command line, read by the command table. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { longFlag, type CommandDefinition, type OptionDefinition } from './command.ts';
import { usageError, type CliError } from './error.ts';
import { formatCommandHelp, formatGroupHelp, namesOf, PROGRAM } from './help.ts';
import type { OutputOptions } from './output.ts';

export type ParsedLine =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'command';
      readonly command: CommandDefinition;
      readonly args: readonly string[];
      readonly options: Readonly<Record<string, unknown>>;
      readonly output: OutputOptions;
      readonly verbose: boolean;
    };

interface ParseOptions {
  readonly commands: readonly CommandDefinition[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

type RawOptions = Readonly<Record<string, string | readonly string[] | boolean | number | undefined>>;

/** Reads what was typed; throws `ERR_CLI_USAGE`, with a suggestion when something close exists. */
export function parseCommandLine(argv: readonly string[], options: ParseOptions): ParsedLine {
  let text = '';
  const parsed: ParsedLine[] = [];
  const configure = (command: Command): Command =>
    command
      .exitOverride()
      .helpCommand(false)
      .helpOption('-h, --help')
      .configureOutput({
        writeOut: (part) => {
          text += part;
        },
        writeErr: () => undefined,
      });

  const root = configure(new Command(PROGRAM)).version(`${PROGRAM} ${options.version}`, '--version');
  root.configureHelp({ formatHelp: () => `${formatGroupHelp('', options.commands)}\n` });
  const groups = new Map<string, Command>();
  for (const definition of options.commands) {
    const [noun, verb] = definition.path as [string, string | undefined];
    const parent = verb === undefined ? root : (groups.get(noun) ?? addGroup(noun));
    const command = configure(parent.command(verb ?? noun)).allowExcessArguments(false);
    command.configureHelp({ formatHelp: () => `${formatCommandHelp(definition)}\n` });
    addInputs(command, definition);
    command.action(() => {
      const raw = command.opts<RawOptions>();
      parsed.push({
        kind: 'command',
        command: definition,
        args: command.args,
        options: readOptions(definition, raw, options.environment),
        output: { json: raw['json'] === true, quiet: toQuiet(raw['quiet']) },
        verbose: raw['verbose'] === true,
      });
    });
  }

  try {
    root.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return { kind: 'text', text };
    throw toUsageError(error, argv);
  }
  const [line] = parsed;
  if (line === undefined) throw usageError(`a command is missing; see "${PROGRAM} --help"`);
  return line;

  function addGroup(noun: string): Command {
    const members = options.commands.filter(({ path }) => path[0] === noun);
    const group = configure(root.command(noun)).configureHelp({
      formatHelp: () => `${formatGroupHelp(noun, members)}\n`,
    });
    group.allowExcessArguments(true).action(() => {
      const [typed] = group.args;
      const verbs = members.map(({ path }) => path[1]).join(', ');
      throw usageError(
        typed === undefined
          ? `"${noun}" needs one of ${verbs}`
          : `"${noun} ${typed}" is not a command; "${noun}" has ${verbs}`,
      );
    });
    groups.set(noun, group);
    return group;
  }
}

/** What a line that could not be parsed asked of the output. */
export function guessOutput(argv: readonly string[]): OutputOptions {
  const quiet = argv.filter((word) => word === '-q' || word === '--quiet').length + (argv.includes('-qq') ? 2 : 0);
  return { json: argv.includes('--json'), quiet: toQuiet(quiet) };
}

function addInputs(command: Command, definition: CommandDefinition): void {
  for (const { name, required, variadic } of definition.args) {
    const text = variadic ? `${name}...` : name;
    command.argument(required ? `<${text}>` : `[${text}]`);
  }
  for (const [name, option] of Object.entries(definition.options)) {
    const added = new Option(option.flags, option.description);
    if (added.attributeName() !== name) throw new TypeError(`${option.flags} must be named ${added.attributeName()}`);
    if (option.kind === 'list') added.argParser(append);
    if (option.choices !== undefined) added.argParser((text: string) => oneOf(text, option.choices ?? []));
    command.addOption(added);
  }
  command.option('--json').option('--verbose');
  command.addOption(new Option('-q, --quiet').argParser(countUp).preset('').default(0));
}

function readOptions(
  definition: CommandDefinition,
  raw: RawOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(definition.options).map(([name, option]) => {
      const texts = textsOf(raw[name], option, environment);
      if (option.required && texts.length === 0) throw usageError(`${namesOf(option)} is missing`);
      return [name, option.parse(texts, longFlag(option))];
    }),
  );
}

/** A flag beats the environment; an empty variable counts as absent. */
function textsOf(
  value: RawOptions[string],
  option: OptionDefinition<unknown>,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value === true) return [''];
  if (typeof value === 'object') return value;
  const variable = option.environment === undefined ? undefined : environment[option.environment];
  if (variable === undefined || variable === '') return [];
  return [option.choices === undefined ? variable : oneOf(variable, option.choices)];
}

function oneOf(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new InvalidArgumentError(`Allowed: ${choices.join(', ')}.`);
}

/** commander passes undefined before the first occurrence. */
function append(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function countUp(_text: string, count: number): number {
  return count + 1;
}

function toQuiet(count: unknown): 0 | 1 | 2 {
  return count === 0 || count === undefined ? 0 : count === 1 ? 1 : 2;
}

function toUsageError(error: CommanderError, argv: readonly string[]): CliError {
  // Without any command commander shows help and calls it an error.
  if (error.code === 'commander.help') return usageError(`a command is missing; see "${PROGRAM} --help"`);
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const hint = rest.join(' ').replace(/^\(Did/, '(did');
  const command = argv
    .filter((word) => !word.startsWith('-'))
    .slice(0, 2)
    .join(' ');
  const where =
    error.code === 'commander.unknownCommand' || command === '' ? '' : ` (see "${PROGRAM} ${command} --help")`;
  return usageError(`${first}${hint === '' ? where : ` ${hint}`}`);
}
