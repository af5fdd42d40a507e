// SPDX-License-Identifier: Apache-2.0
/**
 * A simulated shift: two stations with their operators, a supervisor, releases that change, a line that fails, and an
 * attacker, with the troubles its seed switches on. Everything below the ports is the real thing. The same seed gives the
 * same shift, call for call.
 */
import { encodeUtf8, sha256Hex } from '@witnessmark/core';
import { TestKey } from '../evidence/test-key.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { SimFactory, START } from '../sim/sim-factory.ts';
import { hirePeople, STATIONS } from '../sim/sim-people.ts';
import { makeBoards, type SwarmBoard } from './boards.ts';
import { judgeWorld } from './oracle.ts';
import { changeReleases, clearDesk, doMischief, supervise, troubleLine, type Site } from './people.ts';
import { Random } from './random.ts';
import { Scheduler, type Actor } from './scheduler.ts';
import { mixUpBadges, SIGN_IN_RULES } from './sign-ins.ts';
import { Troubles, type Trouble } from './troubles.ts';
import { Workplace, type Told } from './workplace.ts';

const BOARDS_PER_STATION = 3;
/** A shift here takes minutes. */
const MAX_TRUST_AGE_MS = 2_000;
/** What stations may make while the line is away. */
const OFFLINE = { maxUnits: 3, maxHours: 2 };
/** How long the others wait between two looks. */
const LOOK_MS = 3_000;
/** Recovery, decisions, recovery: what the first leaves to people, the last finishes. */
const REPAIR_ROUNDS = 4;

export interface SwarmOptions {
  /** Default: those the seed chooses. */
  readonly troubles?: readonly Trouble[];
  /** A world in which promises cannot be kept, to see that this is found. */
  readonly ignoresSync?: boolean;
}

export interface SwarmReport {
  readonly seed: number;
  readonly troubles: readonly Trouble[];
  /** How often each struck. */
  readonly struck: Readonly<Record<string, number>>;
  /** Empty when every promise was kept. */
  readonly violations: readonly string[];
  /** SHA-256 of the trace and the log's root hash: equal for equal seeds. */
  readonly traceHash: string;
  readonly turns: number;
  readonly units: { readonly presented: number; readonly passed: number };
  /** What happened to each unit, for people. */
  readonly history: readonly string[];
}

export async function runWorld(seed: number, options: SwarmOptions = {}): Promise<SwarmReport> {
  const random = new Random(seed);
  const troubles = new Troubles(random, options.troubles);
  const clock = new SimClock(START, 0);
  const people = hirePeople((name, scheme) => new TestKey(name, scheme, 'software'));
  const factory = await SimFactory.open({
    clock,
    people,
    // The same for every run of this seed in this process.
    directoryName: `witnessmark-swarm-${process.pid}-${seed}`,
    rules: { refusalsPerMinute: 10_000, maxTrustAgeMs: MAX_TRUST_AGE_MS, offline: OFFLINE, signIn: SIGN_IN_RULES },
  });
  try {
    const scheduler = new Scheduler(clock, random);
    const boards = makeBoards(STATIONS.length * BOARDS_PER_STATION, factory, random, troubles);
    const site: Site = { factory, random, troubles, boards, images: [factory.image] };
    const { ignoresSync = false } = options;
    const surroundings = { factory, scheduler, random, troubles, boards, ignoresSync };
    const workplaces = STATIONS.map((name) => new Workplace(name, surroundings));
    const end = await work(site, scheduler, workplaces);
    const told = workplaces.flatMap((workplace) => workplace.told);
    const violations = [...end.violations, ...(await judgeWorld(site, told, end.pending))];
    const head = await factory.line.store.head();
    const root = head === undefined ? '' : Buffer.from(head.rootHash).toString('hex');
    return {
      seed,
      troubles: [...troubles.kinds],
      struck: Object.fromEntries(troubles.counts),
      violations,
      traceHash: sha256Hex(encodeUtf8(`${scheduler.trace.join('\n')}\n${root}\n`)),
      turns: scheduler.trace.length,
      units: { presented: told.length, passed: told.filter(({ result }) => result.phase === 'passed').length },
      history: boards.map(({ serial, deviceId }) => `${serial} ${describeUnit(told, deviceId)}`),
    };
  } finally {
    await factory.close();
  }
}

interface ShiftEnd {
  readonly pending: number;
  readonly violations: readonly string[];
}

async function work(site: Site, scheduler: Scheduler, workplaces: readonly Workplace[]): Promise<ShiftEnd> {
  try {
    await workShift(site, scheduler, workplaces);
    return { pending: await repair(site, scheduler, workplaces), violations: [] };
  } catch (error) {
    // An error that no process and no person of this world expects.
    return { pending: 0, violations: [`I17: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

async function workShift(site: Site, scheduler: Scheduler, workplaces: readonly Workplace[]): Promise<void> {
  const { boards, random, troubles } = site;
  let atWork = workplaces.length;
  for (const [index, workplace] of workplaces.entries()) {
    const own = boards.slice(index * BOARDS_PER_STATION, (index + 1) * BOARDS_PER_STATION);
    const shared = troubles.strikes('deviceShared') ? [random.pick(boards)] : [];
    scheduler.spawn(workplace.name, async (actor) => {
      await workplace.work(actor, [...own, ...shared]);
      atWork -= 1;
    });
  }
  const whileAtWork = (name: string, task: (actor: Actor) => Promise<void>): void => {
    scheduler.spawn(name, async (actor) => {
      while (atWork > 0) {
        await actor.sleep(random.between(1, 2 * LOOK_MS));
        await task(actor);
      }
    });
  };
  whileAtWork('supervisor', () => supervise(site));
  whileAtWork('release engineer', () => changeReleases(site));
  whileAtWork('line', (actor) => troubleLine(site, actor));
  whileAtWork('attacker', () => doMischief(site));
  whileAtWork('passer-by', () => mixUpBadges(site));
  await scheduler.run();
}

/** Liveness: without further trouble everything is finished or decided. Returns how many transactions stay open. */
async function repair(site: Site, scheduler: Scheduler, workplaces: readonly Workplace[]): Promise<number> {
  site.troubles.end();
  let pending = 0;
  for (let round = 0; round < REPAIR_ROUNDS; round += 1) {
    pending = 0;
    for (const [index, workplace] of workplaces.entries()) {
      workplace.clock.skewMs = 0;
      const board = site.boards[index * BOARDS_PER_STATION] as SwarmBoard;
      scheduler.spawn(workplace.name, async (actor) => {
        const open = await workplace.recover(actor, board);
        pending += open;
      });
    }
    await scheduler.run();
    await clearDesk(site);
  }
  return pending;
}

function describeUnit(told: readonly Told[], deviceId: string): string {
  const lines = told
    .filter(({ board }) => board.deviceId === deviceId)
    .map(({ station, label, board, result }) => {
      const under = label === board.serial ? '' : ` as ${label}`;
      return `${station}${under}: ${result.phase} ${result.code ?? ''}${result.resumed ? ' resumed' : ''}`.trim();
    });
  return lines.length === 0 ? 'never told' : lines.join('; ');
}
