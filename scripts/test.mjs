// SPDX-License-Identifier: Apache-2.0
/**
 * `npm test`: sets up what the tests need, runs them, and says what was skipped and why. Arguments go to vitest, so
 * `npm test -- packages/tlog` runs one package.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { installDebianPackages, PROGRAM_FOLDERS } from './debian-packages.mjs';

// First, because a package from npm is compiled with tools from Debian.
installDebianPackages(console.log);
const node = bootstrap({ development: true });

const folder = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
const report = join(folder, 'report.json');
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const run = spawnSync(node, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, PATH: [process.env.PATH, ...PROGRAM_FOLDERS].join(delimiter) },
});

try {
  summarise(JSON.parse(readFileSync(report, 'utf8')));
} catch {
  console.log('the tests left no report');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = run.status ?? 1;

/** Names every skipped test: a suite that quietly shrinks is a failing suite. */
function summarise({ testResults }) {
  const tests = testResults.flatMap((file) => file.assertionResults);
  const skipped = tests.filter(
    (test) => test.status === 'skipped' || test.status === 'pending' || test.status === 'todo',
  );
  for (const test of skipped) console.log(`skipped: ${test.fullName}`);
  const count = (status) => tests.filter((test) => test.status === status).length;
  // A file that cannot be loaded has no tests, and is a failure all the same.
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  console.log(`${count('passed')} passed, ${count('failed') + broken} failed, ${skipped.length} skipped`);
}
