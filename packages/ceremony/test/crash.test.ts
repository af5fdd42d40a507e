// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import { formatEnvelope, RefusedError } from '@witnessmark/core';
import { Ceremony, closeCeremony, conductCeremony, replayTranscript, type Room } from '@witnessmark/ceremony';
import { CrashFs, type DiskImage, type Fate } from '../../../testing/world/src/crash/crash-fs.ts';
import { Crash, FAULT_MODES, FaultPlan, type Fault } from '../../../testing/world/src/crash/fault-plan.ts';
import { TestRoom, type RoomHabits } from './support/room.ts';
import { faultyFiles, KEYS, script, SETTINGS } from './support/scene.ts';
import { fakeActs, FakeWorld, stepClock } from './support/world.ts';
import { VOUCHED } from './support/vouched.ts';

const FATES: readonly ((kind: 'name' | 'bytes') => Fate)[] = [
  () => 'kept',
  () => 'lost',
  (kind) => (kind === 'name' ? 'kept' : 'torn'),
  (kind) => (kind === 'name' ? 'kept' : 'zeros'),
];
const REVIEWED = script();

/** One site through any number of programs: the world and the logged envelopes stay, the disk keeps what it kept. */
class Site {
  readonly world = new FakeWorld();
  readonly clock = stepClock();
  readonly logged: string[] = [];
  /** How often people did what nobody can look at. */
  sealed = 0;
  image: DiskImage = new Map();

  /** Runs one program to its end; returns whether it finished the ceremony. */
  async run(fault: Fault | null, fate: (typeof FATES)[number], habits: RoomHabits = {}): Promise<FaultPlan> {
    const plan = new FaultPlan(fault);
    const disk = new CrashFs(this.image);
    const files = faultyFiles(disk, plan);
    try {
      const ceremony = await this.#open(files);
      const acts = fakeActs(this.world, plan);
      if (ceremony.state.phase !== 'closed') {
        const own: RoomHabits = {
          observe: (view) => this.#observe(view.own.step.id),
          decide: (view) => this.#look(view.own.step.id),
        };
        const room = faultyRoom(new TestRoom({ ...own, ...habits }), plan);
        const { signal } = new AbortController();
        await conductCeremony({ ceremony, acts, room, clock: this.clock, signal });
      }
      await closeCeremony({
        ceremony,
        files,
        signers: [KEYS.administrator, KEYS.witness],
        log: async (envelope) =>
          plan.call(
            'log',
            () => {
              this.logged.push(Buffer.from(formatEnvelope(envelope)).toString());
              return Promise.resolve('a proof');
            },
            () => Promise.reject(new RefusedError('LS-302', 'the log has no room')),
          ),
      });
      this.image = disk.currentImage();
    } catch (error) {
      if (!(error instanceof Crash) && !(error instanceof RefusedError) && !(error instanceof Interrupted)) throw error;
      this.image = plan.isDead ? disk.cutPower(fate) : disk.currentImage();
    }
    return plan;
  }

  async #open(files: ReturnType<typeof faultyFiles>): Promise<Ceremony> {
    const { clock } = this;
    if (!this.image.has('journal')) return Ceremony.begin({ files, clock, reviewed: REVIEWED, settings: SETTINGS });
    return Ceremony.open({ files, clock });
  }

  #observe(step: string): null {
    if (step === 'seal-bag') this.sealed += 1;
    return null;
  }

  /** Administrator and witness go and look. */
  #look(step: string): Awaited<ReturnType<Room['decide']>> {
    const isDone = step === 'seal-bag' ? this.sealed > 0 : this.world.burns.has('card');
    return { kind: 'decided', decision: isDone ? 'done' : 'notDone', reason: 'we looked' };
  }
}

class Interrupted extends Error {}

/** Rooms do not fail, they are left: the terminal is gone. */
function faultyRoom(room: TestRoom, plan: FaultPlan): Room {
  const ask =
    <View, Answer>(name: string, question: (view: View) => Promise<Answer>) =>
    (view: View): Promise<Answer> =>
      plan.call(
        `room.${name}`,
        () => question(view),
        () => Promise.reject(new Interrupted('the terminal is gone')),
      );
  return {
    begin: ask('begin', (view) => room.begin(view)),
    observe: ask('observe', (view) => room.observe(view)),
    witness: ask('witness', (view) => room.witness(view)),
    decide: ask('decide', (view) => room.decide(view)),
    secret: ask('secret', (request) => room.secret(request)),
    refused: (error) => room.refused(error),
    notice: (text) => {
      room.notice(text);
    },
  };
}

/** What must be true in the end, whatever happened on the way. */
function judge(site: Site): string[] {
  const findings: string[] = [];
  const demand = (isTrue: boolean, what: string): void => {
    if (!isTrue) findings.push(what);
  };
  demand(site.world.burns.get('card') === 1, `the key was made ${site.world.burns.get('card') ?? 0} times`);
  demand(site.sealed === 1, `the bag was sealed ${site.sealed} times`);
  demand((site.world.stamps.get('card') ?? 0) >= 1, 'the paper was not stamped');
  const file = site.image.get('root-2026.transcript.json');
  if (file === undefined) return [...findings, 'there is no transcript'];
  const report = replayTranscript(file, { vouched: VOUCHED, logKeys: [], allowUnlogged: true });
  const broken = report.checks.filter(({ check, outcome }) => check !== 'log' && outcome !== 'passed');
  demand(broken.length === 0, `the replay says ${broken.map(({ detail }) => detail).join('; ')}`);
  demand(report.state?.outcome === 'completed', 'the ceremony is not completed');
  demand(new Set(site.logged).size === 1, `${new Set(site.logged).size} different transcripts are in the log`);
  return findings;
}

describe('a ceremony that is interrupted', { timeout: 120_000 }, () => {
  let calls: readonly string[] = [];

  beforeAll(async () => {
    const site = new Site();
    ({ calls } = await site.run(null, FATES[0]!));
    expect(judge(site)).toEqual([]);
    expect(calls.filter((name) => name === 'burn.perform')).toHaveLength(1);
  });

  it('I2: finishes after a fault at every call, and never repeats what is final', async () => {
    const violations: string[] = [];
    for (const [at, name] of calls.entries()) {
      for (const mode of FAULT_MODES) {
        // Between two calls to the disk everything is synced, so there is one fate.
        const fates = mode.startsWith('crash') && name.startsWith('fs.') ? FATES : FATES.slice(1, 2);
        for (const [number, fate] of fates.entries()) {
          const site = new Site();
          await site.run({ at, mode }, fate);
          await site.run(null, fate);
          for (const what of judge(site)) violations.push(`${mode} at ${at} ${name}, fate ${number}: ${what}`);
        }
      }
    }
    expect(violations).toEqual([]);
  });

  it('I17: finishes after a second crash at every call of every resume', async () => {
    const violations: string[] = [];
    let fate = 0;
    for (const at of calls.keys()) {
      const first: Fault = { at, mode: 'crash-after' };
      const rehearsal = new Site();
      await rehearsal.run(first, FATES[1]!);
      const { calls: resumeCalls } = await rehearsal.run(null, FATES[1]!);
      // Every twelfth call, and from the next place the calls beside them: all of them in the end.
      for (let again = at % 12; again < resumeCalls.length; again += 12) {
        fate += 1;
        const site = new Site();
        await site.run(first, FATES[1]!);
        await site.run({ at: again, mode: 'crash-after' }, FATES[fate % FATES.length]!);
        await site.run(null, FATES[1]!);
        for (const what of judge(site)) violations.push(`${calls[at]!} then ${resumeCalls[again]!}: ${what}`);
      }
    }
    expect(violations).toEqual([]);
  });

  it('I2: asks people where nothing shows whether it was done', async () => {
    const at = calls.indexOf('burn.perform');
    const site = new Site();
    site.world.isBlind = true;
    await site.run({ at, mode: 'crash-after' }, FATES[0]!);
    const asked: string[] = [];
    await site.run(null, FATES[0]!, {
      decide: ({ detail }) => {
        asked.push(detail);
        return { kind: 'decided', decision: 'done', reason: 'the card shows the key' };
      },
    });
    expect(asked).toEqual([expect.stringContaining('it shows nothing')]);
    expect(judge(site)).toEqual([]);
  });
});
