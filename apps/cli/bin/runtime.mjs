// SPDX-License-Identifier: Apache-2.0
/**
 * Finding and starting the Node that Witnessmark needs. Plain JavaScript without dependencies: this runs under any
 * Node from 20 on, before anything is known to be installed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const NEEDED_NODE = '24.15 or newer 24, or 26 and later';

/** Makes imports of workspace packages read their TypeScript sources. */
export const SOURCE_CONDITION = '--conditions=@witnessmark/source';

/** Ends the program; the message is one line for a person, never a stack trace. */
export function fail(message, exitCode) {
  process.stderr.write(`witnessmark: error: ${message}\n`);
  process.exit(exitCode);
}

export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 24 && minor >= 15) || major >= 26;
}

/** This process's Node when it will do, else the one the lock file brings, searched from `folder` upwards; else null. */
export function findNode(folder) {
  if (isSupportedNode(process.versions.node)) return process.execPath;
  const inModules = join('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, inModules))) return join(at, inModules);
    if (at === dirname(at)) return null;
  }
}

export function failWithoutNode() {
  const found = `found ${process.versions.node} on ${process.platform}-${process.arch}`;
  fail(`Node ${NEEDED_NODE}, is needed (${found}); install it from https://nodejs.org and run this again`, 2);
}

/**
 * Runs a program in this one's place: same streams, arguments and signals; ends with its exit code. With a channel the
 * program also hears when this process is gone, whatever ended it.
 */
export function runInPlace(program, args, { channel = false } = {}) {
  const streams = ['inherit', 'inherit', 'inherit'];
  const child = spawn(program, args, { stdio: channel ? [...streams, 'ipc'] : streams });
  // A terminal sends Ctrl-C to both processes; whoever else interrupts us means the child.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${program} cannot be started (${error.code ?? error.message})`, 2));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 70);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
