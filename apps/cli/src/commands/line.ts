// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { lineDecideOptions, lineServeOptions, lineStopsOptions } from '../options/line.ts';

export const lineServeCommand = defineCommand({
  path: ['line', 'serve'],
  summary: 'Runs the line server: permits, countersignatures, the evidence log and the trust repository over HTTP.',
  examples: [
    { command: 'witnessmark line serve --data site', note: 'prints its URL when it is ready; Ctrl-C ends it cleanly' },
    { command: 'witnessmark line serve --data site --port 0', note: 'on a free port' },
    {
      command: 'witnessmark line serve --config /etc/witnessmark/line.json -q',
      note: 'as a service; only the URL is printed',
    },
  ],
  args: [],
  options: lineServeOptions,
  exits: {
    0: 'ended by SIGTERM, everything published',
    1: 'the log on disk is damaged; nothing was started',
    4: 'refused to start: another writer, or a log behind a head it is shown',
    6: 'the disk or the log failed; start again, which reads everything anew',
    130: 'ended by Ctrl-C, everything published',
  },
  run: async (input) => (await import('../actions/line-serve.ts')).lineServe(input),
});

export const lineStopsCommand = defineCommand({
  path: ['line', 'stops'],
  summary: 'Lists what each station did in one shift, the line stops that wait, and the decisions that exist for each.',
  examples: [
    { command: 'witnessmark line stops --data site', note: 'exit 5 while one waits' },
    { command: 'witnessmark line stops --line http://127.0.0.1:7300', note: 'of a line anywhere' },
    { command: 'witnessmark line stops --data site --json', note: 'for machines' },
  ],
  args: [],
  options: lineStopsOptions,
  exits: { 0: 'none waits', 5: 'at least one waits for a supervisor', 6: 'the line server does not answer' },
  run: async (input) => (await import('../actions/line-stops.ts')).lineStops(input),
});

export const lineDecideCommand = defineCommand({
  path: ['line', 'decide'],
  summary: 'Records a supervisor\'s decision about a line stop or a held unit; there is no "continue".',
  examples: [
    {
      command:
        'witnessmark line decide 019a9f0c-5b7e-7c63-8d51-2f6f3c1f9a10 --data site --key sam.pem --action voidLabel --reason "wrong roll"',
      note: 'a line stop, by the number that "line stops" lists',
    },
    {
      command:
        'witnessmark line decide GW-210-7Q3K-9ZD2-M4XT --data site --key sam.pem --action allowRetry --reason "fixture was open"',
      note: 'a unit on hold, by its serial',
    },
    {
      command: 'witnessmark line decide GW-210-7Q3K-9ZD2-M4XT --data site --key sam.pem --action quarantineUnit',
      note: 'asks for the reason',
    },
  ],
  args: [
    {
      name: 'STOP',
      description: 'the number of a line stop, or the serial of a unit on hold',
      required: true,
      variadic: false,
    },
  ],
  options: lineDecideOptions,
  exits: {
    0: 'the decision is in the log',
    3: 'nothing of that name waits',
    4: 'refused: not a supervisor, or not a decision this code allows',
    6: 'the line server or the key does not answer',
  },
  run: async (input) => (await import('../actions/line-decide.ts')).lineDecide(input),
});
