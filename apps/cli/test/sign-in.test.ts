// SPDX-License-Identifier: Apache-2.0
/** Signing in at a station by the real program: with a key, with a badge, with a PIV card; and who may not (A5). */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { formatTrustedRoot, parseTrustedRoot } from '@witnessmark/attestation';
import { encodeBase64 } from '@witnessmark/core';
import { generateSoftwareKey, openPkcs11Module, saveSoftwareKey } from '@witnessmark/custody';
import { hasCardReaders, startCardReaders, VirtualCard, type CardReaders } from '@witnessmark/piv-card';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCard } from '../../../packages/custody/test/support/issue-card.ts';
import { hasPkcs11js } from '../../../packages/custody/test/support/soft-hsm.ts';
import { hasProgram } from './programs.ts';
import { MAIN, run, SOURCE_CONDITION, type RunOptions, type RunResult } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const OPENSC = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const CARD_PIN = '271828';
const BADGE = '3310';
const BADGE_PIN = '284917';
const POLL = { timeout: 30_000, interval: 250 };
const hasCards = hasCardReaders() && hasPkcs11js() && ['yubico-piv-tool', 'openssl'].every(hasProgram);

let site: TestSite;
let line: TestLine;
let boards = 0;

beforeAll(async () => {
  site = await TestSite.makeReleased();
  saveSoftwareKey(site.key('operator-otto'), enrol('otto', 'operator'));
  saveSoftwareKey(site.key('operator-anna'), enrol('anna', 'operator'));
  changeRules({ credentials: ['piv', 'badge-pin', 'software-key'], maxWrongPins: 2 });
  line = await TestLine.start(site.data);
});
afterAll(async () => {
  await line.end('SIGTERM');
  site.remove();
});

function changeRules(signIn: object): void {
  const file = `${site.data}/line.json`;
  const config = JSON.parse(readFileSync(file, 'utf8')) as { rules: object };
  const rest = { idleMinutes: 30, batchUnits: 100, wrongPinsPerMinute: 100 };
  writeFileSync(file, JSON.stringify({ ...config, rules: { ...config.rules, signIn: { ...rest, ...signIn } } }));
}

/** A key of somebody in the trusted root that line and station are given. */
function enrol(owner: string, role: 'operator'): ReturnType<typeof generateSoftwareKey> {
  const key = generateSoftwareKey('ecdsa-sha2-nistp256');
  addKey(owner, role, key.publicKey.spki, 'software');
  return key;
}

function addKey(owner: string, role: 'operator', spki: Uint8Array, custody: 'software' | 'hardware'): void {
  const file = `${site.data}/trusted-root.json`;
  const root = parseTrustedRoot(readFileSync(file));
  const own = root.keys.find((entry) => entry.role === 'operator')!;
  const entry = { ...own, owner, role, custody, publicKey: encodeBase64(spki) };
  writeFileSync(file, formatTrustedRoot({ ...root, keys: [...root.keys, entry] }));
}

async function program(who: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  boards += 1;
  const board = await site.makeBoard(`d2650000000000${boards.toString(16).padStart(2, '0')}`);
  const where = ['--data', site.data, '--device', board.device, '--line', line.url];
  return run(['station', 'program', ...where, ...who, '--label', board.label], options);
}

function key(name: string): readonly string[] {
  return ['--operator-key', site.key(`operator-${name}`)];
}

function badge(...words: readonly string[]): Promise<RunResult> {
  return run(['badge', ...words, '--data', site.data, '--line', line.url]);
}

function decision(reason: string): readonly string[] {
  return ['--key', site.key('supervisor-sam'), '--reason', reason];
}

function pinFile(pin: string, mode = 0o600): string {
  const file = site.path(`pin-${pin}-${mode}`);
  writeFileSync(file, `${pin}\n`, { mode });
  return file;
}

/** What is published, which follows what is logged. */
async function showLog(): Promise<string> {
  return (await expectDone(['log', 'show', '--data', site.data, '--json'])).stdout;
}

async function sessions(): Promise<readonly { operator: string; credential: string; station: string }[]> {
  const { stdout } = await expectDone(['station', 'sessions', '--data', site.data, '--line', line.url, '--json']);
  return (JSON.parse(stdout) as { sessions: { operator: string; credential: string; station: string }[] }).sessions;
}

describe('an operator with a key', () => {
  it('is signed in for the units of one run, and signed out after it', async () => {
    const { exit, stderr } = await program(key('olga'));
    expect(stderr).toMatch(/signed in at .*, log entry \d+\n[^]*signed out at .*, log entry \d+/);
    expect(exit).toBe(0);
    expect(await sessions()).toEqual([]);
  });

  it('names the flags when nobody says who signs in', async () => {
    const { exit, stderr } = await program([]);
    expect(exit).toBe(2);
    expect(stderr).toContain('--operator-key (or WITNESSMARK_OPERATOR_KEY) or --badge is missing');
    expect((await program([...key('olga'), '--badge', BADGE])).exit).toBe(2);
  });

  it('A26 LS-521: does not build, approve and operate in one person', async () => {
    const { exit, stderr } = await program(key('anna'));
    expect(stderr).toContain('LS-521');
    expect(exit).toBe(4);
  });
});

describe('A5 a station that somebody has left', () => {
  it('LS-513 until they are signed out there', async () => {
    await leaveSession('olga');
    const refused = await program(key('otto'));
    expect(refused.stderr).toContain('LS-513');
    expect(refused.exit).toBe(4);
    const out = await expectDone(['station', 'sign-out', '--data', site.data, '--line', line.url]);
    expect(out.stdout).toContain('olga is signed out');
    expect((await program(key('otto'))).exit).toBe(0);
    const nobody = await expectDone(['station', 'sign-out', '--data', site.data, '--line', line.url]);
    expect(nobody.stdout).toContain('nobody is signed in');
  });

  /** A run of labels whose process ends before its time. */
  async function leaveSession(name: string): Promise<void> {
    const board = await site.makeBoard('d2650000000000ff');
    const argv = ['station', 'run', '--data', site.data, '--device', board.device, '--line', line.url, ...key(name)];
    const child = spawn(process.execPath, [SOURCE_CONDITION, MAIN, ...argv], { stdio: ['pipe', 'ignore', 'pipe'] });
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (text: Buffer) => {
        if (text.toString().includes('signed in at')) resolve();
      });
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect((await sessions()).map(({ operator }) => operator)).toEqual([name]);
  }
});

describe('an operator with a badge', () => {
  const byBadge = (pin: string = BADGE_PIN): readonly string[] => ['--badge', BADGE, '--pin-source', pinFile(pin)];

  it('is refused before a supervisor gave the badge out', async () => {
    expect((await program(byBadge())).stderr).toContain('LS-517');
  });

  it('gets it from a supervisor alone, with a PIN that is none of the first guesses', async () => {
    const enrolment = ['enrol', BADGE, '--person', 'op-lee', '--reason', 'new'];
    const byOperator = await badge(
      ...enrolment,
      '--pin-source',
      pinFile(BADGE_PIN),
      '--key',
      site.key('operator-olga'),
    );
    expect(byOperator.stderr).toContain('LS-522');
    for (const weak of ['111111', '234567', '12345', 'abcdef']) {
      const refused = await badge(...enrolment, '--pin-source', pinFile(weak), '--key', site.key('supervisor-sam'));
      expect(refused.stderr).toContain('ERR_LINE_BADGES');
    }
    const others = ['enrol', BADGE, '--person', 'anna', '--pin-source', pinFile(BADGE_PIN), ...decision('new')];
    expect((await badge(...others)).stderr).toContain('LS-521');
    const readable = ['--pin-source', pinFile(BADGE_PIN, 0o644), '--key', site.key('supervisor-sam')];
    expect((await badge(...enrolment, ...readable)).stderr).toContain('CU-112');
    const good = await badge(
      'enrol',
      BADGE,
      '--person',
      'op-lee',
      '--pin-source',
      pinFile(BADGE_PIN),
      ...decision('new'),
    );
    expect(good.exit).toBe(0);
    const again = await badge(
      'enrol',
      BADGE,
      '--person',
      'op-kim',
      '--pin-source',
      pinFile(BADGE_PIN),
      ...decision('x'),
    );
    expect(again.stderr).toContain('LS-522');
  });

  it('makes units, and every record says by which grade', async () => {
    const { exit, stderr } = await program(byBadge());
    expect(stderr).toContain('signed in at');
    expect(exit).toBe(0);
    await expect.poll(showLog, POLL).toContain('signed in by badge-pin');
    expect(await showLog()).not.toContain(BADGE_PIN);
  });

  it('is asked for badge and PIN on a terminal, and the PIN is shown nowhere', async () => {
    const { exit, stdout, stderr } = await program([], { answers: [BADGE, BADGE_PIN] });
    expect(exit).toBe(0);
    expect(`${stdout}${stderr}`).not.toContain(BADGE_PIN);
  });

  it('LS-518: locks after wrong PINs, until a supervisor unlocks it', async () => {
    expect((await program(byBadge('284918'))).stderr).toContain('LS-517');
    expect((await program(byBadge('284918'))).stderr).toContain('LS-518');
    expect((await program(byBadge())).stderr).toContain('LS-518');
    const listed = await expectDone(['badge', 'list', '--data', site.data, '--line', line.url]);
    expect(listed.stdout).toMatch(/locked +op-lee[^]*1 badges, 1 locked/);
    expect((await badge('unlock', 'op-lee', ...decision('typed in gloves'))).exit).toBe(0);
    expect((await program(byBadge())).exit).toBe(0);
  });

  it('is nobody once the badge is revoked', async () => {
    expect((await badge('revoke', BADGE, ...decision('left'))).exit).toBe(0);
    expect((await program(byBadge())).stderr).toContain('LS-517');
    expect((await badge('revoke', BADGE, ...decision('left'))).exit).toBe(1);
    expect((await expectDone(['badge', 'list', '--data', site.data, '--line', line.url])).stdout).toContain('0 badges');
  });
});

describe.skipIf(!hasCards)('an operator with a PIV card', () => {
  let readers: CardReaders;
  let card: VirtualCard;
  let serial = '';

  beforeAll(async () => {
    readers = await startCardReaders(1);
    Object.assign(process.env, readers.env);
    card = new VirtualCard({ serial: 11_000_201, pin: CARD_PIN, puk: '31415926' });
    await card.insert(readers.ports[0]!);
    const issued = issueCard(readers, 'card-of-olaf');
    addKey('olaf', 'operator', issued.publicKey.spki, 'hardware');
    const module = await openPkcs11Module(OPENSC);
    serial = module.tokens().find(({ identity }) => identity.label === 'card-of-olaf')?.identity.serial ?? '';
    module.close();
    await line.end('SIGTERM');
    line = await TestLine.start(site.data);
  });
  afterAll(async () => {
    await card.destroy();
    await readers.stop();
  });

  function reference(pin?: string): readonly string[] {
    const source = pin === undefined ? '' : `&pin-source=file:${pinFile(pin)}`;
    return [
      '--operator-key',
      `pkcs11:token=card-of-olaf;serial=${serial};object=SIGN%20key?module-path=${OPENSC}${source}`,
    ];
  }

  it('signs a session of the grade piv, with the PIN typed at the card', async () => {
    const { exit, stderr } = await program(reference(), { answers: [CARD_PIN, CARD_PIN] });
    expect(stderr).toContain('signed in at');
    expect(exit).toBe(0);
    await expect.poll(showLog, POLL).toContain('signed in by piv');
  });

  it('does not without the PIN, and not with the card pulled', async () => {
    expect((await program(reference('999999'))).exit).not.toBe(0);
    await card.pull();
    const { exit, stderr } = await program(reference(CARD_PIN));
    expect(exit).not.toBe(0);
    expect(stderr).not.toContain('signed in at');
    await card.insert(readers.ports[0]!);
    expect((await program(reference(CARD_PIN))).exit).toBe(0);
  });
});
