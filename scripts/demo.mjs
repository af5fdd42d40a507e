// SPDX-License-Identifier: Apache-2.0
/** `npm run demo`: sets itself up, then runs `witnessmark demo`. */
import { bootstrap, runSource } from './bootstrap.mjs';

runSource(bootstrap(), 'apps/cli/src/main.ts', ['demo', ...process.argv.slice(2)]);
