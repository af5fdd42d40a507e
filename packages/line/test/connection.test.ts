// SPDX-License-Identifier: Apache-2.0
/** Stations behind TLS: who may say what over which connection. Clients we did not write: curl and openssl. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeUtf8, formatInstant, fromEnvelope, type Bytes, type Envelope, type Instant } from '@witnessmark/core';
import { stationEnrolment, type OperatorSession, type StationEnrolment } from '@witnessmark/attestation';
import { HttpLineService, type Problem } from '@witnessmark/api';
import { generateSoftwareKey, type SoftwareKey } from '@witnessmark/custody';
import {
  formatCertificatePem,
  issueCertificate,
  openLineTransport,
  type CertificateProfile,
  type LineTransport,
} from '@witnessmark/enrolment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLineServer, type LineServer, type LineTls } from '../src/index.ts';
import { CAST, PLACE, START } from './support/cast.ts';
import type { Signed } from './support/signed.ts';
import { toDevice, World } from './support/world.ts';

const hasCurl = spawnSync('curl', ['--version']).error === undefined;
const hasOpenSsl = spawnSync('openssl', ['version']).error === undefined;
const run = promisify(execFile);

/** The line judges by its own clock; foreign clients judge the line's certificate by theirs. */
const LONG = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2049, 0, 1) };
const AUTHORITY = { organizationName: PLACE.plant, commonName: 'authority' };
const [authorityKey, foreignKey, serverKey] = [newKey(), newKey(), newKey()];

interface Client {
  readonly certificate: string;
  readonly key: SoftwareKey;
}

let world: World;
let server: LineServer;
let tls: LineTls;
let authority: string;
let folder: string;
let session: Signed<OperatorSession>;
const transports: LineTransport[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wm-line-tls-'));
  mkdirSync(join(folder, 'trust'));
  authority = await certify({ kind: 'authority' }, authorityKey);
  writeFileSync(join(folder, 'authority.pem'), authority);
  tls = {
    certificate: await certify({ kind: 'line', hosts: ['localhost', '127.0.0.1'] }, serverKey),
    key: { kind: 'file', pem: encodeUtf8(serverKey.exportPem()) },
    clientAuthority: authority,
  };
  world = await World.open({ rules: { refusalsPerMinute: 1000 } });
  session = await world.signIn();
  server = await serve('127.0.0.1', tls);
});
afterAll(async () => {
  for (const transport of transports) transport.close();
  await server.close();
  await world.close();
  rmSync(folder, { recursive: true });
});

function newKey(): SoftwareKey {
  return generateSoftwareKey('ecdsa-sha2-nistp256');
}

function serve(host: string, withTls: LineTls | undefined): Promise<LineServer> {
  const directories = { logDirectory: join(world.directory, 'log'), trustDirectory: join(folder, 'trust') };
  return startLineServer({ line: world.line, ...directories, host, port: 0, tls: withTls });
}

async function certify(
  profile: CertificateProfile,
  key: SoftwareKey,
  { issuer = authorityKey, ...validity }: { issuer?: SoftwareKey; notBefore?: Instant; notAfter?: Instant } = {},
): Promise<string> {
  const der = await issueCertificate(
    {
      profile,
      subject: profile.kind === 'authority' ? AUTHORITY : { organizationName: 'P1', commonName: 'x' },
      publicKey: key.publicKey,
      issuer: { name: AUTHORITY, publicKey: issuer.publicKey },
      ...LONG,
      ...validity,
      randomBytes: (length) => Uint8Array.from(randomBytes(length)),
    },
    (bytes: Bytes) => issuer.sign(bytes),
  );
  return formatCertificatePem(der);
}

type Place = Parameters<typeof certify>[2];

/** A client certificate for one of the cast; `name` replaces what it says. */
async function clientOf(
  member: 'station' | 'secondStation' | 'expiredStation',
  name: { id?: string; line?: string; plant?: string } = {},
  how: Place = {},
): Promise<Client> {
  const { owner, key: signing } = CAST[member];
  const key = newKey();
  const station = { id: owner, ...PLACE, keyid: signing.publicKey.keyid, ...name };
  return { certificate: await certify({ kind: 'station', station }, key, how), key };
}

function connect(client: Client | null, baseUrl = server.url): HttpLineService {
  const transport = openLineTransport({
    authority,
    client: client && {
      certificate: client.certificate,
      key: { kind: 'file', pem: encodeUtf8(client.key.exportPem()) },
    },
  });
  transports.push(transport);
  return new HttpLineService({ baseUrl, timeoutMs: 10_000, fetch: transport.fetch });
}

let units = 0;
async function permitRequest(by: 'station' | 'secondStation' = 'station'): Promise<Envelope> {
  units += 1;
  return (await world.permitRequest(toDevice(1000 + units), session, {}, { station: by })).envelope;
}

/** What curl, with the client certificate, is answered. */
async function curl(client: Client | null, envelope: Envelope, path = '/api/v1/permits'): Promise<Partial<Problem>> {
  const file = join(folder, `client-${String(units)}`);
  writeFileSync(`${file}.json`, JSON.stringify({ envelope: fromEnvelope(envelope) }));
  const identity: string[] = [];
  if (client !== null) {
    writeFileSync(`${file}.crt`, client.certificate);
    writeFileSync(`${file}.key`, client.key.exportPem());
    identity.push('--cert', `${file}.crt`, '--key', `${file}.key`);
  }
  const { stdout } = await run('curl', [
    ...['-sS', '--max-time', '20', '--cacert', join(folder, 'authority.pem'), ...identity],
    ...['-H', 'content-type: application/json', '--data-binary', `@${file}.json`, `${server.url}${path}`],
  ]);
  return JSON.parse(stdout) as Partial<Problem>;
}

describe('a line behind TLS', () => {
  it('gives a permit to the station whose certificate and key belong together', async () => {
    const line = connect(await clientOf('station'));
    await expect(line.requestPermit(await permitRequest())).resolves.toHaveProperty('payload');
    await expect(line.time()).resolves.toHaveProperty('now');
  });

  it.skipIf(!hasCurl)('gives a permit to curl with that certificate, and lets it read without one', async () => {
    expect(await curl(await clientOf('station'), await permitRequest())).toHaveProperty('permit');
    const read = await run('curl', ['-sS', '--cacert', join(folder, 'authority.pem'), `${server.url}/api/v1/time`]);
    expect(JSON.parse(read.stdout)).toHaveProperty('now');
  });

  const refused: readonly (readonly [string, () => Promise<Client | null>, string, RegExp])[] = [
    ['without a certificate', () => Promise.resolve(null), 'ID-101', /without a client certificate/],
    [
      'with one of a foreign authority',
      () => clientOf('station', {}, { issuer: foreignKey }),
      'ID-102',
      /another authority/,
    ],
    ['with one that ran out', () => clientOf('station', {}, { notAfter: START - 1000 }), 'ID-103', /valid from/],
    [
      'with one that is not valid yet',
      () => clientOf('station', {}, { notBefore: START + 3_600_000 }),
      'ID-103',
      /valid from/,
    ],
    ['with one of another line', () => clientOf('station', { line: 'L2' }), 'ID-104', /ST-1 of L2/],
    ['with one of another plant', () => clientOf('station', { plant: 'P2' }), 'ID-104', /of P2/],
    [
      'with the one of the line server',
      () => Promise.resolve({ certificate: tls.certificate, key: serverKey }),
      'ID-104',
      /another use/,
    ],
    ['with one that names a key that ran out', () => clientOf('expiredStation'), 'ID-105', /which is not/],
    [
      'with one that names its key as that of another',
      () => clientOf('station', { id: 'ST-2' }),
      'ID-105',
      /which is not/,
    ],
    [
      'with the one of another station',
      () => clientOf('secondStation'),
      'ID-106',
      /statement of ST-2; found one of ST-1/,
    ],
  ];

  it.skipIf(!hasCurl).each(refused)(
    'A12 refuses a permit %s, to a client we did not write',
    async (_how, client, code, detail) => {
      const problem = await curl(await client(), await permitRequest());
      expect(problem).toMatchObject({ code, status: 403, detail: expect.stringMatching(detail) as string });
      // The refusal is itself in the log.
      expect(problem.refusal).toMatchObject({ index: expect.any(Number) as number });
    },
  );

  it.each(refused)('refuses it %s, to our own client', async (_how, client, code) => {
    const line = connect(await client());
    await expect(line.requestPermit(await permitRequest())).rejects.toMatchObject({ code });
  });

  it('judges each statement of a batch, and each for itself', async () => {
    const line = connect(await clientOf('secondStation'));
    const [own, foreign] = [await enrolmentOf('secondStation'), await enrolmentOf('station')];
    const outcomes = await line.submitAll([{ statement: foreign }, { statement: own }]);
    expect(outcomes.map((outcome) => (outcome.state === 'refused' ? outcome.error.code : outcome.state))).toEqual([
      'ID-106',
      'logged',
    ]);
  });

  it('takes what people sign from anywhere, and what stations sign from nobody else', async () => {
    const line = connect(null);
    await world.signOut(CAST.station.owner, CAST.secondOperator.owner);
    const person = await world.session({}, { operator: 'secondOperator' });
    await expect(line.submit(person.envelope)).resolves.toHaveProperty('index');
    await expect(line.submit(await enrolmentOf('station'))).rejects.toMatchObject({ code: 'ID-101' });
    await world.signOut(CAST.station.owner, CAST.secondOperator.owner);
    session = await world.signIn();
  });

  it('ends the connection of a station whose certificate runs out while it is open', async () => {
    const line = connect(await clientOf('station', {}, { notAfter: START + 1000 }));
    await expect(line.requestPermit(await permitRequest())).resolves.toBeDefined();
    world.clock.instant = START + 2000;
    await expect(line.requestPermit(await permitRequest())).rejects.toMatchObject({ code: 'ID-103' });
  });

  it.skipIf(!hasOpenSsl)('speaks TLS 1.3 and nothing older', async () => {
    const { port } = new URL(server.url);
    // The server lives in this process: it answers while the client runs.
    const asked = async (version: string): Promise<number> => {
      try {
        await run('sh', [
          '-c',
          `openssl s_client -connect 127.0.0.1:${port} ${version} -CAfile "$1" -verify_return_error </dev/null`,
          'sh',
          join(folder, 'authority.pem'),
        ]);
        return 0;
      } catch {
        return 1;
      }
    };
    expect(await asked('-tls1_3')).toBe(0);
    expect(await asked('-tls1_2')).toBe(1);
  });

  it('is served to this machine only without TLS', async () => {
    await expect(serve('0.0.0.0', undefined)).rejects.toMatchObject({ code: 'ID-108' });
    await expect(serve('192.0.2.7', undefined)).rejects.toMatchObject({ code: 'ID-108' });
    const plain = await serve('127.0.0.1', undefined);
    expect(plain.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    await plain.close();
    const everywhere = await serve('0.0.0.0', tls);
    await everywhere.close();
  });

  it('does not start with a key that is not the one of its certificate', async () => {
    const key = { kind: 'file', pem: encodeUtf8(newKey().exportPem()) } as const;
    await expect(serve('127.0.0.1', { ...tls, key })).rejects.toMatchObject({ code: 'ERR_ENROLMENT_TLS' });
  });
});

describe('a station behind TLS', () => {
  it('sends nothing to a line of another authority, or of another name', async () => {
    const foreign = await serve('127.0.0.1', {
      ...tls,
      certificate: await certify({ kind: 'line', hosts: ['localhost'] }, serverKey, { issuer: foreignKey }),
    });
    await expect(connect(null, foreign.url).time()).rejects.toMatchObject({ code: 'ID-109' });
    await foreign.close();
    const misnamed = await serve('127.0.0.1', {
      ...tls,
      certificate: await certify({ kind: 'line', hosts: ['line-4.example'] }, serverKey),
    });
    await expect(connect(null, misnamed.url).time()).rejects.toMatchObject({ code: 'ID-109' });
    await misnamed.close();
    await expect(connect(null).time()).resolves.toHaveProperty('now');
  });

  it('says that a line is unreachable when it is, which is no reason to distrust it', async () => {
    const gone = await serve('127.0.0.1', tls);
    const line = connect(null, gone.url);
    await gone.close();
    await expect(line.time()).rejects.toMatchObject({ code: 'ERR_API_UNREACHABLE' });
  });
});

/** Something a station signs and sends by itself. */
async function enrolmentOf(member: 'station' | 'secondStation'): Promise<Envelope> {
  const { owner, key } = CAST[member];
  const digest = '0'.repeat(64);
  const parts = {
    system: 'absent',
    board: 'absent',
    cpu: digest,
    disks: digest,
    network: digest,
    tpm: 'absent',
  } as const;
  const subject = { name: owner, digest: { sha256: key.publicKey.keyid } };
  const predicate: StationEnrolment = {
    enrolmentId: world.newId(),
    station: { id: owner, ...PLACE },
    keyEnrolment: { sha256: digest },
    certificateRequest: null,
    machine: { digest, parts },
    attestationKey: null,
    nonce: digest,
    requestedAt: formatInstant(world.clock.now()),
  };
  return (await world.sign(stationEnrolment, subject, predicate, key)).envelope;
}
