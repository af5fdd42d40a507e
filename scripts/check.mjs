// SPDX-License-Identifier: Apache-2.0
/** Everything a change must satisfy besides the tests. Runs all checks, then says which failed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const CHECKS = [
  { name: 'types', what: 'the whole workspace compiles', command: ['tsc', '-b'] },
  { name: 'lint', what: 'typed lint rules', command: ['eslint', '.', '--max-warnings=0'] },
  { name: 'format', what: 'one format', command: ['prettier', '--check', '--log-level=warn', '.'] },
  {
    name: 'structure',
    what: 'the import table of ARCHITECTURE.md',
    command: ['depcruise', 'packages', 'apps', 'testing', 'bench'],
  },
  {
    name: 'unused',
    what: 'no unused file, export or dependency',
    command: ['knip', '--no-progress', '--no-config-hints'],
  },
  { name: 'shipped', what: 'the compiled program starts', command: ['node', 'apps/cli/dist/main.js', '--version'] },
];

const failed = [];
for (const { name, what, command } of CHECKS) {
  const [program, ...args] = command;
  const started = performance.now();
  const result = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: withLocalPrograms() });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ok = result.status === 0;
  if (!ok) failed.push(name);
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(10)} ${what} (${seconds} s)`);
}

if (failed.length > 0) {
  console.log(`failed: ${failed.length}: ${failed.join(', ')}`);
  process.exit(1);
}

function withLocalPrograms() {
  return { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` };
}
