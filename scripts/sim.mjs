// SPDX-License-Identifier: Apache-2.0
/** `npm run sim -- --seeds N --from S`: sets itself up, then runs the simulated world. */
import { bootstrap, runSource } from './bootstrap.mjs';

runSource(bootstrap({ development: true }), 'testing/world/src/swarm/main.ts', process.argv.slice(2));
