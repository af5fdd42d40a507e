// SPDX-License-Identifier: Apache-2.0
/**
 * The scene of custody: keys born in tokens, a trust root made by three people, a release that two of them approve with
 * their cards, carried in on a stick, sealed; a unit, a debug bundle, an emergency – and every signature accounted for.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@witnessmark/core';
import { buildSampleImage } from '@witnessmark/device';
import type { CommandResult } from '../../command.ts';
import { EXIT, worstOf } from '../../exit-codes.ts';
import type { Session } from '../../session.ts';
import { DemoDirectory } from '../demo-directory.ts';
import { findFreePort } from '../free-port.ts';
import { Ceremonies } from './ceremonies.ts';
import { Equipment, OPENSC_MODULE } from './equipment.ts';
import { AUTHOR, House, OPERATOR, PLACE, SUPERVISOR, TICKET, type HsmToken, type Officer } from './house.ts';
import { approval, digestOf, type Props } from './props.ts';
import { Serving } from '../serving.ts';
import { runToEnd, Stage } from '../stage.ts';
import { showRefusals } from './refusals.ts';

const OFFICERS: readonly [Officer, Officer, Officer] = [
  { id: 's.kim', role: 'release', serial: '11000001', pin: '27182818' },
  { id: 'l.meyer', role: 'security', serial: '11000002', pin: '31415926' },
  { id: 'd.okafor', role: 'quality', serial: '11000003', pin: '14142135' },
];
/** Spare cards, for the rehearsal. */
const SPARES: readonly Officer[] = OFFICERS.map((officer, index) => ({ ...officer, serial: `1100000${index + 7}` }));
const PUK_KEEPER = 'o.berg';
const PUK = '60221407';
const HSM_PEOPLE = ['n.lee', PUK_KEEPER];
const HSM_SECRETS = { officer: 'so-pin-4f19c2aa', user: 'user-pin-77e0d1' };
const RECIPIENT = 'eve';

export async function runCustodyScene(session: Session, data: string): Promise<CommandResult> {
  const directory = DemoDirectory.claim(data);
  const startedMs = session.clock.monotonic();
  const equipment = await Equipment.prepare(
    makeFolder(directory.path, 'tokens'),
    [...OFFICERS, ...SPARES].map(({ serial }) => serial),
  );
  const running: Serving[] = [];
  const stage = new Stage(session, equipment.environment);
  try {
    stage.say(`witnessmark demo ${session.version}, scene custody: everything stays in ${data}`);
    await play({ session, stage, equipment, directory, running });
  } finally {
    for (const process of running.toReversed()) await process.stop();
    await equipment.putAway();
  }
  const refused = stage.rows.filter((row) => row.refused).length;
  const seconds = ((session.clock.monotonic() - startedMs) / 1000).toFixed(1);
  writeFileSync(
    join(directory.path, 'report.json'),
    `${JSON.stringify({ scene: 'custody', rows: stage.rows }, null, 2)}\n`,
  );
  session.output.verdict(
    `${stage.commands} commands, ${refused} of ${stage.rows.length} attacks refused with their code, ${seconds} s`,
  );
  const exit = worstOf(stage.rows.map((row) => (row.refused ? EXIT.yes : EXIT.no)));
  return { exit, document: { data: directory.path, commands: stage.commands, rows: stage.rows } };
}

interface Scene {
  readonly session: Session;
  readonly stage: Stage;
  readonly equipment: Equipment;
  readonly directory: DemoDirectory;
  readonly running: Serving[];
}

async function play(scene: Scene): Promise<void> {
  const { session, stage, equipment, directory, running } = scene;
  const at = (...names: readonly string[]): string => join(directory.path, ...names);
  await rehearse(scene);
  const { ceremonies, officeHsm, lineHsm } = await makeKeys(scene);
  const port = await findFreePort(0);
  const registry = at('keys', 'registry.json');
  const house = new House({ directory: directory.path, registry, officers: OFFICERS, officeHsm, lineHsm, port });

  stage.say('  4  trust root: three people, two of three');
  const trustedRoot = house.drawUpTrustedRoot(session.clock.now());
  await ceremonies.hold(trustRootOccasion('trust-root', OFFICERS, officeHsm, trustedRoot));
  house.furnish(trustedRoot);
  for (const folder of ['office-custody', 'custody']) {
    running.push(
      await Serving.start(['custody', 'serve', '--custody', at(folder, 'custody.json')], equipment.environment),
    );
  }
  const props: Props = { session, stage, house, equipment, officers: OFFICERS, data: directory.path };
  await promote(props);
  await carryIn(props);
  running.push(await Serving.start(['line', 'serve', '--data', directory.path], equipment.environment));
  await makeUnit(props, session);
  await shareDebugBundle(props);
  await breakGlass(props);
  await showRefusals(props);
  await account(props, running);
}

/** The whole ceremony once before, with spare cards; its keys are marked and no real root takes them. */
async function rehearse({ stage, equipment, directory }: Scene): Promise<void> {
  const place = makeFolder(directory.path, 'rehearsal');
  stage.say('  1  rehearsal, with spare cards: an HSM, three cards, a trust root');
  const ceremonies = new Ceremonies({
    stage,
    equipment,
    directory: join(place, 'ceremonies'),
    registry: join(place, 'registry.json'),
    repository: join(place, 'trust'),
    keys: join(place, 'keys'),
  });
  const hsm = await initialiseHsm(ceremonies, 'rehearsal-hsm', 'hsm-initialisation-office', 'spare-hsm');
  for (const spare of SPARES) await ceremonies.hold(issueOccasion(`rehearsal-card-${spare.serial}`, spare));
  const document = {
    name: 'rehearsal',
    version: 1,
    logs: [],
    witnesses: [],
    keys: [],
    certificateAuthorities: [],
    revocations: [],
  };
  const mediaType = 'application/vnd.witnessmark.trusted-root.v1+json';
  const trustedRoot = new TextEncoder().encode(JSON.stringify({ mediaType, ...document }));
  await ceremonies.hold(trustRootOccasion('rehearsal-trust-root', SPARES, hsm, trustedRoot));
}

interface MadeKeys {
  readonly ceremonies: Ceremonies;
  readonly officeHsm: HsmToken;
  readonly lineHsm: HsmToken;
}

async function makeKeys({ stage, equipment, directory }: Scene): Promise<MadeKeys> {
  const at = (...names: readonly string[]): string => join(directory.path, ...names);
  const ceremonies = new Ceremonies({
    stage,
    equipment,
    directory: at('ceremonies'),
    registry: at('keys', 'registry.json'),
    repository: at('trust'),
    keys: at('keys'),
  });
  stage.say('  2  service HSM of office and line: keys born inside, attributes read back');
  const officeHsm = await initialiseHsm(ceremonies, 'office-hsm', 'hsm-initialisation-office', 'office-hsm');
  const lineHsm = await initialiseHsm(ceremonies, 'line-hsm', 'hsm-initialisation-line', 'line-hsm');
  stage.say('  3  three cards: a key born in each, attested by the vendor, PIN and PUK by different people');
  for (const officer of OFFICERS) await ceremonies.hold(issueOccasion(`card-${officer.serial}`, officer));
  return { ceremonies, officeHsm, lineHsm };
}

async function initialiseHsm(ceremonies: Ceremonies, id: string, script: string, label: string): Promise<HsmToken> {
  const { officer, user } = HSM_SECRETS;
  const signing = ['release-online', 'release-effectivity', 'line-evidence', 'log-checkpoint', 'line-unsealing'];
  const held = await ceremonies.hold({
    id,
    script,
    holders: HSM_PEOPLE,
    equipment: [['service-hsm', label, 'HSM-0042']],
    secrets: {
      'initialise/so-pin': officer,
      'set-user-pin/so-pin': officer,
      'set-user-pin/user-pin': user,
      'read-back/pin': user,
      ...Object.fromEntries(signing.map((policy) => [`make-${policy}/pin`, user])),
    },
  });
  return { label, serial: held.fact('initialise', 'token serial'), pin: user };
}

function issueOccasion(id: string, { id: holder, serial, pin }: Officer): Parameters<Ceremonies['hold']>[0] {
  return {
    id,
    script: 'card-issue-root',
    holders: [holder, PUK_KEEPER],
    equipment: [['card', holder, serial]],
    secrets: { 'change-secrets/pin': pin, 'change-secrets/puk': PUK, 'make-key/pin': pin, 'enrol/pin': pin },
  };
}

function trustRootOccasion(
  id: string,
  holders: readonly Officer[],
  hsm: HsmToken,
  trustedRoot: Uint8Array,
): Parameters<Ceremonies['hold']>[0] {
  const cards = holders.map(({ id: holder, serial }, index) => [`card-${index + 1}`, holder, serial] as const);
  return {
    id,
    script: 'trust-root',
    holders: holders.map((officer) => officer.id),
    equipment: [...cards, ['service-hsm', hsm.label, hsm.serial]],
    inputs: { 'trusted-root': sha256Hex(trustedRoot) },
    secrets: {
      ...Object.fromEntries(holders.map(({ pin }, index) => [`sign-${index + 1}/pin`, pin])),
      'publish/pin': hsm.pin,
    },
    workFiles: { 'trusted-root.json': trustedRoot },
  };
}

async function promote({ stage, house, officers, data }: Props): Promise<void> {
  stage.say('  5  release: proposed by its author, approved with two cards, published sealed to the line');
  const image = house.path('image.bin');
  writeFileSync(image, buildSampleImage({ version: '1.0.0', securityCounter: 1, seed: 'scene of custody' }));
  await stage.run([
    ...['release', 'propose', '--data', data, '--image', image, '--release-version', '1.0.0', '--sealed'],
    ...[
      '--key',
      house.keyFile(`author-${AUTHOR}`),
      '--builder',
      'b.build',
      '--ticket',
      TICKET,
      '--reason',
      'first release',
    ],
  ]);
  await stage.run(['release', 'review', 'P-0001', '--data', data]);
  for (const officer of officers.slice(0, 2)) {
    await stage.run(['release', 'status', 'P-0001', '--data', data], { exit: EXIT.waiting });
    await stage.run(approval({ house, officer, data, confirm: await digestOf(stage, data, 'P-0001') }));
  }
  await stage.run(['release', 'status', 'P-0001', '--data', data]);
}

async function carryIn({ stage, house, data }: Props): Promise<void> {
  stage.say('  6  across the boundary: mirrored to a stick, taken in, everything on it announced');
  await stage.run(['release', 'mirror', '--data', data, '--to', house.path('media', 'stick', 'release')]);
  await stage.run([
    ...[
      'media',
      'ingest',
      house.path('media', 'stick'),
      '--data',
      data,
      '--repository',
      'release',
      '--record',
      'office',
    ],
    ...[
      '--medium',
      'STICK-7',
      '--key',
      house.keyFile(`supervisor-${SUPERVISOR}`),
      '--to',
      house.path('media', 'inside'),
    ],
    ...['--purpose', 'release 1.0.0', '--ticket', TICKET],
  ]);
}

async function makeUnit({ stage, house, data }: Props, session: Session): Promise<void> {
  stage.say('  7  a unit: unsealed for it, programmed, locked, verified offline');
  mkdirSync(house.path('devices'), { recursive: true });
  const device = `simulated:${house.path('devices', 'board.chip')},uid=d2651c0b1f3a7701`;
  const label = (await stage.run(['station', 'label', '--data', data, '--device', device])).stdout.trim();
  await stage.run([
    ...['station', 'program', '--data', data, '--device', device, '--label', label],
    ...['--operator-key', house.keyFile(`operator-${OPERATOR}`)],
  ]);
  const evidence = house.path('evidence', `${label}.evidence.json`);
  const verified = await stage.run(verification(house, evidence, 'policy.json'));
  session.output.data(`     ${verified.stdout.trim().split('\n').at(-1) ?? ''}`);
  // A simulated device at a station whose key is a file: nothing production takes.
  await stage.run(verification(house, evidence, 'policy-production.json'), { exit: EXIT.no });
}

function verification(house: House, evidence: string, policy: string): string[] {
  return ['verify', evidence, '--trust', house.path('trusted-root.json'), '--policy', house.path(policy)];
}

async function shareDebugBundle({ stage, house, officers, data }: Props): Promise<void> {
  stage.say('  8  a debug bundle for one recipient: two approvals, sealed, opened by nobody else');
  const from = makeFolder(data, 'collected');
  writeFileSync(join(from, 'verify.log'), 'checks: 27 pass\n');
  const age = await runToEnd('age-keygen', ['-o', house.path('keys', `${RECIPIENT}.age`)]);
  const recipient = /age1[0-9a-z]+/.exec(`${age.stdout}${age.stderr}`)?.[0] ?? '';
  const key = house.keyFile(`author-${AUTHOR}`);
  await stage.run([
    ...['debug-bundle', 'propose', '--data', data, '--from', from, '--recipient', `${RECIPIENT}=${recipient}`],
    ...['--key', key, '--purpose', 'why verification failed', '--ticket', 'INC-77'],
  ]);
  const status = await stage.attempt(['debug-bundle', 'status', 'DB-0001', '--data', data, '--json']);
  const confirm = /"(?:proposalDigest|digest)":\s*"([0-9a-f]{4})/.exec(status.stdout)?.[1] ?? '';
  for (const officer of officers.slice(0, 2)) {
    await stage.run([
      ...['debug-bundle', 'approve', 'DB-0001', '--data', data, '--key', house.cardReference(officer, OPENSC_MODULE)],
      ...['--confirm', confirm, '--meaning', 'needed for INC-77', '--ticket', 'INC-77'],
    ]);
  }
  await stage.run(['debug-bundle', 'seal', 'DB-0001', '--data', data, '--from', from, '--key', key]);
}

async function breakGlass({ stage, house, officers, data }: Props): Promise<void> {
  stage.say('  9  break-glass: opened by two people for minutes, resealed, reviewed');
  const supervisor = house.keyFile(`supervisor-${SUPERVISOR}`);
  const [first, reviewer] = officers;
  const card = house.cardReference(first, OPENSC_MODULE);
  const opening = house.path('opening.json');
  await stage.run(
    [
      ...['break-glass', 'open', '--data', data, '--key', supervisor, '--second', first.id, '--scope', 'attemptLimit'],
      ...['--minutes', '10', '--reason', 'forty boards wait in the oven', '--ticket', 'INC-12', '--out', opening],
    ],
    { exit: EXIT.waiting },
  );
  const confirm = sha256Hex(
    Buffer.from((JSON.parse(readFileSync(opening, 'utf8')) as { payload: string }).payload, 'base64'),
  );
  await stage.run(['break-glass', 'open', opening, '--data', data, '--key', card, '--confirm', confirm.slice(0, 4)]);
  await stage.run(['break-glass', 'reseal', '--data', data, '--key', supervisor, '--done', 'the oven was emptied']);
  const verdict = ['--verdict', 'justified', '--findings', 'one board, marked'];
  const review = ['break-glass', 'review', '--data', data, ...verdict, '--key'];
  await stage.refuse('A9', 'BG-107', 'who broke the glass reviews it', [...review, card]);
  await stage.run([...review, house.cardReference(reviewer, OPENSC_MODULE)]);
}

/** Everything published, every signature explained. */
async function account({ stage, house, data }: Props, running: Serving[]): Promise<void> {
  stage.say(' 10  every signature accounted for, every unsealing, both logs checked');
  await running.pop()?.stop();
  await stage.run(['log', 'fsck', '--data', data]);
  await stage.run(['log', 'unsealings', '--data', data]);
  await stage.run(['media', 'ledger', '--data', data]);
  for (const folder of ['custody', 'office-custody']) {
    await stage.run(['keys', 'check', '--custody', house.path(folder, 'custody.json')]);
  }
  await stage.run([
    'keys',
    'reconcile',
    '--data',
    data,
    '--custody',
    house.path('custody', 'custody.json'),
    '--recent',
    '0',
  ]);
  stage.say(`     ${PLACE.line}: signatures, entries and units balance`);
}

function makeFolder(...names: readonly string[]): string {
  const folder = join(...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}
