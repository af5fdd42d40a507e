// SPDX-License-Identifier: Apache-2.0
/**
 * Appends through HTTP: complete, pre-signed statements are posted to a real line server – signature verified, rules
 * asked, countersigned, logged durably with its view, answered with proof and checkpoint – by a client process on the same
 * machine. The limit is what its two cores can do at most: one verification, one signature and one bare HTTP exchange
 * of the same size per statement, each measured in the same run.
 *
 *   node --conditions=@witnessmark/source bench/append-http.ts [statements] [connections]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeBase64,
  encodeUtf8,
  formatInstant,
  formatJson,
  fromEnvelope,
  isSignedBy,
  preAuthEncoding,
  RefusedError,
  STATEMENT_PAYLOAD_TYPE,
  type Clock,
  type Envelope,
} from '@witnessmark/core';
import { buildStatement, operatorSession, type TrustedRoot } from '@witnessmark/attestation';
import { generateSoftwareKey, NoteSigner, signEnvelope, SoftwareKey } from '@witnessmark/custody';
import { checkSignatureIn, Line, startLineServer, toLineRules, type ReleaseSource } from '@witnessmark/line';
import { EvidenceLog, TileStorage, VerifyPool } from '@witnessmark/log';
import { openSqliteStore } from '@witnessmark/store';

const GOAL_PER_SECOND = 10_000;
const WARM_UP = 4_000;
const BARE_EXCHANGES = 20_000;
const CALLS = 3_000;

const PLACE = { plant: 'P1', line: 'L1' };
const STATION = 'ST-1';
const OPERATOR = 'op-1';
/** Long enough to bring an entry to the size of an ordinary one. */
const ROLE = 'operator '.repeat(14).trim();
const SHIFT_MS = 8 * 3_600_000;
/** Statements are signed some time before they are sent. */
const CLOCK_OFFSET_MS = 60_000;

const noReleases: ReleaseSource = {
  current: () => Promise.reject(new RefusedError('TR-107', 'nothing is released here')),
  release: () => Promise.resolve(null),
};
const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** What the client process is told, and what it answers. It alone holds the statements. */
type Order =
  | { readonly kind: 'sign'; readonly privateKey: string; readonly statements: number }
  | {
      readonly kind: 'post';
      readonly port: number;
      readonly connections: number;
      readonly from: number;
      readonly count: number;
    };

interface Report {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  readonly statuses: Readonly<Record<string, number>>;
  /** Spent by the client per request. */
  readonly cpuMicros: number;
}

if (process.send === undefined) await main();
else serveOrders();

async function main(): Promise<void> {
  const statements = Number(process.argv[2] ?? 60_000);
  const connections = Number(process.argv[3] ?? 256);
  const evidence = generateSoftwareKey('ecdsa-sha2-nistp256');
  const station = generateSoftwareKey('ecdsa-sha2-nistp256');
  const operator = generateSoftwareKey('ecdsa-sha2-nistp256');

  const sample = await signSession(0, operator);
  const message = preAuthEncoding(sample.payloadType, sample.payload);
  const signature = sample.signatures[0]?.sig ?? message;
  const verifyMicros = measure(() => isSignedBy(operator.publicKey, message, signature));
  const signMicros = measure(() => evidence.signNow(message));

  const client = fork(import.meta.filename, [], { execArgv: process.execArgv });
  const total = WARM_UP + statements;
  const bodyBytes = await ask<number>(client, { kind: 'sign', privateKey: operator.exportPem(), statements: total });
  const bare = await measureBareHttp(client, bodyBytes, connections);

  const directory = mkdtempSync(join(tmpdir(), 'wm-bench-http-'));
  const store = openSqliteStore({ path: join(directory, 'line.db') });
  const log = await EvidenceLog.open({
    store,
    tiles: new TileStorage(join(directory, 'log')),
    signer: new NoteSigner('bench.example/line', generateSoftwareKey('ed25519')),
    clock,
  });
  const keys = [operator.publicKey];
  // One core is the line's own thread's.
  const pool = new VerifyPool({ keys, limits: { workers: Math.max(1, availableParallelism() - 1) } });
  let ids = 0;
  const line = await Line.open({
    rules: toLineRules({ ...PLACE, maxClockOffsetMs: CLOCK_OFFSET_MS }),
    trustedRoot: toTrustedRoot({ evidence, station, operator }),
    log,
    views: store.views,
    releases: noReleases,
    signer: evidence,
    clock,
    newId: () => toId((ids += 1)),
    checkSignature: checkSignatureIn(pool, keys),
  });
  const directories = { logDirectory: join(directory, 'log'), trustDirectory: directory };
  const server = await startLineServer({ line, ...directories, host: '127.0.0.1', port: 0 });
  const port = Number(new URL(server.url).port);
  const warmUp = await ask<Report>(client, { kind: 'post', port, connections, from: 0, count: WARM_UP });
  const before = process.cpuUsage();
  const mainBefore = process.threadCpuUsage();
  const report = await ask<Report>(client, { kind: 'post', port, connections, from: WARM_UP, count: statements });
  const { user, system } = process.cpuUsage(before);
  const cpuMicros = (user + system) / statements;
  const main = process.threadCpuUsage(mainBefore);
  const mainMicros = (main.user + main.system) / statements;
  const logged = log.size;
  client.disconnect();
  await server.close();
  await pool.close();
  await log.close();
  await store.close();
  rmSync(directory, { recursive: true });

  const rate = statements / report.seconds;
  const limit = 2e6 / (verifyMicros + signMicros + 2e6 / bare);
  const lines = [
    `statements         ${statements} of ${bodyBytes} bytes through ${connections} connections; answers ${JSON.stringify(report.statuses)}`,
    `verify, sign       ${verifyMicros.toFixed(1)} µs, ${signMicros.toFixed(1)} µs`,
    `bare HTTP          ${Math.round(bare)} /s (same client, same sizes)`,
    `limit on two cores ${Math.round(limit)} /s`,
    `durable appends    ${Math.round(rate)} /s, ${((100 * rate) / limit).toFixed(0)} % of the limit; goal ${GOAL_PER_SECOND} /s`,
    `latency            p50 ${percentile(report.latenciesMs, 50)} ms, p99 ${percentile(report.latenciesMs, 99)} ms`,
    `CPU per statement  server ${cpuMicros.toFixed(0)} µs, ${mainMicros.toFixed(0)} µs of them in its main thread, client ${report.cpuMicros.toFixed(0)} µs; two cores to themselves make ${Math.round(2e6 / (cpuMicros + report.cpuMicros))} /s of that`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const isComplete = warmUp.statuses['200'] === WARM_UP && report.statuses['200'] === statements && logged === total;
  if (!isComplete) process.exitCode = 1;
}

/** A session is admitted by real rules – person, card, station, times – and has its row among the views. */
async function signSession(number: number, operator: SoftwareKey): Promise<Envelope> {
  const { keyid } = operator.publicKey;
  const openedAt = Date.now();
  const payload = buildStatement(
    operatorSession,
    { name: 'operator', digest: { sha256: keyid } },
    {
      session: { id: toId(number), openedAt: formatInstant(openedAt), expiresAt: formatInstant(openedAt + SHIFT_MS) },
      operator: { id: OPERATOR, role: ROLE, credentialKeyDigest: { sha256: keyid } },
      station: { id: STATION, line: PLACE.line },
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [operator]);
}

function toId(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

function toTrustedRoot(keys: Readonly<Record<'evidence' | 'station' | 'operator', SoftwareKey>>): TrustedRoot {
  const entry = (role: keyof typeof keys, owner: string): TrustedRoot['keys'][number] => ({
    role,
    publicKey: encodeBase64(keys[role].publicKey.spki),
    owner,
    scope: PLACE.line,
    custody: 'software',
    validFrom: '2020-01-01T00:00:00Z',
    validUntil: null,
  });
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'bench',
    version: 1,
    logs: [],
    witnesses: [],
    keys: [entry('evidence', PLACE.line), entry('station', STATION), entry('operator', OPERATOR)],
    certificateAuthorities: [],
    revocations: [],
  };
}

/** Microseconds of one call. */
function measure(call: () => unknown): number {
  for (let turn = 0; turn < CALLS / 10; turn += 1) call();
  const begin = performance.now();
  for (let turn = 0; turn < CALLS; turn += 1) call();
  return ((performance.now() - begin) * 1000) / CALLS;
}

/** Exchanges per second with a server that reads the body and answers with one of about the real answer's size. */
async function measureBareHttp(client: ChildProcess, bodyBytes: number, connections: number): Promise<number> {
  const answer = Buffer.alloc(bodyBytes + 1_400, 0x20);
  const server = createServer((request, response) => {
    request.on('data', () => undefined);
    request.on('end', () => response.writeHead(200, { 'content-length': answer.length }).end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await ask<Report>(client, { kind: 'post', port, connections, from: 0, count: WARM_UP });
  const { seconds } = await ask<Report>(client, { kind: 'post', port, connections, from: 0, count: BARE_EXCHANGES });
  server.close();
  return BARE_EXCHANGES / seconds;
}

function ask<T>(client: ChildProcess, order: Order): Promise<T> {
  return new Promise((resolve, reject) => {
    client.once('exit', reject);
    client.once('message', (message) => {
      client.off('exit', reject);
      resolve(message as T);
    });
    client.send(order);
  });
}

/** The client process: signs what it is told to, keeps it ready as requests, and posts it. */
function serveOrders(): void {
  let requests: readonly Buffer[] = [];
  const obey = async (order: Order): Promise<number | Report> => {
    if (order.kind === 'post') {
      const { from, count } = order;
      return post({
        ...order,
        requests: Array.from({ length: count }, (_, at) => requests[(from + at) % requests.length] as Buffer),
      });
    }
    const key = new SoftwareKey(createPrivateKey(order.privateKey));
    const bodies: Uint8Array[] = [];
    for (let number = 0; number < order.statements; number += 1) {
      bodies.push(formatJson({ envelope: fromEnvelope(await signSession(number, key)) }));
    }
    requests = bodies.map((body) => {
      const head = `POST /api/v1/entries HTTP/1.1\r\nhost: line\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
      return Buffer.concat([encodeUtf8(head), body]);
    });
    return bodies[0]?.length ?? 0;
  };
  process.on('message', (order) => void obey(order as Order).then((answer) => process.send?.(answer)));
}

interface Posting {
  readonly port: number;
  readonly connections: number;
  readonly requests: readonly Buffer[];
}

/** Each connection sends its next request when the last was answered. */
async function post({ port, connections, requests }: Posting): Promise<Report> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let sentAt = 0;
      let received = 0;
      let expected = -1;
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      const send = (): void => {
        const request = requests[next];
        next += 1;
        if (request === undefined) {
          socket.end();
          resolve();
          return;
        }
        received = 0;
        expected = -1;
        sentAt = performance.now();
        socket.write(request);
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        if (expected < 0) {
          const end = chunk.indexOf('\r\n\r\n');
          const head = chunk.toString('latin1', 0, end);
          const status = head.slice(9, 12);
          statuses[status] = (statuses[status] ?? 0) + 1;
          expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        }
        received += chunk.length;
        if (received < expected) return;
        latencies.push(performance.now() - sentAt);
        send();
      });
    });
  const begin = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: connections }, connection));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, latenciesMs: latencies, statuses, cpuMicros: (user + system) / requests.length };
}

function percentile(values: readonly number[], percent: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0).toFixed(2);
}
