// SPDX-License-Identifier: Apache-2.0
/** A ceremony from its opening to its transcript, in memory. */
import { expect } from 'vitest';
import { RefusedError, type ReasonCode } from '@witnessmark/core';
import {
  Ceremony,
  closeCeremony,
  conductCeremony,
  type ConductOutcome,
  type ReviewedScript,
  type RunSettings,
  type TranscriptFile,
} from '@witnessmark/ceremony';
import { CrashFs } from '../../../../testing/world/src/crash/crash-fs.ts';
import { FaultPlan } from '../../../../testing/world/src/crash/fault-plan.ts';
import { TestRoom, type RoomHabits } from './room.ts';
import { faultyFiles, KEYS, script, SETTINGS } from './scene.ts';
import { fakeActs, FakeWorld, stepClock } from './world.ts';

export interface SceneOptions {
  readonly reviewed?: ReviewedScript;
  readonly settings?: RunSettings;
}

/** One disk, one world, one clock; programs come and go. */
export class Scene {
  readonly world = new FakeWorld();
  readonly clock = stepClock();
  readonly disk = new CrashFs();
  readonly files = faultyFiles(this.disk, new FaultPlan());
  readonly #options: SceneOptions;

  constructor(options: SceneOptions = {}) {
    this.#options = options;
  }

  begin(): Promise<Ceremony> {
    const { reviewed = script(), settings = SETTINGS } = this.#options;
    return Ceremony.begin({ files: this.files, clock: this.clock, reviewed, settings });
  }

  open(): Promise<Ceremony> {
    return Ceremony.open({ files: this.files, clock: this.clock });
  }

  async conduct(ceremony: Ceremony, habits: RoomHabits = {}): Promise<{ outcome: ConductOutcome; room: TestRoom }> {
    const room = new TestRoom(habits);
    const { signal } = new AbortController();
    const acts = fakeActs(this.world);
    return { outcome: await conductCeremony({ ceremony, acts, room, clock: this.clock, signal }), room };
  }

  close(ceremony: Ceremony): Promise<TranscriptFile> {
    return closeCeremony({ ceremony, files: this.files, signers: [KEYS.administrator, KEYS.witness], log: null });
  }
}

/** The file of a ceremony that went as people behave here. */
export async function transcriptOf(options: SceneOptions = {}, habits: RoomHabits = {}): Promise<TranscriptFile> {
  const scene = new Scene(options);
  const ceremony = await scene.begin();
  await scene.conduct(ceremony, habits);
  return scene.close(ceremony);
}

export async function expectRefusal(code: ReasonCode, work: () => unknown): Promise<RefusedError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof RefusedError) {
      expect(`${error.code} ${error.message}`).toMatch(new RegExp(`^${code} `));
      return error;
    }
    throw error;
  }
  return expect.fail(`${code} was expected, nothing was refused`);
}
