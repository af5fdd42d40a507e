// SPDX-License-Identifier: Apache-2.0
/** docs/cli.md and docs/errors.md, generated from the command table and the catalogues; a test fails when a file differs. */
import { REASON_CODES } from '@witnessmark/core';
import type { CommandDefinition } from './command.ts';
import { ERROR_CATALOGUE } from './error-catalogue.ts';
import { EXIT_MEANINGS, exitCodeOfError, exitCodeOfReason } from './exit-codes.ts';
import { argumentRows, COMMON_OPTIONS, exitRows, optionRows, PROGRAM, usageOf } from './help.ts';

const NOTICE =
  '<!-- Written by `node --conditions=@witnessmark/source scripts/reference.mjs`; edit the sources instead. -->';

export function formatCommandReference(commands: readonly CommandDefinition[]): string {
  return joinBlocks([
    '# Commands',
    NOTICE,
    `\`${PROGRAM}\` (short: \`wmk\`). Data goes to stdout, everything else to stderr; the text is the same with and without a
terminal. \`-\` stands for stdin where a file is read. Nothing is read from the current folder that was not named.`,
    '## Flags of every command',
    table(
      ['flag', 'meaning'],
      COMMON_OPTIONS.map(([flags, text]) => [code(flags), text]),
    ),
    '## Exit codes',
    table(['code', 'meaning'], Object.entries(EXIT_MEANINGS)),
    ...commands.flatMap(commandBlocks),
  ]);
}

export function formatErrorReference(): string {
  const reasons = Object.entries(REASON_CODES).map(([name, entry]) => [
    code(name),
    entry.operatorText,
    entry.cause,
    entry.nextStep,
    entry.overrideBy,
    String(exitCodeOfReason(name)),
  ]);
  const errors = Object.entries(ERROR_CATALOGUE).map(([name, { meaning, next }]) => [
    code(name),
    meaning,
    next,
    String(exitCodeOfError(name)),
  ]);
  return joinBlocks([
    '# Codes',
    NOTICE,
    `A *reason code* is a "no" with its reason: the rules were applied and the answer is negative. \`LS-\` line stop, \`UF-\` unit
failed, \`HD-\` hold, \`PL-\` promotion gate, \`TR-\` release repository, \`EV-\` evidence, \`LG-\` log, \`CU-\` custody of keys. An
*ERR_ code* says that something could not be done or read. \`${PROGRAM} explain CODE\` prints the same.`,
    '## Reason codes',
    table(['code', 'operator sees', 'cause', 'next step', 'lifted by', 'exit'], reasons),
    '## Error codes',
    table(['code', 'meaning', 'next step', 'exit'], errors),
  ]);
}

function commandBlocks(command: CommandDefinition): readonly string[] {
  const inputs = [...argumentRows(command), ...optionRows(command)].map(([name, text]) => [code(name), text]);
  return [
    `## ${command.path.join(' ')}`,
    command.summary,
    fence(usageOf(command)),
    'Examples:',
    fence(command.examples.map(({ command: line, note }) => `# ${note}\n${line}`).join('\n')),
    ...(inputs.length === 0 ? [] : [table(['input', 'meaning'], inputs)]),
    table(['exit', 'meaning'], exitRows(command)),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function fence(text: string): string {
  return `\`\`\`sh\n${text}\n\`\`\``;
}

function joinBlocks(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
