// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run bench [-- NAME] [--write]`: the measurements, one after the other. Each prints its figures beside the limit it
 * found in the same run, and with `--write` keeps them in `docs/`, where it has a page. What runs is what is shipped:
 * compiled, because stripping types costs every thread 30 MB.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';

const BENCHES = ['append', 'append-http', 'fsck', 'verify', 'station', 'slots', 'custody'];

const flags = process.argv.slice(2).filter((argument) => argument === '--write');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--write');
const unknown = wanted.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`);
  process.exit(2);
}

const node = bootstrap({ development: true });
const built = spawnSync(node, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (built.status !== 0) process.exit(1);
for (const name of wanted.length > 0 ? wanted : BENCHES) {
  console.log(`\n== ${name}`);
  const result = spawnSync(node, [join(ROOT, 'bench', `${name}.ts`), ...flags], {
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exitCode = 1;
}
