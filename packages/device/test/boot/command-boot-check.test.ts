// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@witnessmark/core';
import { afterAll, describe, expect, it } from 'vitest';
import { MAX_CONSOLE_CHARACTERS } from '../../src/boot/hear-report.ts';
import { CommandBootCheck, W25Q80_BOARD, type CommandBootCheckOptions, type DriverOutcome } from '../../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
const runs = mkdtempSync(join(directory, 'runs-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const CONTENT = new Uint8Array(W25Q80_BOARD.sizeBytes).fill(7);
const DIGEST = 'ab'.repeat(32);
const REPORT = `witnessmark boot 1 sha256:${DIGEST}`;
const HEARD = { state: 'DONE', value: { digest: { sha256: DIGEST } } };

/** A driver that leaves a mark when it resets. */
function driver(
  outcome: DriverOutcome<undefined> = { state: 'DONE', value: undefined },
): CommandBootCheckOptions['driver'] {
  return {
    profile: W25Q80_BOARD,
    simulated: true,
    readBack: ({ address, length }) =>
      Promise.resolve({ state: 'DONE', value: CONTENT.slice(address, address + length) }),
    reset: () => {
      writeFileSync(join(directory, 'was-reset'), '');
      return Promise.resolve(outcome);
    },
  };
}

async function openCheck(script: string, more: Partial<CommandBootCheckOptions> = {}): Promise<CommandBootCheck> {
  const programPath = join(directory, 'board');
  writeFileSync(programPath, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  rmSync(join(directory, 'was-reset'), { force: true });
  const place = { programPath, temporaryDirectory: runs };
  return CommandBootCheck.open({ model: 'script', driver: driver(), args: [], timeoutMs: 20_000, ...place, ...more });
}

async function expectReport(check: CommandBootCheck, expected: object): Promise<void> {
  expect(await check.readBootReport()).toMatchObject(expected);
  expect(readdirSync(runs)).toEqual([]);
}

describe('a board that a command starts', () => {
  it('is reset before it is started, and ended once it has reported', async () => {
    const check = await openCheck(`[ -e '${directory}/was-reset' ] && echo '${REPORT}'; exec sleep 600`);
    expect(check).toMatchObject({ model: 'script', simulated: true });
    await expectReport(check, HEARD);
  });

  it('gets the content of the simulated part as a file of its own, and arguments as they are', async () => {
    const script =
      'printf "witnessmark boot 1 sha256:%s\\n" "$(cut -c1-64 <<EOF\n$(sha256sum "${1#file=}")\nEOF\n)"; [ "$2" = "\\$HOME *" ] && sleep 600';
    const check = await openCheck(script, { args: ['file={chip}', '$HOME *'] });
    await expectReport(check, { state: 'DONE', value: { digest: { sha256: sha256Hex(CONTENT) } } });
  });

  it('says what became of a part that cannot be read or reset, and starts nothing', async () => {
    const failed: DriverOutcome<undefined> = { state: 'FAILED', code: 'UF-01', detail: 'nobody there' };
    const mark = join(directory, 'was-started');
    const script = `: > '${mark}'; echo '${REPORT}'`;
    await expectReport(await openCheck(script, { driver: driver(failed) }), failed);
    const unknown: DriverOutcome<undefined> = { state: 'UNKNOWN', detail: 'the link was cut' };
    await expectReport(await openCheck(script, { driver: driver(unknown) }), unknown);
    const unread = { ...driver(), readBack: () => Promise.resolve(unknown as DriverOutcome<never>) };
    await expectReport(await openCheck(script, { driver: unread, args: ['{chip}'] }), unknown);
    expect([existsSync(mark), existsSync(join(directory, 'was-reset'))]).toEqual([false, false]);
  });

  it('is heard up to the limit of what it may say, and not beyond', async () => {
    const talk = (characters: number): string =>
      `head -c ${characters} /dev/zero | tr '\\0' '\\n'; echo '${REPORT}'; exec sleep 600`;
    const room = MAX_CONSOLE_CHARACTERS - REPORT.length - 1;
    await expectReport(await openCheck(talk(room)), HEARD);
    await expectReport(await openCheck(talk(room + 1)), {
      state: 'UNKNOWN',
      detail: `the board said more than ${MAX_CONSOLE_CHARACTERS} characters`,
    });
  });

  it.each([
    ['says nothing', 'exec sleep 600', { state: 'UNKNOWN', detail: 'boot did not end within 500 ms' }],
    ['says it on its error stream', `echo '${REPORT}' >&2; exec sleep 600`, { state: 'UNKNOWN' }],
    ['ends before', 'exit 3', { state: 'UNKNOWN' }],
  ])('does not know what a board runs that %s', async (_, script, expected) => {
    await expectReport(await openCheck(script, { timeoutMs: 500 }), expected);
  });

  it('says LS-403 when its program is not there', async () => {
    const check = await openCheck('', { programPath: '/nonexistent/board' });
    await expectReport(check, { state: 'FAILED', code: 'LS-403' });
  });

  it('hands no real part over as a file', async () => {
    const real = { ...driver(), simulated: false };
    await expect(openCheck('', { driver: real, args: ['{chip}'] })).rejects.toThrow(TypeError);
    expect(await openCheck('', { driver: real })).toMatchObject({ simulated: false });
  });
});
