// SPDX-License-Identifier: Apache-2.0
/** A world two fake acts change, which outlives the program: what was done is counted, and can be looked at. */
import { encodeBase64, RefusedError, type Clock } from '@witnessmark/core';
import { generateSoftwareKey, type SoftwareKey } from '@witnessmark/custody';
import {
  defineAct,
  toActTable,
  type ActContext,
  type ActInspection,
  type ActResult,
  type ActTable,
} from '@witnessmark/ceremony';
import { z } from 'zod';
import { FaultPlan } from '../../../../testing/world/src/crash/fault-plan.ts';

export class FakeWorld {
  /** How often each irreversible effect happened, by what it was done to. */
  readonly burns = new Map<string, number>();
  readonly stamps = new Map<string, number>();
  /** The keys that were born, one per thing. */
  readonly keys = new Map<string, SoftwareKey>();
  /** What `inspect` cannot see. */
  isBlind = false;
  /** Refused before anything happens. */
  refusal: RefusedError | null = null;
}

/** The acts of a program whose calls may fail or end it. `burn` is final, `stamp` can be repeated. */
export function fakeActs(world: FakeWorld, plan: FaultPlan = new FaultPlan()): ActTable {
  const parameters = z.strictObject({ thing: z.string().max(32) });
  type Context = ActContext<z.infer<typeof parameters>>;
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> =>
    plan.call(name, effect, () => Promise.reject(new RefusedError('CU-103', 'the token went away')));
  const burn = defineAct({
    kind: 'burn',
    parameters,
    isIrreversible: true,
    plan: ({ parameters: { thing }, equipment }: Context) =>
      call('burn.plan', () =>
        Promise.resolve({
          lines: [`burn ${thing}`],
          confirmation: { what: `the end of the serial of ${thing}`, characters: equipment(thing).serial.slice(-4) },
        }),
      ),
    inspect: (context: Context) =>
      call<ActInspection>('burn.inspect', () => {
        const { thing } = context.parameters;
        if (world.isBlind) return Promise.resolve({ state: 'unknown', detail: 'it shows nothing' });
        return Promise.resolve(
          world.burns.has(thing)
            ? { state: 'done' as const, result: burnt(world, context) }
            : { state: 'notDone' as const },
        );
      }),
    perform: async (context: Context) => {
      const pin = await context.prompts.secret({ from: 'holder-1', id: 'pin', text: 'PIN' });
      if (pin !== 'correct horse') throw new RefusedError('CU-105', 'the PIN is wrong');
      if (world.refusal !== null) throw world.refusal;
      return call('burn.perform', () => {
        const { thing } = context.parameters;
        world.burns.set(thing, (world.burns.get(thing) ?? 0) + 1);
        world.keys.set(thing, generateSoftwareKey('ecdsa-sha2-nistp256'));
        return Promise.resolve(burnt(world, context));
      });
    },
  });
  const stamp = defineAct({
    kind: 'stamp',
    parameters,
    isIrreversible: false,
    plan: ({ parameters: { thing } }: Context) =>
      call('stamp.plan', () => Promise.resolve({ lines: [`stamp ${thing}`] })),
    inspect: () => call('stamp.inspect', () => Promise.resolve({ state: 'unknown' as const, detail: 'stamps fade' })),
    perform: ({ parameters: { thing } }: Context) =>
      call('stamp.perform', () => {
        world.stamps.set(thing, (world.stamps.get(thing) ?? 0) + 1);
        return Promise.resolve({ facts: [{ name: 'stamped', value: thing }], digests: [], keys: [] });
      }),
  });
  return toActTable([burn, stamp]);
}

function burnt(
  world: FakeWorld,
  { parameters: { thing }, equipment, person }: ActContext<{ thing: string }>,
): ActResult {
  const key = world.keys.get(thing);
  if (key === undefined) throw new TypeError('no key');
  const { keyid, spki } = key.publicKey;
  return {
    facts: [{ name: 'burnt', value: thing }],
    digests: [{ name: 'public key', sha256: keyid }],
    keys: [
      {
        name: 'approver',
        change: 'made',
        spki: encodeBase64(spki),
        checkValue: null,
        holder: person('holder-1'),
        token: {
          label: equipment(thing).label,
          serial: equipment(thing).serial,
          manufacturer: 'ACME',
          model: 'C1',
          firmware: '1.0',
        },
        attributes: { CKA_EXTRACTABLE: false },
        grade: 'selfReported',
        certificates: [],
      },
    ],
  };
}

export function stepClock(start: number = Date.UTC(2026, 10, 20, 9)): Clock & { set(now: number): void } {
  let now = start;
  return {
    now: () => (now += 1_000),
    monotonic: () => now,
    set: (to) => {
      now = to;
    },
  };
}
