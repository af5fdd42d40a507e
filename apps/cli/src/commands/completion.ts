// SPDX-License-Identifier: Apache-2.0
import { defineCommand, type CommandDefinition } from '../command.ts';

const SHELLS = ['bash', 'zsh', 'fish'];

/** The one command that is about the table of all commands. */
export function makeCompletionCommand(table: () => readonly CommandDefinition[]): CommandDefinition {
  return defineCommand({
    path: ['completion'],
    summary: 'Prints a completion script for a shell.',
    examples: [
      { command: 'source <(witnessmark completion bash)', note: 'for this bash session' },
      { command: 'witnessmark completion zsh > "${fpath[1]}/_witnessmark"', note: 'for zsh, kept' },
      { command: 'witnessmark completion fish > ~/.config/fish/completions/witnessmark.fish', note: 'for fish, kept' },
    ],
    args: [{ name: 'SHELL', description: 'bash, zsh or fish', required: true, variadic: false, choices: () => SHELLS }],
    options: {},
    exits: { 0: 'the script is printed' },
    run: async (input) => (await import('../actions/completion.ts')).completion(input, table()),
  });
}
