// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

describe('A9: break-glass, with two people and a line', () => {
  let site: TestSite;
  let line: TestLine;
  let opening: string;
  let board: { readonly device: string; readonly label: string };

  beforeAll(async () => {
    site = await TestSite.makeReleased();
    line = await TestLine.start(site.data);
    opening = site.path('opening.json');
    board = await site.makeBoard('d1a2000000000001');
  });
  afterAll(async () => {
    await line.end('SIGTERM');
    site.remove();
  });

  function breakGlass(verb: string, who: string | null, ...words: readonly string[]): Promise<RunResult> {
    const key = who === null ? [] : ['--key', site.key(who)];
    return run(['break-glass', verb, '--data', site.data, '--line', line.url, ...key, ...words]);
  }

  const begin = (...words: readonly string[]): Promise<RunResult> => {
    const what = [
      '--second',
      'ben',
      '--scope',
      'openStop',
      '--minutes',
      '30',
      '--reason',
      'last board',
      '--ticket',
      'INC-7',
    ];
    return breakGlass('open', 'supervisor-sam', ...what, '--out', opening, ...words);
  };

  it('one person opens nothing', async () => {
    const begun = await begin();
    expect(begun.exit).toBe(5);
    expect(begun.stdout).toContain('nothing is open yet');
    expect((await breakGlass('status', null)).exit).toBe(0);
  });

  it('the second person is the one who was named, types the digest, and cannot be the first', async () => {
    const digest = digestOf(await begin('--json'));
    const words = ['--confirm', digest.slice(0, 4)];
    const first = await breakGlass('open', 'supervisor-sam', opening, ...words);
    expect(first.exit).toBe(2);
    expect(first.stderr).toContain('ben to confirm');
    const third = await breakGlass('open', 'approver-chris', opening, ...words);
    expect(third.exit).toBe(2);
    const wrong = digest.startsWith('0000') ? '1111' : '0000';
    const mistyped = await breakGlass('open', 'approver-ben', opening, '--confirm', wrong);
    expect(mistyped.exit).toBe(2);
    expect(mistyped.stderr).toContain('nothing was opened');
    const tampered = site.path('tampered.json');
    const text = readFileSync(opening, 'utf8');
    writeFileSync(
      tampered,
      text.replace(/"payload":"([^"]+)"/, (_, payload: string) => {
        const changed = Buffer.from(payload, 'base64').toString().replace('"minutes":30', '"minutes":60');
        return `"payload":"${Buffer.from(changed).toString('base64')}"`;
      }),
    );
    expect((await breakGlass('open', 'approver-ben', tampered, ...words)).exit).toBe(2);
  });

  it('suspends a rule, marks the unit for every verifier, is resealed and reviewed', async () => {
    const digest = digestOf(await begin('--json'));
    const opened = await run(
      ['break-glass', 'open', opening, '--data', site.data, '--line', line.url, '--key', site.key('approver-ben')],
      { answers: [digest.slice(0, 4)] },
    );
    expect(`${opened.exit} ${opened.stdout}`).toMatch(/^0 break-glass .* is open/);
    expect(opened.stderr).toContain('suspends   openStop');
    const status = await breakGlass('status', null);
    expect(status.exit).toBe(5);
    expect(status.stdout).toContain('OPEN');

    const { device, label } = board;
    await expectDone(site.station('program', device, line.url, '--label', label));
    const evidence = `${site.data}/evidence/${label}.evidence.json`;
    const verify = (policy: string): Promise<RunResult> =>
      run(['verify', evidence, '--trust', `${site.data}/trusted-root.json`, '--policy', policy]);
    const refused = await verify(`${site.data}/policy.json`);
    expect(refused.exit).toBe(1);
    expect(refused.stdout).toContain('EV-303');
    expect(refused.stdout).toContain('INC-7: last board');
    const accepting = site.path('accepting.json');
    const policy = JSON.parse(readFileSync(`${site.data}/policy.json`, 'utf8')) as { allow: object };
    writeFileSync(accepting, JSON.stringify({ ...policy, allow: { ...policy.allow, breakGlass: true } }));
    expect((await verify(accepting)).exit).toBe(0);

    expect((await breakGlass('review', 'approver-chris', '--verdict', 'justified', '--findings', 'fine')).exit).toBe(3);
    const next = digestOf(await begin('--json'));
    const refusedNext = await breakGlass('open', 'approver-ben', opening, '--confirm', next.slice(0, 4));
    expect(refusedNext.exit).toBe(4);
    expect(refusedNext.stderr).toContain('BG-103');
    await expectWord(breakGlass('reseal', 'supervisor-sam', '--done', 'one board'), 'resealed');
    expect((await breakGlass('status', null)).stdout).toContain('resealed, not reviewed');
    const own = await breakGlass('review', 'approver-ben', '--verdict', 'justified', '--findings', 'mine');
    expect(own.exit).toBe(4);
    expect(own.stderr).toContain('BG-107');
    await expectWord(
      breakGlass('review', 'approver-chris', '--verdict', 'unjustified', '--findings', 'sam was there'),
      'reviewed: unjustified',
    );
    expect((await breakGlass('status', null)).exit).toBe(0);

    const trace = await run(['trace', label, '--data', site.data, '--line', line.url]);
    expect(trace.stdout).toContain('broke the glass: openStop suspended for 30 minutes');
    expect(trace.stdout).toContain('unjustified: sam was there');
    const later = await fetch(`${line.url}/api/v1/units/${label}/evidence`);
    writeFileSync(evidence, Buffer.from(await later.arrayBuffer()));
    const reviewed = await verify(accepting);
    expect(reviewed.exit).toBe(1);
    expect(reviewed.stdout).toContain('EV-312');
    // At its end a line publishes everything.
    await line.end('SIGTERM');
    const check = await run(['log', 'fsck', '--data', site.data]);
    expect(`${check.exit} ${check.stdout}`).toMatch(/^0 /);
    expect((await run(['log', 'show', '--data', site.data, '--last', '50'])).stdout).toContain('resealed: one board');
    line = await TestLine.start(site.data);
  }, 60_000);
});

function digestOf({ stdout }: RunResult): string {
  return (JSON.parse(stdout) as { readonly digest: string }).digest;
}

async function expectWord(result: Promise<RunResult>, word: string): Promise<void> {
  const { exit, stdout, stderr } = await result;
  expect(`${exit} ${stdout}${stderr}`).toContain(word);
  expect(exit).toBe(0);
}
