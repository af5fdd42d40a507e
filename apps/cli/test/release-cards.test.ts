// SPDX-License-Identifier: Apache-2.0
/**
 * A release approved with PIV cards, by the real program at a terminal: the officers' keys are born in their cards, enrolled
 * with the vendor's attestation, and used by the very commands that `release status` prints.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { parseEnvelope, preAuthEncoding } from '@witnessmark/core';
import { openPkcs11Module } from '@witnessmark/custody';
import { hasCardReaders, startCardReaders, VirtualCard, type CardReaders } from '@witnessmark/piv-card';
import { readRelease, TrustClient, TRUSTED_ROOT_PATH, verifyRelease } from '@witnessmark/trust';
import { issueCard, type IssuedCard } from '../../../packages/custody/test/support/issue-card.ts';
import { hasPkcs11js } from '../../../packages/custody/test/support/soft-hsm.ts';
import { hasProgram } from './programs.ts';
import { OnTerminal } from './pseudo-terminal.ts';
import { run } from './run.ts';
import { expectDone, TestSite } from './site.ts';

const OPENSC = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const PIN = '271828';
const OFFICERS = ['ada', 'bea', 'cora'] as const;
type Officer = (typeof OFFICERS)[number];
const canRun = hasCardReaders() && hasPkcs11js() && ['yubico-piv-tool', 'openssl', 'script'].every(hasProgram);

interface Card {
  readonly card: VirtualCard;
  readonly issued: IssuedCard;
  /** As PKCS#11 shows it. */
  readonly serial: string;
}

let site: TestSite;
let readers: CardReaders;
const cards = new Map<Officer, Card>();

function held(officer: Officer): Card {
  const found = cards.get(officer);
  if (found === undefined) throw new RangeError(`no card of ${officer}`);
  return found;
}

function reference(officer: Officer, pinFile?: string): string {
  const source = pinFile === undefined ? '' : `&pin-source=file:${pinFile}`;
  const { serial } = held(officer);
  return `pkcs11:token=officer-${officer};serial=${serial};object=SIGN%20key?module-path=${OPENSC}${source}`;
}

/** Who is at the terminal, with which PIN; the digest is read from the screen. */
async function approve(officer: Officer, pin: string = PIN): Promise<{ exit: number; seen: string; pins: number }> {
  const status = await run(['release', 'status', 'P-0001', '--data', site.data]);
  const command = new RegExp(`${officer} \\(.*\\n +witnessmark (.*)$`, 'm').exec(status.stdout)?.[1] ?? '';
  const argv = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  return converse(argv, pin);
}

async function converse(argv: readonly string[], pin: string): Promise<{ exit: number; seen: string; pins: number }> {
  const terminal = new OnTerminal(argv);
  let pins = 0;
  await terminal.answer((question, seen) => {
    if (question.includes('PIN')) {
      pins += 1;
      return pin;
    }
    if (question.includes('first four characters')) return /sha256:([0-9a-f]{4})/.exec(seen)?.[1] ?? '';
    return question.includes('Ticket') ? 'ECO-7731' : 'lab green, ECO reviewed';
  });
  return { exit: await terminal.exit, seen: terminal.seen, pins };
}

/** Only this card is in a reader. */
async function insertOnly(officer: Officer): Promise<void> {
  for (const { card } of cards.values()) if ((await card.status()).isInserted) await card.pull();
  await held(officer).card.insert(readers.ports[0]!);
}

async function stateOf(promotion: string): Promise<{ state: string; decisions: { person: string }[] }> {
  const { stdout } = await run(['release', 'status', promotion, '--data', site.data, '--json']);
  return (JSON.parse(stdout) as { promotions: [{ state: string; decisions: { person: string }[] }] }).promotions[0];
}

describe.skipIf(!canRun)('a release and two of three cards', () => {
  beforeAll(async () => {
    site = await TestSite.make();
    readers = await startCardReaders(2);
    Object.assign(process.env, readers.env);
    const module = await openPkcs11Module(OPENSC);
    for (const [index, officer] of OFFICERS.entries()) {
      const card = new VirtualCard({ serial: 11_000_101 + index, pin: PIN, puk: '31415926' });
      await card.insert(readers.ports[0]!);
      const issued = issueCard(readers, `officer-${officer}`);
      const found = module.tokens().find(({ identity }) => identity.label === `officer-${officer}`);
      cards.set(officer, { card, issued, serial: found?.identity.serial ?? '' });
      await card.pull();
    }
    module.close();
    await enrolOfficers();
    await expectDone(site.propose('1.0.0', '--builder', 'ci-7'));
  });

  afterAll(async () => {
    await Promise.all([...cards.values()].map(({ card }) => card.destroy()));
    await readers.stop();
    site.remove();
  });

  /** A trust change by the holders of software keys brings the cards in, each with its vendor's word. */
  async function enrolOfficers(): Promise<void> {
    const pin = site.path('pin');
    writeFileSync(pin, `${PIN}\n`, { mode: 0o600 });
    const roots: string[] = [];
    const enrolments: string[] = [];
    for (const [index, officer] of OFFICERS.entries()) {
      const { card, issued } = held(officer);
      const file = (name: string, bytes: Uint8Array): string => {
        const path = site.path(`${officer}-${name}.der`);
        writeFileSync(path, bytes);
        return path;
      };
      roots.push(file('root', (await card.status()).root));
      await insertOnly(officer);
      const role = ['--owner', officer, '--role', 'approver', '--scope', 'security'];
      const uses = ['--use', 'root', '--use', 'targets'];
      const attested = ['--grade', 'vendorAttested', '--card-serial', String(11_000_101 + index)];
      const chain = ['--certificate', file('leaf', issued.leaf), '--certificate', file('f9', issued.intermediate)];
      const out = ['--out', site.path(`${officer}.json`)];
      await expectDone([
        'trust',
        'enrol',
        '--key',
        reference(officer, pin),
        ...role,
        ...uses,
        ...attested,
        ...chain,
        ...out,
      ]);
      enrolments.push('--enrol', site.path(`${officer}.json`));
    }
    const path = join(site.data, 'office.json');
    const office = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...office, attestationRoots: roots }));
    const why = ['--ticket', 'SEC-1', '--reason', 'cards for the officers'];
    await expectDone([
      'trust',
      'propose',
      '--data',
      site.data,
      '--key',
      site.key('author-alex'),
      ...enrolments,
      ...why,
    ]);
    for (const person of ['anna', 'ben']) {
      const { stdout } = await expectDone(['trust', 'review', 'T-0001', '--data', site.data]);
      const typed = /--confirm ([0-9a-f]{4})$/m.exec(stdout)?.[1] ?? '';
      const keys = ['--key', site.key(`approver-${person}`), '--root-key', site.key(`root-${person}`)];
      const words = ['--confirm', typed, '--meaning', 'compared with the cards', '--ticket', 'SEC-1'];
      await expectDone(['trust', 'sign', 'T-0001', '--data', site.data, ...keys, ...words]);
    }
    await expectDone(['trust', 'publish', 'T-0001', '--data', site.data]);
  }

  it('A34 the cards are trusted with the grade that their vendor vouches for', async () => {
    const { stdout } = await run(['trust', 'show', '--data', site.data]);
    for (const officer of OFFICERS) {
      expect(stdout).toMatch(
        new RegExp(`approver .* ${officer} \\(security\\); hardware, vendorAttested, token "officer-${officer}"`),
      );
    }
  });

  it('another card in the reader: both are named, no PIN is asked for, no try is spent', async () => {
    await insertOnly('bea');
    const { exit, seen, pins } = await approve('ada');
    expect({ exit, pins }).toEqual({ exit: 6, pins: 0 });
    expect(seen).toContain(
      `Card expected: "officer-ada" (serial ${held('ada').serial}); enrolled for ada (approver, security).`,
    );
    expect(seen).toContain('CU-104');
    expect(seen).toContain('waits for a touch when it blinks');
    expect(seen).toContain('found "officer-bea"');
    expect((await held('bea').card.status()).pinTries).toBe(3);
  });

  it('a card pulled in the middle of a signature leaves nothing behind', async () => {
    await insertOnly('ada');
    await held('ada').card.pullAtSignature();
    const { exit, seen } = await approve('ada');
    expect(exit).toBe(6);
    expect(seen).toContain('CU-103');
    expect(await stateOf('P-0001')).toMatchObject({ state: 'waiting', decisions: [] });
  });

  it('a card that is not touched signs nothing', async () => {
    await insertOnly('ada');
    await held('ada').card.setTouched(false);
    const { exit, seen } = await approve('ada');
    await held('ada').card.setTouched(true);
    expect(exit).toBe(6);
    expect(seen).toContain('CU-114');
    expect(await stateOf('P-0001')).toMatchObject({ state: 'waiting', decisions: [] });
  });

  it('the first officer approves; the third is missing, and the status says so with exit 5', async () => {
    await insertOnly('ada');
    const { exit, seen, pins } = await approve('ada');
    expect(seen).toContain('1 of 2 people approved');
    // To log in, for the approval, for the metadata; none of it is shown.
    expect({ exit, pins }).toEqual({ exit: 0, pins: 3 });
    expect(seen).not.toContain(PIN);
    const status = await run(['release', 'status', '--data', site.data]);
    expect(status.exit).toBe(5);
    expect(status.stdout).toMatch(/approve {4}ada \(security\) at .*, key vendorAttested/);
    expect(status.stdout).toContain(`--key '${reference('cora')}'`);
    expect(status.stdout).not.toContain(`--key '${reference('ada')}'`);
  });

  it('A28 the same card again is refused, and so is its key under another name', async () => {
    await insertOnly('ada');
    const review = await expectDone(['release', 'review', 'P-0001', '--data', site.data, '--json']);
    const { review: read } = JSON.parse(review.stdout) as { review: { candidateDigest: string } };
    const words = ['--confirm', read.candidateDigest.slice(0, 4), '--meaning', 'again', '--ticket', 'T-1'];
    const key = ['--key', reference('ada', site.path('pin'))];
    const again = await run(['release', 'approve', 'P-0001', '--data', site.data, ...key, ...words]);
    expect(again).toMatchObject({ exit: 4, stderr: expect.stringContaining('PL-102') as string });
    const out = ['--out', site.path('again.json')];
    await expectDone(['trust', 'enrol', ...key, '--owner', 'ada-2', '--role', 'approver', ...out]);
    const why = ['--ticket', 'SEC-2', '--reason', 'for the holiday', '--enrol', site.path('again.json')];
    const enrolled = await run(['trust', 'propose', '--data', site.data, '--key', site.key('author-alex'), ...why]);
    expect(enrolled).toMatchObject({ exit: 4, stderr: expect.stringContaining('CU-145') as string });
  });

  it('A47 three wrong PINs lock a card; the right one is then not even asked for', async () => {
    await insertOnly('cora');
    const codes: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { exit, seen } = await approve('cora', '000000');
      expect(exit).toBe(4);
      codes.push(/CU-\d+/.exec(seen)?.[0] ?? '');
    }
    expect(codes).toEqual(['CU-105', 'CU-105', 'CU-106']);
    const { exit, seen, pins } = await approve('cora');
    expect({ exit, pins }).toEqual({ exit: 4, pins: 0 });
    expect(seen).toContain('CU-106');
    expect(await stateOf('P-0001')).toMatchObject({ decisions: [{ person: 'ada' }] });
  });

  it('the second officer approves, and it is published: openssl verifies what the card signed', async () => {
    await insertOnly('bea');
    const { exit, seen } = await approve('bea');
    expect(seen).toContain('P-0001 is promoted and published');
    expect(exit).toBe(0);
    const client = new TrustClient({
      metadataDir: site.path('client'),
      repositoryDir: join(site.data, 'trust'),
      initialRoot: readFileSync(join(site.data, 'trust-root.json')),
    });
    await client.update(Date.now());
    const keys = toTrustedKeys(parseTrustedRoot(await client.readTarget(TRUSTED_ROOT_PATH)));
    const release = await readRelease(client, 'GW-210-1.0.0');
    expect(() => verifyRelease(release, keys, { threshold: 2, requiredRoles: ['security'] })).not.toThrow();
    const { payloadType, payload, signatures } = parseEnvelope(
      await client.readTarget('attestations/GW-210-1.0.0.approval-2.dsse.json'),
    );
    const [message, signature, key] = ['message', 'signature', 'bea.pub.pem'].map((name) => site.path(name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(message, preAuthEncoding(payloadType, payload));
    writeFileSync(signature, signatures[0]!.sig);
    const spki = Buffer.from(held('bea').issued.publicKey.spki).toString('base64');
    writeFileSync(key, `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
    const verified = execFileSync('openssl', ['dgst', '-sha256', '-verify', key, '-signature', signature, message], {
      encoding: 'utf8',
    });
    expect(verified).toContain('Verified OK');
  });
});
