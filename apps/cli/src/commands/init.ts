// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { initOptions } from '../options/init.ts';

export const initCommand = defineCommand({
  path: ['init'],
  summary:
    'Makes a trial site: keys for every role, the trust repository, and the configuration of one line and one station.',
  examples: [
    { command: 'witnessmark init --data site', note: 'with default names' },
    {
      command:
        'witnessmark init --data site --author d.okafor --approver l.meyer:release --approver a.rossi:security --approver j.abe:quality',
      note: 'with your own people',
    },
    {
      command: 'witnessmark init --data site --sku GW-210-EU --hw-version B --json',
      note: 'for another product, for machines',
    },
  ],
  args: [],
  options: initOptions,
  exits: { 0: 'the site is made', 6: 'the disk failed' },
  run: async (input) => (await import('../actions/init.ts')).init(input),
});
