// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { stationSessionsOptions } from '../options/station.ts';

export const stationSessionsCommand = defineCommand({
  path: ['station', 'sessions'],
  summary: 'Lists who is signed in at which station of the line, how, and since when.',
  examples: [
    { command: 'witnessmark station sessions --data site', note: 'of the line of this station' },
    {
      command: 'witnessmark station sessions --config station.json --line http://127.0.0.1:7300',
      note: 'of a line anywhere',
    },
    { command: 'witnessmark station sessions --data site --json', note: 'for machines' },
  ],
  args: [],
  options: stationSessionsOptions,
  exits: { 0: 'listed', 6: 'the line server does not answer' },
  run: async (input) => (await import('../actions/station-sessions.ts')).stationSessions(input),
});

export const stationSignOutCommand = defineCommand({
  path: ['station', 'sign-out'],
  summary: 'Ends the session that somebody has left open at this station.',
  examples: [
    { command: 'witnessmark station sign-out --data site', note: 'then the next person signs in' },
    { command: 'witnessmark station sign-out --config station.json', note: 'at a station of its own' },
    { command: 'witnessmark station sign-out --data site --json', note: 'for machines' },
  ],
  args: [],
  options: stationSessionsOptions,
  exits: {
    0: 'it has ended, or nobody was signed in',
    4: 'refused: another station, or it ended meanwhile',
    6: 'the line server or the key of the station does not answer',
  },
  run: async (input) => (await import('../actions/station-sessions.ts')).stationSignOut(input),
});
