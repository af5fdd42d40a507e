// SPDX-License-Identifier: Apache-2.0
/**
 * A new station, set up from a work sheet: who it is, where its line lives, which root it starts from (compared with paper,
 * never believed at first sight), and keys that are made where they stay.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import { demandProtection, parsePaperFingerprint } from '@witnessmark/enrolment';
import { TrustClient, TRUSTED_ROOT_PATH } from '@witnessmark/trust';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { stationInitOptions } from '../options/station-identity.ts';
import { stationConfigSchema, type StationConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { ensureKey, type MadeKey } from '../identity/key-making.ts';
import { answerOf, type Session } from '../session.ts';

/** Two people approve a release, as everywhere; a site that asks for more says so in the file. */
const APPROVALS: StationConfig['approvals'] = { threshold: 2, requiredRoles: [] };
const FIRST_ROOT = join('metadata', '1.root.json');
/** Firmware and its settings, and what is measured by the boot loader (TCG PC Client Platform Firmware Profile, table 1). */
const TPM_REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7];

/** What an earlier attempt may have left: the configuration is written last. */
const UNFINISHED = ['keys', 'trust-memory', 'trust-root.json', 'trusted-root.json'];

type Options = OptionValues<typeof stationInitOptions>;

export async function stationInit({
  options,
  session,
}: CommandInput<typeof stationInitOptions>): Promise<CommandResult> {
  const directory = demandEmpty(options.data);
  const values = await askValues(options, session);
  const root = await readRoot(options, session);
  mkdirSync(directory.keys, { recursive: true, mode: 0o700 });
  const trustedRoot = await readTrustedRoot(root, directory, session);
  writeFile(directory.pinnedRoot, root.bytes);
  writeFile(directory.trustedRoot, trustedRoot);
  const pathOf = (path: string): string => resolve(directory.path, path);
  const { stationKey, identity } = values;
  const keys: [string, MadeKey][] = [['station key', await ensureKey(stationKey, 'station', pathOf, session)]];
  if (identity?.connectionKey !== undefined) {
    const made = await ensureKey(identity.connectionKey, 'station-connection', pathOf, session);
    keys.push(['connection key', made]);
  }
  // Last, so that a station that is configured has everything its configuration names.
  writeFile(directory.stationConfig, Buffer.from(`${JSON.stringify(values, null, 2)}\n`), 0o640);
  const { output } = session;
  output.data(`Made ${directory.stationConfig} for ${values.station} of ${values.line}, ${values.plant}`);
  output.data(`  trust root  sha256:${root.digest}, compared with the work sheet`);
  for (const [name, { publicKey, isNew, place }] of keys) {
    output.data(`  ${name.padEnd(14)}  ${publicKey.keyid}, ${isNew ? 'made' : 'found'} in ${place}`);
  }
  output.verdict(`next: witnessmark station enroll --data ${options.data}      then      witnessmark doctor`);
  const keyids = keys.map(([name, { publicKey, isNew }]) => ({ name, keyid: publicKey.keyid, isNew }));
  return { exit: EXIT.yes, document: { config: directory.stationConfig, rootDigest: root.digest, keys: keyids } };
}

function demandEmpty(data: string): DataDirectory {
  mkdirSync(data, { recursive: true });
  const found = readdirSync(data).filter((name) => !name.startsWith('.') && !UNFINISHED.includes(name));
  if (found.length === 0) return new DataDirectory(data);
  throw new CliError('ERR_CLI_DATA_DIRECTORY', `${data} is not empty: it holds ${found.slice(0, 3).join(', ')}`);
}

async function askValues(options: Options, session: Session): Promise<StationConfig> {
  const ask = (given: string | undefined, flag: string, text: string): Promise<string> =>
    answerOf(session, given, { flag, text });
  const station = await ask(options.station, '--station', 'What is this station called? (e.g. ST-07)');
  const line = await ask(options.line, '--line', 'Which line does it belong to? (e.g. L3)');
  const plant = await ask(options.plant, '--plant', 'Which plant? (e.g. PEN)');
  const lineUrl = await ask(
    options.lineUrl,
    '--line-url',
    'Where does the line server live? (e.g. https://10.2.0.5:7443)',
  );
  const isProtected = lineUrl.startsWith('https:');
  if (!URL.canParse(lineUrl)) throw usageError('--line-url takes a URL');
  demandProtection(new URL(lineUrl).hostname, isProtected);
  const stationKey = await ask(
    options.stationKey,
    '--station-key',
    'Where is the key of its statements? (a pkcs11: reference, or keys/station.pem for a trial)',
  );
  const connectionKey = !isProtected
    ? undefined
    : await ask(
        options.connectionKey,
        '--connection-key',
        'Where is the key of its connections? (beside the other one, or keys/connection.pem for a trial)',
      );
  const sku = await ask(options.sku, '--sku', 'Which product is made? (its SKU)');
  const hwVersion = await ask(options.hwVersion, '--hw-version', 'Which hardware version?');
  const tpm = options.tpmKey === undefined ? {} : { tpm: tpmOf(options, options.tpmKey) };
  const values = {
    mediaType: 'application/vnd.witnessmark.station-config.v1+json',
    station,
    line,
    plant,
    lineUrl,
    stationKey,
    identity: { directory: 'identity', ...(connectionKey !== undefined && { connectionKey }), ...tpm },
    ...(options.production && { environment: 'production' }),
    directory: 'station',
    evidence: 'evidence',
    trustedRoot: 'trusted-root.json',
    trust: { root: 'trust-root.json', memory: 'trust-memory', cache: 'cache', repository: null },
    approvals: APPROVALS,
    job: { sku, hwVersion, workOrder: null, lot: null },
  };
  const checked = stationConfigSchema.safeParse(values);
  if (checked.success) return checked.data;
  const wrong = checked.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw usageError(`the answers cannot be used; look at ${wrong}`);
}

function tpmOf(options: Options, attestationKey: string): NonNullable<NonNullable<StationConfig['identity']>['tpm']> {
  const { tpmEndorsementKey: endorsementKey, tpmTcti: tcti } = options;
  return {
    attestationKey,
    registers: TPM_REGISTERS,
    ...(endorsementKey !== undefined && { endorsementKey }),
    ...(tcti !== undefined && { tcti }),
  };
}

interface ComparedRoot {
  readonly repository: string;
  readonly bytes: Bytes;
  readonly digest: string;
}

/** Throws ID-125 for another root than the one on paper. */
async function readRoot(options: Options, session: Session): Promise<ComparedRoot> {
  const repository = await answerOf(session, options.repository, {
    flag: '--repository',
    text: 'Where is the copy of the trust repository?',
  });
  const path = join(repository, FIRST_ROOT);
  if (!existsSync(path)) throw usageError(`--repository names a folder without ${FIRST_ROOT}`);
  const typed = await answerOf(session, options.rootFingerprint, {
    flag: '--root-fingerprint',
    text: 'Fingerprint of the trust root, from the work sheet:',
  });
  const bytes = readFile(path, DOCUMENT_BYTES);
  const digest = sha256Hex(bytes);
  const expected = parsePaperFingerprint(typed.replace(/^sha256:/, ''));
  if (digest === expected) return { repository, bytes, digest };
  throw new RefusedError('ID-125', `the paper says ${expected.slice(0, 8)}…, the root is ${digest.slice(0, 8)}…`);
}

/** Followed from the first root to the present one, as every update does. */
async function readTrustedRoot(root: ComparedRoot, directory: DataDirectory, session: Session): Promise<Bytes> {
  const client = new TrustClient({
    metadataDir: join(directory.path, 'trust-memory'),
    initialRoot: root.bytes,
    repositoryDir: root.repository,
  });
  await client.update(session.clock.now());
  return client.readTarget(TRUSTED_ROOT_PATH);
}
