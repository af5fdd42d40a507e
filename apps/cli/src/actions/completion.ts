// SPDX-License-Identifier: Apache-2.0
/** Completion scripts, generated from the command table. Where no choice is known the shell offers file names. */
import { longFlag, type CommandDefinition, type CommandInput, type CommandResult, type NoOptions } from '../command.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { PROGRAM } from '../help.ts';

const COMMON_FLAGS = ['--json', '--quiet', '--verbose', '--help'];
const FORMATS: Readonly<Record<string, (table: readonly CommandDefinition[]) => string>> = { bash, zsh, fish };

// eslint-disable-next-line @typescript-eslint/require-await -- every action is asynchronous
export async function completion(
  { args, session }: CommandInput<NoOptions>,
  table: readonly CommandDefinition[],
): Promise<CommandResult> {
  const shell = args[0] as string;
  const format = Object.hasOwn(FORMATS, shell) ? FORMATS[shell] : undefined;
  if (format === undefined) throw usageError(`SHELL must be one of ${Object.keys(FORMATS).join(', ')}`);
  const script = format(table);
  session.output.block(script);
  return { exit: EXIT.yes, document: { shell, script } };
}

function bash(table: readonly CommandDefinition[]): string {
  const cases = table.map(
    (command) => `    ${quote(command.path.join(' '))}) words=${quote(wordsOf(command).join(' '))} ;;`,
  );
  return [
    `# ${PROGRAM} completion for bash`,
    `_${PROGRAM}() {`,
    '  local current=${COMP_WORDS[COMP_CWORD]} typed="${COMP_WORDS[1]}" words="" noun',
    ...nounLines(table).map((line) => `  ${line}`),
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words=${quote(topWords(table).join(' '))}`,
    '  elif [ "$COMP_CWORD" -eq 2 ] && [ -n "$noun" ]; then',
    '    words=$noun',
    '  else',
    '    if [ -n "$noun" ]; then typed="${COMP_WORDS[1]} ${COMP_WORDS[2]}"; fi',
    '    case "$typed" in',
    ...cases,
    '    esac',
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    `complete -o filenames -F _${PROGRAM} ${PROGRAM} wmk`,
  ].join('\n');
}

function nounLines(table: readonly CommandDefinition[]): readonly string[] {
  const cases = nounsOf(table).map((noun) => `  ${noun}) noun=${quote(verbsOf(table, noun).join(' '))} ;;`);
  return ['case "$typed" in', ...cases, 'esac'];
}

/** zsh runs the bash script through its own compatibility layer. */
function zsh(table: readonly CommandDefinition[]): string {
  return [`#compdef ${PROGRAM} wmk`, 'autoload -U +X bashcompinit && bashcompinit', bash(table)].join('\n');
}

function fish(table: readonly CommandDefinition[]): string {
  const nouns = nounsOf(table);
  const top = table.filter(({ path }) => path.length === 1);
  const lines = [
    ...top.map(
      ({ path, summary }) => `-n __fish_use_subcommand -f -a ${quote(path[0] as string)} -d ${quote(summary)}`,
    ),
    ...nouns.map((noun) => `-n __fish_use_subcommand -f -a ${quote(noun)} -d ${quote(`The ${noun} commands.`)}`),
    ...nouns.flatMap((noun) => {
      const verbs = verbsOf(table, noun);
      const condition = `__fish_seen_subcommand_from ${noun}; and not __fish_seen_subcommand_from ${verbs.join(' ')}`;
      return verbs.map((verb) => `-n ${quote(condition)} -f -a ${quote(verb)}`);
    }),
    ...table.flatMap((command) => {
      const condition = command.path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
      const flags = flagsOf(command).map((flag) => `-n ${quote(condition)} -l ${quote(flag.slice(2))}`);
      const choices = choicesOf(command).map((choice) => `-n ${quote(condition)} -f -a ${quote(choice)}`);
      return [...flags, ...choices];
    }),
  ];
  return [`# ${PROGRAM} completion for fish`, ...lines.map((line) => `complete -c ${PROGRAM} ${line}`)].join('\n');
}

function topWords(table: readonly CommandDefinition[]): readonly string[] {
  return [...new Set(table.map(({ path }) => path[0] as string)), '--help', '--version'];
}

function nounsOf(table: readonly CommandDefinition[]): readonly string[] {
  return [...new Set(table.filter(({ path }) => path.length > 1).map(({ path }) => path[0] as string))];
}

function verbsOf(table: readonly CommandDefinition[], noun: string): readonly string[] {
  return table.filter(({ path }) => path[0] === noun).map(({ path }) => path[1] as string);
}

function wordsOf(command: CommandDefinition): readonly string[] {
  return [...flagsOf(command), ...choicesOf(command)];
}

function flagsOf(command: CommandDefinition): readonly string[] {
  return [...Object.values(command.options).map(longFlag), ...COMMON_FLAGS];
}

function choicesOf(command: CommandDefinition): readonly string[] {
  return command.args.flatMap(({ choices }) => choices?.() ?? []);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
