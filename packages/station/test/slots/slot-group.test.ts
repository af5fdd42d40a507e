// SPDX-License-Identifier: Apache-2.0
/** What the group itself decides, with machines that do as they are told; real ones are in the simulated world. */
import { describe, expect, it } from 'vitest';
import type { Envelope } from '@witnessmark/core';
import type { SeenHead } from '../../src/floor.ts';
import type { Journal } from '../../src/journal.ts';
import { toWaiting } from '../../src/outcomes.ts';
import type { UnitResult } from '../../src/ports.ts';
import type { ProgramRequest } from '../../src/station.ts';
import { SlotGroup, type SlotMachine } from '../../src/slots/slot-group.ts';

const ID = '019a9f0c-5b7e-7c63-8d51-2f6f3c1f9a10';
const ENVELOPE: Envelope = { payloadType: 'text/plain', payload: new Uint8Array(1), signatures: [] };

class FakeMachine implements SlotMachine {
  readonly slot: number;
  readonly calls: string[] = [];
  readonly floors: { evidenceAt: number; head: SeenHead | null } = { evidenceAt: 0, head: null };
  hasFailed = false;
  signInError: Error | null = null;
  #end: (() => void) | null = null;

  constructor(slot: number) {
    this.slot = slot;
  }

  readonly journal: SlotMachine['journal'] = Object.defineProperties({} as SlotMachine['journal'], {
    floor: { get: () => ({ lastEvidenceAt: this.floors.evidenceAt, head: this.floors.head }) },
    hasFailed: { get: () => this.hasFailed },
    transactions: { get: () => [] },
    raiseFloor: {
      value: ({ evidenceAt = 0, head }: Parameters<Journal['raiseFloor']>[0]) => {
        this.floors.evidenceAt = Math.max(this.floors.evidenceAt, evidenceAt);
        if (head !== undefined && head.treeSize > (this.floors.head?.treeSize ?? -1)) this.floors.head = head;
      },
    },
  });

  readonly station: SlotMachine['station'] = {
    signIn: () => {
      this.calls.push('signIn');
      if (this.signInError !== null) return Promise.reject(this.signInError);
      return Promise.resolve({ index: 1, envelope: ENVELOPE, proof: '' });
    },
    signInWithBadge: () => {
      this.calls.push('signInWithBadge');
      return Promise.resolve({ index: 1, envelope: ENVELOPE, proof: '' });
    },
    signOut: () => {
      this.calls.push('signOut');
    },
    endSession: () => {
      this.calls.push('endSession');
      return Promise.resolve({ index: 2, envelope: ENVELOPE, proof: '' });
    },
    sessionLapse: null,
    recover: () => {
      this.calls.push('recover');
      return Promise.resolve({ units: [], pending: 0, waiting: 0, stop: null });
    },
    refuse: (refused) => {
      this.calls.push(`refuse ${refused.code}`);
      return Promise.resolve(toWaiting(ID, refused.code, refused.message));
    },
    programUnit: async ({ label }: ProgramRequest): Promise<UnitResult> => {
      this.calls.push(`program ${label.raw}`);
      await new Promise<void>((done) => {
        this.#end = done;
      });
      return { ...toWaiting(ID, 'HD-05', ''), phase: 'passed', code: null };
    },
  };

  async finish(): Promise<void> {
    while (this.#end === null) await new Promise((done) => setImmediate(done));
    this.#end();
    this.#end = null;
  }
}

function makeGroup(count: number): { readonly group: SlotGroup; readonly machines: readonly FakeMachine[] } {
  const machines = Array.from({ length: count }, (_, index) => new FakeMachine(index + 1));
  return { group: new SlotGroup(machines, () => ID), machines };
}

function request(raw: string): ProgramRequest {
  const job = { sku: 'GW-210', hwVersion: 'C', workOrder: null, lot: null };
  return { job, label: { raw, symbology: 'text' } };
}

const treeHead = (treeSize: number): SeenHead => ({ treeSize, rootHash: new Uint8Array(32).fill(treeSize) });

describe('a group of slots', () => {
  it('works in all slots at once', async () => {
    const { group, machines } = makeGroup(8);
    const units = machines.map(({ slot }) => group.programUnit(slot, request(`unit ${slot}`)));
    for (const machine of machines.toReversed()) await machine.finish();
    expect((await Promise.all(units)).map(({ phase }) => phase)).toEqual(machines.map(() => 'passed'));
    expect(group.free).toEqual(group.numbers);
  });

  it('LS-609 has no other slots, LS-603 takes no second unit into one and no unit into two', async () => {
    const { group, machines } = makeGroup(2);
    await expect(group.programUnit(3, request('a'))).rejects.toMatchObject({ code: 'LS-609' });
    const first = group.programUnit(1, request('a'));
    expect(group.free).toEqual([2]);
    await expect(group.programUnit(1, request('a'))).rejects.toMatchObject({ code: 'LS-603' });
    await expect(group.programUnit(1, request('b'))).rejects.toMatchObject({ code: 'LS-603' });
    await expect(group.programUnit(2, request('a'))).rejects.toMatchObject({ code: 'LS-603' });
    await machines[0]?.finish();
    await first;
    expect(machines.map(({ calls }) => calls)).toEqual([['program a'], []]);
  });

  it('I9 begins nothing anywhere once a record could not be stored in one slot', async () => {
    const { group, machines } = makeGroup(2);
    const [first, second] = machines as [FakeMachine, FakeMachine];
    first.hasFailed = true;
    expect(await group.programUnit(2, request('a'))).toMatchObject({ phase: 'stopped', code: 'LS-302' });
    expect(second.calls).toEqual([]);
    first.hasFailed = false;
    const unit = group.programUnit(2, request('a'));
    await second.finish();
    expect((await unit).phase).toBe('passed');
  });

  it('signs in everywhere or nowhere, after the units under the session before', async () => {
    const { group, machines } = makeGroup(3);
    const [first, second, third] = machines as [FakeMachine, FakeMachine, FakeMachine];
    const unit = group.programUnit(2, request('a'));
    const signedIn = group.signIn(ENVELOPE);
    await second.finish();
    await Promise.all([unit, signedIn]);
    expect(second.calls).toEqual(['program a', 'signIn']);
    third.signInError = new Error('another session meanwhile');
    await expect(group.signIn(ENVELOPE)).rejects.toThrow('another session');
    for (const machine of machines) expect(machine.calls.at(-1)).toBe('signOut');
    expect(first.calls).toContain('signIn');
  });

  it('signs out everywhere, and once on record', async () => {
    const { group, machines } = makeGroup(2);
    await group.endSession();
    expect(machines.map(({ calls }) => calls)).toEqual([['endSession'], ['signOut']]);
  });

  it('signs a badge in once, and every slot in the session that the line answers with', async () => {
    const { group, machines } = makeGroup(2);
    await group.signInWithBadge({ badge: '3310', pin: '284917', durationMinutes: 480 });
    expect(machines.map(({ calls }) => calls)).toEqual([['signInWithBadge'], ['signIn']]);
    expect(group.sessionLapse).toBeNull();
  });

  it('lets no idle slot fall behind what another one has seen', async () => {
    const machines = [new FakeMachine(1), new FakeMachine(2)] as const;
    machines[0].floors.evidenceAt = 100;
    machines[1].floors.head = treeHead(7);
    const group = new SlotGroup(machines, () => ID);
    for (const { floors } of machines) expect(floors).toEqual({ evidenceAt: 100, head: treeHead(7) });
    machines[0].floors.head = treeHead(9);
    await group.recover([2]);
    expect(machines[1].floors.head).toEqual(treeHead(9));
    machines[0].floors.evidenceAt = 200;
    const unit = group.programUnit(2, request('a'));
    await machines[1].finish();
    await unit;
    expect(machines[1].floors.evidenceAt).toBe(200);
  });

  it('has slots of different numbers from 1 to 8', () => {
    for (const numbers of [[], [0], [9], [1.5], [1, 1]]) {
      const machines = numbers.map((number) => new FakeMachine(number));
      expect(() => new SlotGroup(machines, () => ID), numbers.join(' ')).toThrow(TypeError);
    }
  });
});
