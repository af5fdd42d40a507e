// SPDX-License-Identifier: Apache-2.0
/** What insiders try in the scene, and the code each is refused with. Scenario numbers are those of the catalogue of attacks. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSampleImage } from '@witnessmark/device';
import { SOFTHSM_MODULE } from '../../service-hsm.ts';
import { OPENSC_MODULE } from './equipment.ts';
import { AUTHOR, SUPERVISOR } from './house.ts';
import { approval, digestOf, type Props } from './props.ts';
import { runToEnd } from '../stage.ts';

const SECOND = 'P-0002';
const PRIVATE_FILE = 0o600;

export async function showRefusals(props: Props): Promise<void> {
  props.stage.say('     what insiders try:');
  await approveWrongly(props);
  await bringInForbiddenThings(props);
  await misuseDebugBundle(props);
  await misuseKeys(props);
}

async function approveWrongly(props: Props): Promise<void> {
  const { stage, house, officers, data } = props;
  const [first, second] = officers;
  const image = house.path('image-2.bin');
  writeFileSync(image, buildSampleImage({ version: '1.1.0', securityCounter: 1, seed: 'scene of custody, second' }));
  await stage.run([
    ...['release', 'propose', '--data', data, '--image', image, '--release-version', '1.1.0', '--sealed'],
    ...['--key', house.keyFile(`author-${AUTHOR}`), '--builder', first.id, '--ticket', 'ECO-7740', '--reason', 'next'],
  ]);
  const confirm = await digestOf(stage, data, SECOND);
  const order = { house, data, promotion: SECOND };
  const author = ['release', 'approve', SECOND, '--data', data, '--key', house.keyFile(`author-${AUTHOR}`)];
  const said = ['--meaning', 'mine', '--ticket', 'ECO-7740'];
  await stage.refuse('A26', 'PL-105', 'the author approves the own release', [
    ...author,
    '--confirm',
    confirm,
    ...said,
  ]);
  await stage.refuse('A26', 'PL-119', 'the builder approves', approval({ ...order, officer: first, confirm }));
  const other = confirm === '0000' ? '1111' : '0000';
  await stage.refuse(
    'A29',
    'PL-109',
    'the screen shows another digest',
    approval({ ...order, officer: second, confirm: other }),
  );
  await stage.run(approval({ ...order, officer: second, confirm }));
  await misuseCards(props, approval({ ...order, officer: props.officers[2], confirm }));
  await stage.refuse('A27', 'PL-102', 'one person approves twice', approval({ ...order, officer: second, confirm }));
  const lower = [
    'trust',
    'propose',
    '--data',
    data,
    '--root-threshold',
    '1',
    '--ticket',
    'ECO-7741',
    '--reason',
    'holiday',
  ];
  const key = ['--key', house.cardReference(second, OPENSC_MODULE)];
  await stage.refuse('A33', 'PL-111', 'the threshold is lowered for the holiday', [...lower, ...key]);
  tamper(house.path('gate', 'promotions', SECOND));
  await stage.refuse('A30', 'PL-103', 'a byte changes after an approval', [
    'release',
    'review',
    SECOND,
    '--data',
    data,
  ]);
}

/** Flips one character of what was proposed. */
function tamper(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.bin')) continue;
    const bytes = readFileSync(join(folder, name));
    bytes.fill((bytes[4_000] ?? 0) ^ 1, 4_000, 4_001);
    writeFileSync(join(folder, name), bytes);
  }
}

/** `command` is what the officer of the third card would run. */
async function misuseCards({ stage, house, officers, equipment }: Props, command: readonly string[]): Promise<void> {
  const [, , third] = officers;
  const card = house.cardReference(third, OPENSC_MODULE);
  const withKey = (key: string): string[] => command.map((word) => (word === card ? key : word));
  const wrongPin = house.path('keys', 'wrong.pin');
  writeFileSync(wrongPin, '00000000\n', { mode: PRIVATE_FILE });
  const guessed = withKey(card.replace(/pin-source=.*$/, `pin-source=file:${wrongPin}`));
  await stage.refuse('A47', 'CU-105', 'a PIN is guessed', guessed);
  const written = withKey(card.replace('pin-source=', 'pin-value=1234&pin-source='));
  await stage.refuse('A47', 'CU-201', 'a PIN stands in a script', written);
  await equipment.pull(third.serial);
  await stage.refuse('A47', 'CU-104', 'the card is in a drawer', withKey(card));
  await equipment.insert(third.serial);
}

async function bringInForbiddenThings({ stage, house, data }: Props): Promise<void> {
  const supervisor = ['--key', house.keyFile(`supervisor-${SUPERVISOR}`)];
  const ingest = (path: string, to: string): string[] => [
    ...['media', 'ingest', path, '--data', data, '--medium', 'STICK-9', ...supervisor, '--record', 'office'],
    ...['--to', house.path('media', to), '--purpose', 'fixtures', '--ticket', 'INC-80'],
  ];
  const stick = house.path('media', 'forbidden');
  mkdirSync(stick, { recursive: true });
  copyFileSync(house.keyFile(`author-${AUTHOR}`), join(stick, 'signing.pem'));
  const list = house.path('media', 'announced.txt');
  writeFileSync(list, '');
  await stage.refuse('A38', 'BX-121', 'a private key comes in on a stick', ingest(stick, 'no-1'));
  writeFileSync(join(stick, 'signing.pem'), 'nothing secret');
  await stage.refuse('A38', 'BX-111', 'a file that nobody announced', ingest(stick, 'no-2'));
  const archive = house.path('media', 'climbs.tar');
  await runToEnd('tar', ['-cPf', archive, '-C', stick, '../../policy.json']);
  await stage.refuse('A38', 'BX-101', 'an archive that climbs out of its folder', ingest(archive, 'no-3'));
}

async function misuseDebugBundle({ stage, house, data }: Props): Promise<void> {
  const stranger = house.path('keys', 'stranger.age');
  await runToEnd('age-keygen', ['-o', stranger]);
  const sealed = findFiles(house.path('gate'), /\.age$/)[0] ?? '';
  const statements = findFiles(house.path('gate'), /\.statements\.json$/)[0] ?? '';
  const open = ['debug-bundle', 'open', sealed, '--statements', statements, '--data', data];
  const opened = house.path('media', 'opened');
  await stage.run([...open, '--identity', house.path('keys', 'eve.age'), '--to', opened]);
  await stage.refuse('A75', 'BX-142', 'the bundle is passed on to somebody else', [
    ...[...open, '--identity', stranger, '--to', house.path('media', 'stolen')],
  ]);
  const from = house.path('collected');
  copyFileSync(house.path('image.bin'), join(from, 'image.log'));
  const recipient = /age1[0-9a-z]+/.exec(readFileSync(house.path('keys', 'eve.age'), 'utf8'))?.[0] ?? '';
  await stage.refuse('A76', 'BX-124', 'the image hides in a debug bundle', [
    ...['debug-bundle', 'propose', '--data', data, '--from', from, '--recipient', `eve=${recipient}`],
    ...[
      '--image',
      house.path('image.bin'),
      '--key',
      house.keyFile(`author-${AUTHOR}`),
      '--purpose',
      'logs',
      '--ticket',
      'INC-81',
    ],
  ]);
}

function findFiles(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));
}

async function misuseKeys({ stage, house, equipment }: Props): Promise<void> {
  const line = JSON.parse(readFileSync(house.path('line.json'), 'utf8')) as object;
  const production = house.path('line-of-files.json');
  const evidenceKey = 'keys/evidence-office.pem';
  writeFileSync(
    production,
    JSON.stringify({ ...line, environment: 'production', evidenceKey, database: 'line/other.db' }),
  );
  await stage.refuse('A39', 'CU-202', 'production signs with a key in a file', [
    'line',
    'serve',
    '--config',
    production,
  ]);
  // The token of the rehearsal, which nobody guards any more.
  const login = ['--module', SOFTHSM_MODULE, '--token-label', 'spare-hsm', '--login', '--pin', 'user-pin-77e0d1'];
  const made = [
    '--keypairgen',
    '--key-type',
    'EC:prime256v1',
    '--label',
    'line-evidence',
    '--id',
    '11',
    '--extractable',
  ];
  await runToEnd('pkcs11-tool', [...login, ...made], { environment: equipment.environment });
  const { stdout } = await runToEnd('pkcs11-tool', ['--module', SOFTHSM_MODULE, '-L'], {
    environment: equipment.environment,
  });
  const serial = /spare-hsm[\s\S]*?serial num\s*:\s*(\S+)/.exec(stdout)?.[1] ?? '';
  const pin = house.path('custody', 'pin');
  const key = `pkcs11:token=spare-hsm;serial=${serial};object=line-evidence?module-path=${SOFTHSM_MODULE}&pin-source=file:${pin}`;
  await stage.refuse('A46', 'CU-121', 'a key that can be taken out of its token', [
    ...['keys', 'check', '--key', key, '--policy', 'line-evidence'],
  ]);
}
