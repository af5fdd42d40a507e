// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import { stationCacheOptions } from '../options/station-cache.ts';

export const stationCacheCommand = defineCommand({
  path: ['station', 'cache'],
  summary: 'Lists, checks or purges the sealed copies of released content that a station keeps.',
  examples: [
    { command: 'witnessmark station cache list --data site', note: 'digests and sizes, the last used first' },
    {
      command: 'witnessmark station cache check --data site',
      note: 'opens and hashes everything: changed, exchanged, outdated, foreign, cut off',
    },
    {
      command: 'witnessmark station cache purge --config station.json --all --json',
      note: 'removes everything, on record; without --all what "check" names',
    },
  ],
  args: [{ name: 'list|check|purge', description: 'what to do', required: true, variadic: false }],
  options: stationCacheOptions,
  exits: {
    0: 'listed, purged, or everything is sound',
    1: 'check: something is not what was put there; its code says what',
    2: 'the station is at work; it holds its directory',
    4: 'the key of the cache cannot be had, or its index was changed',
  },
  run: async (input) => (await import('../actions/station-cache.ts')).stationCache(input),
});
