// SPDX-License-Identifier: Apache-2.0
/** Builds testing/interop/sumdb with Debian's Go and its golang-golang-x-mod-dev, and runs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const GOPATH = '/usr/share/gocode';
const SOURCE = join(import.meta.dirname, '../../../testing/interop/sumdb');

export const hasSumdb: boolean =
  existsSync(join(GOPATH, 'src/golang.org/x/mod/sumdb/tlog')) && spawnSync('go', ['version']).status === 0;

/** Builds the program in `directory` and returns its path. */
export function buildSumdbcheck(directory: string): string {
  const program = join(directory, 'sumdbcheck');
  const environment = { GO111MODULE: 'off', GOPATH, GOCACHE: join(directory, 'go-build'), CGO_ENABLED: '0' };
  execFileSync('go', ['build', '-o', program, '.'], { cwd: SOURCE, env: { ...process.env, ...environment } });
  return program;
}

export interface SumdbVerdict {
  readonly status: number | null;
  readonly message: string;
}

/** Has a log directory judged: status 0 when the Go code agrees with everything in it, 1 when not. */
export function runSumdbcheck(program: string, verifierKey: string, logDirectory: string): SumdbVerdict {
  const { status, stdout, stderr } = spawnSync(program, ['-key', verifierKey, '-dir', logDirectory], {
    encoding: 'utf8',
  });
  return { status, message: `${stdout}${stderr}`.trim() };
}
