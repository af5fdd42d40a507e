// SPDX-License-Identifier: Apache-2.0
/** Ceremonies at a terminal: run, left at every question, resumed, closed, replayed. */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createPublicKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatNoteVerifierKey, toNoteVerifierKey } from '@witnessmark/core';
import { generateSoftwareKey, loadSoftwareKey, saveSoftwareKey } from '@witnessmark/custody';
import { converse, goodAnswer, type PeopleOptions } from './ceremony-people.ts';
import { hasProgram } from './programs.ts';
import { OnTerminal } from './pseudo-terminal.ts';
import { run, type RunResult } from './run.ts';
import { TestSite } from './site.ts';

let folder: string;
let count = 0;

const step = {
  title: 'A step',
  roles: ['administrator'],
  readAloud: 'We do what is written here.',
  irreversible: null as string | null,
  act: null,
  check: 'Look at the seal.',
  expected: 'the seal is whole',
  witness: 'The witness sees the seal.',
};

const SCRIPT = {
  mediaType: 'application/vnd.witnessmark.ceremony-script.v1+json',
  name: 'card-loss',
  version: 1,
  type: 'cardLoss',
  title: 'A lost card',
  purpose: 'The card is reported, its spare taken out.',
  roles: { holders: 1, auditor: false },
  quorum: null,
  equipment: [{ name: 'spare', description: 'the spare card' }],
  inputs: [],
  steps: [
    { ...step, id: 'report', title: 'Report the card' },
    { ...step, id: 'open-bag', title: 'Open the bag', irreversible: 'An opened bag stays open.' },
    { ...step, id: 'hand-over', title: 'Hand over the spare', roles: ['holder-1', 'administrator'] },
  ],
};

/** A folder of its own for one ceremony, with script, setup and the keys of its two signers. */
class Case {
  readonly directory: string;
  readonly id: string;
  readonly keys: readonly string[];

  constructor(change: { readonly rehearsal?: boolean; readonly simulated?: boolean } = {}) {
    count += 1;
    const own = join(folder, `case-${count}`);
    this.directory = join(own, 'ceremonies');
    this.id = change.rehearsal === true ? 'rehearsal-loss' : 'loss-1';
    cpSync(join(folder, 'keys'), own, { recursive: true });
    this.keys = ['administrator', 'witness'].map((role) => join(own, `${role}.pem`));
    writeFileSync(this.path('script.json'), JSON.stringify(SCRIPT));
    writeFileSync(
      this.path('setup.json'),
      JSON.stringify({
        mediaType: 'application/vnd.witnessmark.ceremony-setup.v1+json',
        ceremonyId: this.id,
        location: 'room K2',
        simulated: change.simulated ?? false,
        people: [
          { id: 'a.rossi', role: 'administrator', publicKey: 'administrator.pub.pem' },
          { id: 'j.abe', role: 'witness', publicKey: 'witness.pub.pem' },
          { id: 's.kim', role: 'holder', publicKey: null },
        ],
        equipment: [{ name: 'spare', label: 'officer-b', serial: '17402232', bag: 'TEB-0008' }],
        inputs: [],
        acts: { hsmModule: null, cardModule: null, pivRoots: [], registry: null, repository: null },
      }),
    );
  }

  path(name: string): string {
    return join(this.directory, '..', name);
  }

  begin(verb: 'run' | 'rehearse', ...more: readonly string[]): readonly string[] {
    return [
      'ceremony',
      verb,
      this.path('script.json'),
      '--directory',
      this.directory,
      '--setup',
      this.path('setup.json'),
      ...more,
    ];
  }

  resume(...more: readonly string[]): readonly string[] {
    return ['ceremony', 'resume', this.id, '--directory', this.directory, ...more];
  }

  close(...more: readonly string[]): readonly string[] {
    const keys = this.keys.flatMap((key) => ['--key', key]);
    return ['ceremony', 'close', this.id, '--directory', this.directory, ...keys, '--unlogged', ...more];
  }

  replay(...more: readonly string[]): readonly string[] {
    const signers = ['a.rossi=administrator.pub.pem', 'j.abe=witness.pub.pem'].flatMap((text) => [
      '--signer',
      text.replace('=', `=${this.path('')}/`),
    ]);
    return [
      'ceremony',
      'replay',
      join(this.directory, `${this.id}.transcript.json`),
      ...signers,
      '--unlogged',
      ...more,
    ];
  }

  answers(answers: object, mode = 0o600): string {
    const file = this.path('answers.json');
    writeFileSync(file, JSON.stringify({ mediaType: 'application/vnd.witnessmark.ceremony-answers.v1+json', answers }));
    chmodSync(file, mode);
    return file;
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-ceremony-cli-'));
  mkdirSync(join(folder, 'keys'));
  for (const role of ['administrator', 'witness']) {
    const key = generateSoftwareKey(role === 'witness' ? 'ed25519' : 'ecdsa-sha2-nistp256');
    saveSoftwareKey(join(folder, 'keys', `${role}.pem`), key);
    const spki = createPublicKey({ key: Buffer.from(key.publicKey.spki), format: 'der', type: 'spki' });
    writeFileSync(join(folder, 'keys', `${role}.pub.pem`), spki.export({ type: 'spki', format: 'pem' }));
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Administrator and witness look at the bag; what they find is what was typed before the terminal went away. */
const decided =
  (isOpen: () => boolean): NonNullable<PeopleOptions['say']> =>
  (question, seen) => {
    if (question.includes('look at the thing itself')) return isOpen() ? 'done' : 'notDone';
    if (question.includes('Why, for the record')) return 'we looked at the bag';
    return goodAnswer(question, seen);
  };

async function expectVerified(own: Case): Promise<RunResult> {
  const closed = await run(own.close());
  expect(closed.stderr + String(closed.exit)).toBe('0');
  const replayed = await run(own.replay());
  expect(replayed.exit).toBe(0);
  return replayed;
}

describe('a ceremony at a terminal', () => {
  it('is run, closed and replayed', async () => {
    const own = new Case();
    const { exit, stdout, stderr, questions } = await converse(own.begin('run'));
    expect(stdout).toContain('every step is witnessed');
    expect(exit).toBe(5);
    expect(questions).toHaveLength(1 + 3 * 3);
    expect(stderr).toContain('REAL (not a rehearsal)');
    expect(stderr).toContain('READ ALOUD        "We do what is written here."');
    expect(stderr).toContain('CANNOT BE UNDONE  An opened bag stays open.');
    const { stdout: replayed } = await expectVerified(own);
    expect(replayed).toContain('STEP 2            Open the bag  [open-bag]');
    expect(replayed.trimEnd().split('\n').at(-1)).toBe('VERIFIED  loss-1 (completed)');
    expect(readFileSync(join(own.directory, 'loss-1.html'), 'utf8')).toContain('Hand over the spare');
  });

  it('I17: is left at every question and resumed at the last witnessed step', async () => {
    const { questions } = await converse(new Case().begin('run'));
    for (const goneAt of questions.keys()) {
      const own = new Case();
      const left = await converse(own.begin('run'), { goneAt });
      expect(left.exit).toBe(130);
      const argv = goneAt === 0 ? own.begin('run') : own.resume();
      // The bag is opened after its characters were typed, and before anybody says what was observed.
      const isOpen = questions[goneAt]?.includes('What was observed?') === true;
      const gone = await converse(argv, { say: decided(() => isOpen) });
      expect(`${goneAt}: ${gone.exit}`).toBe(`${goneAt}: 5`);
      await expectVerified(own);
      const confirmed = [...left.questions, ...gone.questions].filter((question) =>
        question.includes("this plan's digest"),
      );
      expect(`${goneAt}: ${confirmed.length}`).toBe(`${goneAt}: 1`);
    }
  });

  it('I12: takes exceptions, breaks and the end, and asks again after wrong characters', async () => {
    const own = new Case();
    const script = ['zzzz', 'exception', 'the seal is torn', 'nobody', 's.kim', 'pause', 'lunch'];
    const say: PeopleOptions['say'] = (question) => {
      const isOurs = question.includes('did it happen as read?') || /What is not|Who says|One of|Why is/.test(question);
      return isOurs ? (script.shift() ?? null) : null;
    };
    const paused = await converse(own.begin('run'), { say });
    expect(paused.exit).toBe(5);
    expect(paused.stderr).toContain('[CE-112]');
    expect((await run(own.close())).stderr).toContain('[CE-127]');
    const aborted = await converse(own.resume(), {
      say: (question) =>
        question.includes('Type the first four') ? 'abort' : question.includes('Why does') ? 'fire alarm' : null,
    });
    expect(aborted.exit).toBe(1);
    expect((await converse(own.resume())).stderr).toContain('[CE-117]');
    const { stdout } = await expectVerified(own);
    expect(stdout).toMatch(/exception +\S+ report: the seal is torn \(s\.kim\)/);
    expect(stdout).toMatch(/break +.*lunch/);
    expect(stdout).toContain('VERIFIED  loss-1 (aborted)');
  });

  it('ends one that cannot be finished, with a reason', async () => {
    const own = new Case();
    await converse(own.begin('run'), { goneAt: 3 });
    expect((await run(own.close('--abort', 'no spare'))).exit).toBe(0);
    expect((await run(own.replay())).stdout).toContain('aborted: no spare');
  });

  it('begins with the reviewed script only', async () => {
    const own = new Case();
    const say: PeopleOptions['say'] = (question) => (question.includes("script's digest") ? '00000000' : null);
    expect(await converse(own.begin('run'), { say })).toMatchObject({
      exit: 4,
      stderr: expect.stringContaining('[CE-106]'),
    });
    const given = await converse(own.begin('run', '--script-digest', '0'.repeat(64)));
    expect(given).toMatchObject({ exit: 4, stderr: expect.stringContaining('[CE-106]') });
    expect(existsSync(own.directory)).toBe(false);
  });

  it('is held by people: a file answers for trials only', async () => {
    const real = new Case();
    const answers = real.answers({});
    expect((await run(real.begin('run', '--answers', answers))).stderr).toContain('[CE-116]');
    expect((await run(real.begin('run'))).stderr).toContain('[CE-116]');
    const trial = new Case({ simulated: true });
    const missing = await run(trial.begin('run'));
    expect(missing).toMatchObject({ exit: 2, stderr: expect.stringContaining('--answers is missing') });
    const open = await run(trial.begin('run', '--answers', trial.answers({}, 0o644)));
    expect(open).toMatchObject({ exit: 2, stderr: expect.stringContaining('0600') });
    expect(await run(trial.begin('run', '--answers', trial.answers({}), '-qq'))).toMatchObject({
      exit: 5,
      stdout: '',
      stderr: '',
    });
    await expectVerified(trial);
  });

  it('is signed at once when the keys are given', async () => {
    const own = new Case({ simulated: true });
    const keys = own.keys.flatMap((key) => ['--key', key]);
    const argv = own.begin('run', '--answers', own.answers({}), ...keys, '--unlogged', '--json');
    const { exit, stdout } = await run(argv);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, outcome: 'completed', logged: false });
    expect(exit).toBe(0);
    await expectVerified(own);
  });

  it('does not take the place of another one', async () => {
    const own = new Case({ simulated: true });
    const argv = own.begin('run', '--answers', own.answers({}));
    expect((await run(argv)).exit).toBe(5);
    expect((await run(argv)).stderr).toContain('[CE-119]');
    expect(await run(['ceremony', 'resume', 'other', '--directory', own.directory])).toMatchObject({ exit: 2 });
    expect(await run(['ceremony', 'resume', '../x', '--directory', own.directory])).toMatchObject({ exit: 2 });
  });

  it('is closed with the keys of the opening', async () => {
    const own = new Case({ simulated: true });
    await run(own.begin('run', '--answers', own.answers({})));
    const close = (...keys: readonly string[]): Promise<RunResult> =>
      run([
        'ceremony',
        'close',
        own.id,
        '--directory',
        own.directory,
        '--unlogged',
        ...keys.flatMap((key) => ['--key', key]),
      ]);
    expect(await close()).toMatchObject({ exit: 2 });
    expect((await close(own.keys[0]!)).stderr).toContain('[CE-122]');
    const stranger = own.path('stranger.pem');
    saveSoftwareKey(stranger, generateSoftwareKey('ed25519'));
    expect((await close(...own.keys, stranger)).stderr).toContain('[CE-126]');
    expect((await run(own.close())).exit).toBe(0);
  });
});

describe('a rehearsal', () => {
  it('A39: says so on every line, and in the transcript', async () => {
    const own = new Case({ rehearsal: true });
    const { exit, stderr, stdout } = await converse(own.begin('rehearse'));
    expect(exit).toBe(5);
    for (const line of stderr.trimEnd().split('\n')) expect(line).toMatch(/^REHEARSAL \| /);
    expect(stdout).toMatch(/^REHEARSAL /);
    const { stdout: replayed } = await expectVerified(own);
    for (const line of replayed.trimEnd().split('\n')) expect(line).toMatch(/^REHEARSAL \| /);
    expect(readFileSync(join(own.directory, `${own.id}.html`), 'utf8')).toContain('<title>REHEARSAL');
  });

  it('has an id that says so, and nothing else has', async () => {
    const real = new Case();
    expect(await converse(real.begin('rehearse'))).toMatchObject({ exit: 2 });
    const rehearsal = new Case({ rehearsal: true });
    expect(await converse(rehearsal.begin('run'))).toMatchObject({ exit: 2 });
  });
});

describe('a replay', () => {
  it('says no, cannot tell, or yes', async () => {
    const own = new Case({ simulated: true });
    await run(own.begin('run', '--answers', own.answers({})));
    await run(own.close());
    const file = join(own.directory, 'loss-1.transcript.json');
    expect(await run(['ceremony', 'replay', file])).toMatchObject({
      exit: 3,
      stdout: expect.stringContaining('CE-125'),
    });
    const unlogged = own.replay().filter((word) => word !== '--unlogged');
    expect(await run(unlogged)).toMatchObject({ exit: 3, stdout: expect.stringContaining('CE-128') });
    const text = readFileSync(file, 'utf8');
    const transcript = JSON.parse(text) as { envelope: { signatures: unknown[] } };
    transcript.envelope.signatures.pop();
    writeFileSync(file, JSON.stringify(transcript));
    const failed = await run(own.replay('--page', own.path('page.html')));
    expect(failed).toMatchObject({ exit: 1, stdout: expect.stringContaining('CE-122') });
    expect(failed.stdout).not.toContain('STEP 1');
    expect(existsSync(own.path('page.html'))).toBe(false);
    writeFileSync(file, text.slice(1));
    expect(await run(own.replay())).toMatchObject({ exit: 3, stdout: expect.stringContaining('CE-121') });
    writeFileSync(file, text);
    expect(await run(own.replay('--page', own.path('page.html'), '-q'))).toMatchObject({
      exit: 0,
      stdout: 'VERIFIED  loss-1 (completed)\n',
    });
    expect(existsSync(own.path('page.html'))).toBe(true);
    expect(await run([...own.replay(), '--signer', 'x'])).toMatchObject({ exit: 2 });
  });

  it('finds the transcript in the log of the office', async () => {
    const site = await TestSite.make();
    try {
      const own = new Case({ simulated: true });
      const withSite = (argv: readonly string[]): readonly string[] =>
        argv.flatMap((word) =>
          word === '--directory'
            ? ['--data']
            : word === own.directory
              ? [site.data]
              : word === '--unlogged'
                ? []
                : [word],
        );
      expect((await run(withSite(own.begin('run', '--answers', own.answers({}))))).exit).toBe(5);
      expect((await run(withSite(own.close()))).stdout).toContain('loss-1 is closed: completed, logged');
      const config = JSON.parse(readFileSync(join(site.data, 'office.json'), 'utf8')) as {
        log: { name: string; key: string };
      };
      const { publicKey } = loadSoftwareKey(join(site.data, config.log.key));
      const logKey = formatNoteVerifierKey(toNoteVerifierKey(config.log.name, publicKey));
      const file = join(site.data, 'ceremonies', 'loss-1.transcript.json');
      const replay = withSite(own.replay()).map((word) => (word.endsWith('.transcript.json') ? file : word));
      expect((await run(replay)).stdout).toContain('CE-128');
      const proven = await run([...replay, '--log-key', logKey]);
      expect(proven.stdout).toContain(`in the log ${config.log.name}`);
      expect(proven.exit).toBe(0);
      const stranger = generateSoftwareKey('ed25519').publicKey;
      const forged = formatNoteVerifierKey(toNoteVerifierKey(config.log.name, stranger));
      expect((await run([...replay, '--log-key', forged])).stdout).toContain('CE-128');
    } finally {
      site.remove();
    }
  });
});

describe.skipIf(!hasProgram('script'))('on a pseudo terminal, as a real process', { timeout: 120_000 }, () => {
  it('I17: is killed at a question, between typing and seeing, and goes on', async () => {
    const own = new Case();
    for (const { at, argv, isOpen } of [
      { at: 'did it happen as read?', argv: own.begin('run'), isOpen: false },
      { at: 'What was observed?', argv: own.resume(), isOpen: false },
    ]) {
      const terminal = new OnTerminal(argv);
      await terminal.answer((question, seen) =>
        question.includes(at) ? 'STOP' : decided(() => isOpen)(question, seen),
      );
      await terminal.kill();
    }
    const terminal = new OnTerminal(own.resume());
    await terminal.answer((question, seen) => decided(() => true)(question, seen));
    expect(await terminal.exit).toBe(5);
    expect(terminal.seen).toContain('every step is witnessed');
    await expectVerified(own);
    const file = JSON.parse(readFileSync(join(own.directory, 'loss-1.transcript.json'), 'utf8')) as {
      envelope: { payload: string };
    };
    const { predicate } = JSON.parse(Buffer.from(file.envelope.payload, 'base64').toString()) as {
      predicate: { breaks: object[]; exceptions: { step: string; text: string }[] };
    };
    expect(predicate.breaks).toMatchObject([{ kind: 'interruption' }, { kind: 'interruption' }]);
    expect(predicate.exceptions).toMatchObject([
      { step: 'open-bag', text: expect.stringContaining('people were doing it when the program ended') },
      { step: 'open-bag', text: expect.stringContaining('decided that it was done: we looked at the bag') },
    ]);
  });
});
