// SPDX-License-Identifier: Apache-2.0
import { REASON_CODES } from '@witnessmark/core';
import { defineCommand } from '../command.ts';

export const explainCommand = defineCommand({
  path: ['explain'],
  summary: 'Explains a code: what it means, why, what to do next and who may lift it.',
  examples: [
    { command: 'witnessmark explain LS-101', note: 'a line stop' },
    { command: 'witnessmark explain ERR_JSON_SYNTAX', note: 'an error of the program or its input' },
    { command: 'witnessmark explain', note: 'lists every reason code' },
  ],
  args: [
    {
      name: 'CODE',
      description: 'a reason code such as LS-101, or an ERR_ code',
      required: false,
      variadic: false,
      choices: () => Object.keys(REASON_CODES),
    },
  ],
  options: {},
  exits: { 0: 'the code is explained' },
  run: async (input) => (await import('../actions/explain.ts')).explain(input),
});
