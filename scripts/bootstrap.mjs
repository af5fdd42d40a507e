// SPDX-License-Identifier: Apache-2.0
/**
 * Makes a fresh clone runnable under any Node from 20 on: installs from the lock file when node_modules does not match
 * it, and finds the Node to run with. Every problem is one line that says what to do.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, failWithoutNode, findNode, runInPlace, SOURCE_CONDITION } from '../apps/cli/bin/runtime.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const EXIT_USAGE = 2;
const EXIT_TRANSPORT = 6;
const NETWORK_CODES =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/;

/** Installs what the lock file names and is not there; returns the Node to run with. */
export function bootstrap({ development = false } = {}) {
  if (!isInstalled(ROOT, { development })) install(ROOT);
  return findNode(ROOT) ?? failWithoutNode();
}

/** Runs a TypeScript program of the workspace in this process's place. */
export function runSource(node, file, args, options) {
  runInPlace(node, [SOURCE_CONDITION, join(ROOT, file), ...args], options);
}

/** Whether node_modules holds what package-lock.json names; npm writes what it installed into node_modules/.package-lock.json. */
export function isInstalled(root, { development }) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === null)
    fail(`${join(root, 'package-lock.json')} is missing or damaged; clone the repository again`, EXIT_USAGE);
  if (present === null) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const found = present[path];
    // Optional packages of other platforms are never installed.
    if (found === undefined) return entry.optional === true || (entry.dev === true && !development);
    return found.version === entry.version && found.integrity === entry.integrity && existsSync(join(root, path));
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}

function install(root) {
  process.stderr.write('witnessmark: installing packages from the lock file, once (about a minute) ...\n');
  const [program, first] = npmCommand();
  const result = spawnSync(program, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (result.error?.code === 'ENOENT')
    fail('npm is missing; install npm 9 or newer (it comes with Node) and run this again', EXIT_USAGE);
  if (result.error !== undefined) fail(`npm cannot be started (${result.error.code})`, EXIT_USAGE);
  if (result.status !== 0) failInstall(result.stderr);
}

/** The npm that runs this script, by its own file; else the one on the path. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') && existsSync(script) ? [process.execPath, [script]] : ['npm', []];
}

function failInstall(stderr) {
  const network = NETWORK_CODES.exec(stderr);
  if (network !== null) {
    fail(
      `packages cannot be fetched (${network[1]}): the npm registry is not reachable; connect, then run this again`,
      EXIT_TRANSPORT,
    );
  }
  const reason = stderr
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .find((line) => line !== '' && !line.startsWith('code '));
  fail(`npm ci did not succeed: ${reason ?? 'no reason given'}; run "npm ci" to see more`, EXIT_TRANSPORT);
}
