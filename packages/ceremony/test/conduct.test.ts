// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { RefusedError } from '@witnessmark/core';
import { Ceremony, closeCeremony, conductCeremony, toActTable, type RunSettings } from '@witnessmark/ceremony';
import { TestRoom } from './support/room.ts';
import { expectRefusal, Scene } from './support/run.ts';
import { KEYS, script, SETTINGS, type Draft } from './support/scene.ts';
import { fakeActs } from './support/world.ts';

const settingsWith = (change: (draft: Draft) => void): RunSettings => {
  const draft = structuredClone(SETTINGS);
  change(draft);
  return draft;
};

describe('the people of a ceremony', () => {
  it.each<[string, (draft: Draft) => void]>([
    ['nobody administers', (draft) => draft.people.shift()],
    ['two witness', (draft) => draft.people.push({ ...draft.people[1], id: 'n.lee' })],
    ['a holder is missing', (draft) => draft.people.pop()],
    ['a holder is too many', (draft) => draft.people.push({ id: 'd.okafor', role: 'holder', publicKey: null })],
    ['the witness has no key', (draft) => (draft.people[1].publicKey = null)],
  ])('are refused when %s', async (_what, change) => {
    await expectRefusal('CE-104', () => new Scene({ settings: settingsWith(change) }).begin());
  });

  it.each<[string, (draft: Draft) => void]>([
    ['the administrator is the witness', (draft) => (draft.people[1].id = 'a.rossi')],
    ['the witness is a holder', (draft) => (draft.people[2].id = 'j.abe')],
    ['the administrator is a holder', (draft) => (draft.people[3].id = 'a.rossi')],
    ['one person is two holders', (draft) => (draft.people[3].id = 's.kim')],
    ['two people have one key', (draft) => (draft.people[1].publicKey = draft.people[0].publicKey)],
  ])('A27: are refused when %s', async (_what, change) => {
    await expectRefusal('CE-105', () => new Scene({ settings: settingsWith(change) }).begin());
  });

  it('includes an auditor when the script wants one', async () => {
    const reviewed = script((draft) => (draft.roles.auditor = true));
    await expectRefusal('CE-104', () => new Scene({ reviewed }).begin());
    const settings = settingsWith((draft) => draft.people.push({ id: 'n.lee', role: 'auditor', publicKey: null }));
    await expect(new Scene({ reviewed, settings }).begin()).resolves.toBeInstanceOf(Ceremony);
  });
});

describe('the things of a ceremony', () => {
  it.each<[string, (draft: Draft) => void]>([
    ['a thing is missing', (draft) => (draft.equipment = [])],
    ['a thing is unknown', (draft) => draft.equipment.push({ ...draft.equipment[0], name: 'spare' })],
    ['a thing is there twice', (draft) => draft.equipment.push(draft.equipment[0])],
    ['an input is missing', (draft) => (draft.inputs = [])],
  ])('are refused when %s', async (_what, change) => {
    await expectRefusal('CE-107', () => new Scene({ settings: settingsWith(change) }).begin());
  });
});

describe('a ceremony', () => {
  it('goes step by step, each witnessed', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    const { outcome, room } = await scene.conduct(ceremony);
    expect(outcome).toBe('done');
    expect(room.refusals).toEqual([]);
    const { state } = ceremony;
    expect(state.steps.map(({ phase, origin, attempts }) => [phase, origin, attempts])).toEqual([
      ['witnessed', 'observed', 1],
      ['witnessed', 'performed', 1],
      ['witnessed', 'performed', 1],
      ['witnessed', 'observed', 1],
    ]);
    expect(state.exceptions).toEqual([]);
  });

  it('is begun once', async () => {
    const scene = new Scene();
    await scene.begin();
    await expectRefusal('CE-119', () => scene.begin());
  });

  it('does nothing final before the right characters are typed', async () => {
    const scene = new Scene();
    const typed = ['2232', 'yes', '', '2231'];
    const { room } = await scene.conduct(await scene.begin(), {
      begin: ({ own }) => (own.step.id === 'make-key' ? { kind: 'begin', typed: typed.shift()! } : null),
    });
    expect(room.refusals.map(({ code }) => code)).toEqual(['CE-111', 'CE-111', 'CE-111']);
    expect(scene.world.burns.get('card')).toBe(1);
  });

  it('goes on only when the witness has read the result', async () => {
    const scene = new Scene();
    const answers = [
      { kind: 'witnessed', by: 'a.rossi', typed: null },
      { kind: 'witnessed', by: 'j.abe', typed: '0000' },
      { kind: 'witnessed', by: 'nobody', typed: null },
    ] as const;
    let asked = 0;
    const { room } = await scene.conduct(await scene.begin(), {
      witness: ({ resultDigest }) => {
        const answer = answers[asked++];
        return answer === undefined ? null : { ...answer, typed: answer.typed ?? resultDigest.slice(0, 4) };
      },
    });
    expect(room.refusals.map(({ code }) => code)).toEqual(['CE-112', 'CE-112', 'CE-112']);
  });

  it('I12: records a refused try and lets people try again', async () => {
    const scene = new Scene();
    const pins = ['wrong', 'correct horse'];
    const ceremony = await scene.begin();
    const { room } = await scene.conduct(ceremony, { secret: () => pins.shift()! });
    expect(room.refusals.map(({ code }) => code)).toEqual(['CU-105']);
    expect(scene.world.burns.get('card')).toBe(1);
    const { attempts } = ceremony.state.steps[1]!;
    expect(attempts).toBe(2);
    expect(ceremony.state.exceptions).toMatchObject([
      { step: 'make-key', by: 'program', text: 'CU-105: the PIN is wrong' },
    ]);
  });

  it('I16: never writes a secret down', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    await scene.conduct(ceremony);
    await scene.close(ceremony);
    for (const bytes of scene.disk.currentImage().values()) {
      expect(Buffer.from(bytes).toString()).not.toContain('correct horse');
      expect(Buffer.from(bytes).toString()).not.toContain(Buffer.from('correct horse').toString('base64').slice(1, -3));
    }
  });

  it('takes an exception, a break and an end as people call them', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    const said = new Set<string>();
    const once = <T>(what: string, answer: T): T | null => (said.has(what) ? null : (said.add(what), answer));
    const habits = {
      observe: () => once('observe', { kind: 'exception', text: 'the bag\nis torn', by: 's.kim' } as const),
      witness: () => once('witness', { kind: 'pause', reason: 'lunch' } as const),
    };
    expect((await scene.conduct(ceremony, habits)).outcome).toBe('paused');
    const { outcome } = await scene.conduct(await scene.open(), {
      begin: ({ own }) => (own.step.id === 'stamp-paper' ? { kind: 'abort', reason: 'fire alarm' } : null),
    });
    expect(outcome).toBe('aborted');
    const { state } = await scene.open();
    expect(state.exceptions.map(({ step, text, by }) => [step, text, by])).toEqual([
      ['open-bag', 'the bag is torn', 's.kim'],
      ['stamp-paper', 'aborted: fire alarm', 'a.rossi'],
    ]);
    expect(state.breaks).toMatchObject([{ kind: 'break', reason: 'lunch' }]);
    const again = await scene.open();
    await expectRefusal('CE-117', () => scene.conduct(again));
  });

  it('refuses a break in the middle of a step', async () => {
    const scene = new Scene();
    let asked = 0;
    const { room } = await scene.conduct(await scene.begin(), {
      observe: () => (asked++ === 0 ? { kind: 'pause', reason: 'tea' } : null),
    });
    expect(room.refusals.map(({ code }) => code)).toEqual(['CE-110']);
  });

  it('refuses an exception of somebody who is not here', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    await expectRefusal('CE-112', () =>
      ceremony.record({ kind: 'exception', step: null, text: 'hello', by: 'nobody' }),
    );
  });

  it('says that a card is missing before anybody is asked for a PIN, and looks again', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    let looks = 0;
    const acts = [...fakeActs(scene.world).values()].map((act) => ({
      ...act,
      plan: (context: Parameters<typeof act.plan>[0]) =>
        act.kind === 'burn' && looks++ === 0
          ? Promise.reject(new RefusedError('CU-102', 'no card'))
          : act.plan(context),
    }));
    const problems: (string | null)[] = [];
    const room = new TestRoom({
      begin: ({ own, problem, confirmation }) => {
        if (own.step.id === 'make-key') problems.push(problem?.code ?? null);
        return { kind: 'begin', typed: confirmation?.characters ?? '' };
      },
    });
    const { signal } = new AbortController();
    await conductCeremony({ ceremony, acts: toActTable(acts), room, clock: scene.clock, signal });
    expect(problems).toEqual(['CU-102', null]);
  });

  it('lets people decide that something final was not done, and does it then', async () => {
    const scene = new Scene();
    scene.world.isBlind = true;
    scene.world.refusal = new RefusedError('CU-110', 'the token did not answer');
    const ceremony = await scene.begin();
    const { room } = await scene.conduct(ceremony, {
      decide: () => {
        scene.world.refusal = null;
        return { kind: 'decided', decision: 'notDone', reason: 'the slot is empty' };
      },
    });
    expect(room.decisions).toHaveLength(1);
    expect(scene.world.burns.get('card')).toBe(1);
    expect(ceremony.state.exceptions.map(({ by }) => by)).toEqual(['program', 'a.rossi']);
  });

  it('I17: says that people must decide after an end in the middle', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    const gone = new Error('the terminal is gone');
    await expect(
      scene.conduct(ceremony, {
        secret: () => {
          throw gone;
        },
      }),
    ).rejects.toBe(gone);
    const { state } = await scene.open();
    expect(state.steps[1]!.phase).toBe('intended');
    const resumed = await scene.open();
    await scene.conduct(resumed);
    expect(resumed.state.exceptions).toMatchObject([{ step: 'make-key', text: expect.stringMatching(/^CE-113: /) }]);
    expect(resumed.state.breaks).toMatchObject([{ kind: 'interruption' }]);
    expect(scene.world.burns.get('card')).toBe(1);
  });

  it('gives an act the result of a witnessed step, and refuses one that has none', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    const seen: unknown[] = [];
    const acts = [...fakeActs(scene.world).values()].map((act) => ({
      ...act,
      plan: (context: Parameters<typeof act.plan>[0]) => {
        if (act.kind === 'burn') {
          seen.push(context.result('open-bag').facts, context.input('ticket'), context.person('holder-2'));
          seen.push(
            codeOf(() => context.result('stamp-paper')),
            codeOf(() => context.equipment('spoon')),
          );
          seen.push(codeOf(() => context.person('auditor')));
        }
        return act.plan(context);
      },
    }));
    const { signal } = new AbortController();
    await conductCeremony({ ceremony, acts: toActTable(acts), room: new TestRoom(), clock: scene.clock, signal });
    expect(seen).toEqual([
      [{ name: 'observed', value: 'the seal is whole' }],
      'ECO-7731',
      'l.meyer',
      'CE-118',
      'CE-107',
      'CE-104',
    ]);
  });

  it('refuses a result out of bounds, and people decide about the step', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    const facts = (length: number): { name: string; value: string }[] => [{ name: 'x', value: 'v'.repeat(length) }];
    const acts = (length: number) =>
      toActTable(
        [...fakeActs(scene.world).values()].map((act) =>
          act.kind === 'burn'
            ? {
                ...act,
                perform: async (context) => ({ ...(await act.perform(context)), facts: facts(length) }),
                inspect: () => Promise.resolve({ state: 'unknown', detail: 'blind' }),
              }
            : act,
        ),
      );
    const room = new TestRoom();
    const { signal } = new AbortController();
    await conductCeremony({ ceremony, acts: acts(121), room, clock: scene.clock, signal });
    expect(room.refusals.map(({ code }) => code)).toEqual(['CE-120']);
    expect(ceremony.state.steps[1]).toMatchObject({ origin: 'decided', phase: 'witnessed' });
    const other = new Scene();
    const fine = await other.begin();
    await conductCeremony({ ceremony: fine, acts: acts(120), room: new TestRoom(), clock: other.clock, signal });
    expect(fine.state.steps[1]).toMatchObject({ origin: 'performed' });
  });

  it('refuses to go on when the clock is behind the journal', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    scene.clock.set(0);
    await expectRefusal('CE-114', () => scene.conduct(ceremony));
    await expectRefusal('CE-114', () => ceremony.record({ kind: 'paused', reason: 'x' }));
  });

  it('refuses more words than one transcript holds, and can still be ended', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    const note = (): Promise<unknown> =>
      ceremony.record({ kind: 'exception', step: null, text: 'x'.repeat(400), by: 'a.rossi' });
    const flood = async (): Promise<void> => {
      for (let count = 0; count < 1_000; count += 1) await note();
    };
    await expectRefusal('CE-115', flood);
    await expectRefusal('CE-115', () => scene.conduct(ceremony));
    await ceremony.record({ kind: 'aborted', reason: 'the record is full' });
    const { envelope } = await scene.close(ceremony);
    expect(envelope.signatures).toHaveLength(2);
  });

  it.each([
    ['a second opening', { kind: 'closed' }, 'CE-127'],
    [
      'a result before its intent',
      { kind: 'performed', step: 'open-bag', origin: 'observed', result: { facts: [], digests: [], keys: [] } },
      'CE-110',
    ],
    ['a later step', { kind: 'intended', step: 'make-key', plan: [] }, 'CE-110'],
    ['a witness before the result', { kind: 'witnessed', step: 'open-bag', by: 'j.abe', typed: '0000' }, 'CE-110'],
    ['a decision nobody asked for', { kind: 'decided', step: 'open-bag', decision: 'done', reason: 'x' }, 'CE-110'],
    [
      'an exception at a step that is not there',
      { kind: 'exception', step: 'no-step', text: 'x', by: 'a.rossi' },
      'CE-110',
    ],
    ['a resume from a break nobody called', { kind: 'resumed', after: 'break' }, 'CE-110'],
  ] as const)('refuses %s', async (_what, fact, code) => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    await expectRefusal(code, () => ceremony.record(fact as never));
    expect(ceremony.state.records).toBe(1);
  });
});

describe('the end of a ceremony', () => {
  it('waits until every step is witnessed', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    await expectRefusal('CE-127', () => scene.close(ceremony));
    await expectRefusal('CE-127', () => ceremony.transcript());
  });

  it('demands the keys shown at the opening, of administrator and witness both', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    await scene.conduct(ceremony);
    const { files } = scene;
    const { administrator, witness, auditor } = KEYS;
    const close = (signers: readonly (typeof KEYS)['auditor'][]) =>
      closeCeremony({ ceremony, files, signers, log: null });
    await expectRefusal('CE-126', () => close([administrator, witness, auditor]));
    await expectRefusal('CE-122', () => close([administrator]));
    await expectRefusal('CE-122', () => close([witness]));
    expect((await close([administrator, witness])).envelope.signatures).toHaveLength(2);
    await expectRefusal('CE-117', () => ceremony.record({ kind: 'closed' }));
  });

  it('names what nobody witnessed', async () => {
    const scene = new Scene();
    const ceremony = await scene.begin();
    await ceremony.record({ kind: 'intended', step: 'open-bag', plan: [] });
    await ceremony.record({ kind: 'aborted', reason: 'the bag is empty' });
    const { envelope } = await scene.close(ceremony);
    const { predicate } = JSON.parse(Buffer.from(envelope.payload).toString());
    expect(predicate).toMatchObject({
      outcome: 'aborted',
      open: ['open-bag', 'make-key', 'stamp-paper', 'seal-bag'],
      exceptions: [
        { by: 'program', text: expect.stringContaining('nobody established') },
        { text: 'aborted: the bag is empty' },
      ],
    });
  });
});

function codeOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof RefusedError ? error.code : null;
  }
}
