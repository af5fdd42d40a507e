// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

/** Packages resolve to their sources, in tests as in development; worker threads and child processes inherit it. */
const SOURCE_CONDITION = '@witnessmark/source';

export default defineConfig({
  resolve: { conditions: [SOURCE_CONDITION, 'node'] },
  ssr: { resolve: { conditions: [SOURCE_CONDITION, 'node'], externalConditions: [SOURCE_CONDITION, 'node'] } },
  test: {
    include: ['{packages,apps,testing}/*/test/**/*.test.ts'],
    pool: 'forks',
    // Many tests wait for programs they started; a core of its own for the reporter would be idle.
    maxWorkers: '100%',
    execArgv: [`--conditions=${SOURCE_CONDITION}`],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
