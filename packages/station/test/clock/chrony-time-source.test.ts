// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChronyTimeSource } from '../../src/clock/chrony-time-source.ts';
import { judgeTimeSource, type TimeJudgement } from '../../src/clock/judge-time-source.ts';
import type { TimePolicy } from '../../src/clock/time-policy.ts';
import type { TimeReading } from '../../src/clock/time-reading.ts';
import { CHRONYC, freePort, hasChrony, makeCertificate, TimeNetwork, until } from './chronyd.ts';

const HOURS = 3 * 3600 * 1000;

/** Ages of seconds, as the daemons here ask sixteen times a second. */
const POLICY: TimePolicy = {
  sane: { maxOffsetMs: 200, maxRootDistanceMs: 500, maxAgeMs: 3000, minSources: 2, maxFalsetickers: 0 },
  degraded: { maxOffsetMs: 5000, maxRootDistanceMs: 3000, maxAgeMs: 4000, minSources: 0, maxFalsetickers: 1 },
  minAnsweredPolls: 3,
  minSamples: 3,
  maxStratum: 10,
  requireNts: false,
};

function openSource(command: ConstructorParameters<typeof ChronyTimeSource>[0]['command']): ChronyTimeSource {
  return new ChronyTimeSource({ command, programPath: CHRONYC });
}

describe.skipIf(!hasChrony())('needs chrony: the verdict follows what real daemons say', { timeout: 60_000 }, () => {
  let network: TimeNetwork;
  beforeEach(() => {
    network = new TimeNetwork();
  });
  afterEach(async () => {
    await network.close();
  });

  it('is SANE with two honest servers, DEGRADED when one goes away, INSANE when nobody was heard for too long', async () => {
    const servers = [await network.serve(), await network.serve()] as const;
    const client = await network.follow(servers);
    const source = openSource(client);
    const sane = await judgedAs(source, 'SANE');
    expect(sane.evidence).toMatchObject({ source: 'chrony', stratum: 6 });
    expect(sane.evidence.errorBoundMs).toBeGreaterThan(0);
    expect(Math.abs(sane.evidence.offsetMs ?? HOURS)).toBeLessThan(200);
    await servers[0].kill();
    await judgedAs(source, 'DEGRADED', 'sources');
    await servers[1].kill();
    await judgedAs(source, 'INSANE', 'age');
    // The daemon itself sees nothing wrong.
    expect((await readingOf(source)).claimsSynchronised).toBe(true);
    await client.kill();
    expect(await source.read()).toMatchObject({ state: 'silent' });
    expect((await judge(source)).evidence).toMatchObject({ verdict: 'INSANE', offsetMs: null });
  });

  it('is DEGRADED, and names the liar, with one server that lies by hours beside two honest ones', async () => {
    const liar = await network.serveWrong(HOURS);
    const client = await network.follow([await network.serve(), await network.serve(), liar]);
    const source = openSource(client);
    const judgement = await judgedAs(source, 'DEGRADED', 'falsetickers');
    expect(judgement.reasons.find(({ subject }) => subject === 'falsetickers')?.observed).toContain(liar.host);
    expect(Math.abs(judgement.evidence.offsetMs ?? HOURS)).toBeLessThan(200);
  });

  it('is INSANE by its offset with a server that lies alone, while the daemon calls everything normal', async () => {
    const client = await network.follow([await network.serveWrong(HOURS)]);
    const source = openSource(client);
    const judgement = await judgedAs(source, 'INSANE', 'offset');
    expect((await readingOf(source)).claimsSynchronised).toBe(true);
    expect(judgement.evidence.offsetMs).toBeLessThan(-HOURS + 1000);
    expect(judgement.evidence.offsetMs).toBeGreaterThan(-HOURS - 1000);
  });

  it('is INSANE with one honest server and one that lies: nobody can tell which', async () => {
    const client = await network.follow([await network.serve(), await network.serveWrong(HOURS)]);
    const source = openSource(client);
    await until(async () => {
      const { claimsSynchronised, sources } = await readingOf(source);
      return !claimsSynchronised && sources.filter(({ reach }) => reach === 0xff).length === 2;
    });
    await judgedAs(source, 'INSANE', 'synchronisation');
  });

  it('sees NTS on the command socket, and does not take it for granted on the UDP port', async () => {
    const { key, certificate } = makeCertificate(network.directory);
    const ntsPort = await freePort('127.0.0.1');
    const server = await network.serve(
      [`ntsport ${ntsPort}`, `ntsserverkey ${key}`, `ntsservercert ${certificate}`, 'ntsprocesses 0'],
      '127.0.0.1',
    );
    const commandPort = await freePort('127.0.0.1');
    const client = await network.follow(
      [{ ...server, host: 'localhost' }],
      [`ntstrustedcerts ${certificate}`, `cmdport ${commandPort}`, 'bindcmdaddress 127.0.0.1'],
      `nts ntsport ${ntsPort}`,
    );
    const policy = { ...POLICY, requireNts: true, sane: { ...POLICY.sane, minSources: 1 } };
    const bySocket = openSource(client);
    await judgedAs(bySocket, 'SANE', undefined, policy);
    const byPort = openSource({ host: '127.0.0.1', port: commandPort });
    expect((await readingOf(byPort)).sources.map(({ authentication }) => authentication)).toEqual([null]);
    expect((await judge(byPort, policy)).evidence.verdict).toBe('INSANE');
    await judgedAs(byPort, 'SANE', undefined, { ...policy, requireNts: false });
  });
});

describe('ChronyTimeSource', () => {
  const directory = mkdtempSync(join(tmpdir(), 'witnessmark-test-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['is not there', null, 'ENOENT'],
    ['says nothing', 'exit 0', 'something it does not say'],
    ['reaches nobody', 'echo "506 Cannot talk to daemon"; exit 1', '506 Cannot talk to daemon'],
    ['says control characters', 'printf "\\033[31mno\\007"; exit 1', '[31mno'],
    ['says too much', 'while :; do echo 0123456789; done', '0123456789'],
    ['never ends', 'exec sleep 60', 'no answer in time'],
  ])('is silent, not wrong, when chronyc %s', async (_, script, detail) => {
    const programPath = join(directory, 'chronyc');
    rmSync(programPath, { force: true });
    if (script !== null) writeFileSync(programPath, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    const source = new ChronyTimeSource({ command: { socketPath: '/nowhere' }, programPath, timeoutMs: 300 });
    const answer = await source.read();
    expect(answer).toMatchObject({ state: 'silent', detail: expect.stringContaining(detail) as string });
    expect(answer.state === 'silent' && answer.detail).toMatch(/^[\x20-\x7e]{1,260}$/);
  });

  it('refuses addresses that are none', () => {
    for (const command of [
      { socketPath: 'relative.sock' },
      { host: '-h', port: 323 },
      { host: '', port: 323 },
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 65536 },
    ]) {
      expect(() => new ChronyTimeSource({ command })).toThrow(TypeError);
    }
  });
});

async function judge(source: ChronyTimeSource, policy: TimePolicy = POLICY): Promise<TimeJudgement> {
  return judgeTimeSource(source.name, await source.read(), policy);
}

/** Waits until the verdict is this one and, if a subject is given, this is among its reasons. */
async function judgedAs(
  source: ChronyTimeSource,
  verdict: 'SANE' | 'DEGRADED' | 'INSANE',
  subject?: TimeJudgement['reasons'][number]['subject'],
  policy: TimePolicy = POLICY,
): Promise<TimeJudgement> {
  let judgement = await judge(source, policy);
  await until(async () => {
    judgement = await judge(source, policy);
    const isFor = subject === undefined || subjects(judgement).includes(subject);
    return judgement.evidence.verdict === verdict && isFor;
  });
  return judgement;
}

async function readingOf(source: ChronyTimeSource): Promise<TimeReading> {
  const answer = await source.read();
  if (answer.state === 'silent') throw new Error(answer.detail);
  return answer.reading;
}

function subjects({ reasons }: TimeJudgement): string[] {
  return reasons.map(({ subject }) => subject);
}
