// SPDX-License-Identifier: Apache-2.0
/** `npm run demo`: sets itself up, then runs `witnessmark demo`. */
import { delimiter } from 'node:path';
import { bootstrap, runSource } from './bootstrap.mjs';
import { installDebianPackages, PROGRAM_FOLDERS } from './debian-packages.mjs';

// Scenes talk to card readers, tokens and programmers that are programs of Debian; the units alone need none.
if (process.argv.includes('--scene')) {
  installDebianPackages(console.error);
  process.env.PATH = [process.env.PATH ?? '', ...PROGRAM_FOLDERS].join(delimiter);
}
runSource(bootstrap(), 'apps/cli/src/main.ts', ['demo', ...process.argv.slice(2)], { channel: true });
