// SPDX-License-Identifier: Apache-2.0
/**
 * Appends through HTTP: complete, pre-signed statements are posted to a real line server – signature verified, rules
 * asked, countersigned, logged durably with its view, answered with proof and checkpoint – by a client process on the same
 * machine, in batches and one by one. The limit is what its two cores can do at most: one verification, one signature and
 * its share of a bare HTTP exchange of the same size per statement, each measured in the same run.
 *
 *   node --conditions=@witnessmark/source bench/append-http.ts [statements] [--write]     --write: docs/http-throughput.md
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
import { buildStatement, refusal, type TrustedRoot } from '@witnessmark/attestation';
import { generateSoftwareKey, NoteSigner, signEnvelope, SoftwareKey } from '@witnessmark/custody';
import { checkSignatureIn, Line, startLineServer, toLineRules, type ReleaseSource } from '@witnessmark/line';
import { EvidenceLog, TileStorage, VerifyPool } from '@witnessmark/log';
import { openSqliteStore } from '@witnessmark/store';
import { numberArgument } from './arguments.ts';
import { formatCores, MachineMeter } from './machine.ts';
import { Report } from './report.ts';
import { REFERENCE_VERIFY } from './workload.ts';

const GOAL_PER_SECOND = 10_000;
const WARM_UP = 4_000;
const BARE_STATEMENTS = 20_000;
const CALLS = 3_000;
const PROOF_MARK = '"proof":"c2sp.org/';

const PLACE = { plant: 'P1', line: 'L1' };
const STATION = 'ST-1';
/** Long enough to bring an entry to the size of an ordinary one. */
const EXPECTED = 'an answer of the line '.repeat(12).trim();
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
      readonly form: Form;
      /** Statements, by number. */
      readonly from: number;
      readonly count: number;
    };

/** How statements travel. */
interface Form {
  readonly name: string;
  readonly perRequest: number;
  readonly connections: number;
}

/** A station that delivers what it kept while the line was away; and stations that each do one thing at a time. */
const FORMS: readonly Form[] = [
  { name: 'in batches', perRequest: 128, connections: 8 },
  { name: 'one by one', perRequest: 1, connections: 256 },
];

interface Posted {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  /** Statements that were logged, by their answers. */
  readonly logged: number;
  /** Spent by the client per statement. */
  readonly cpuMicros: number;
}

if (process.send === undefined) await main();
else serveOrders();

async function main(): Promise<void> {
  const statements = numberArgument(60_000);
  const output = new Report();
  const evidence = generateSoftwareKey('ecdsa-sha2-nistp256');
  const station = generateSoftwareKey('ecdsa-sha2-nistp256');
  const client = fork(import.meta.filename, [], { execArgv: process.execArgv });
  const total = FORMS.length * (WARM_UP + statements);
  const bodyBytes = await ask<number>(client, { kind: 'sign', privateKey: station.exportPem(), statements: total });
  output.print(`${statements} statements of ${bodyBytes} bytes in each form, client on the same machine`);

  const directory = mkdtempSync(join(tmpdir(), 'wm-bench-http-'));
  const store = openSqliteStore({ path: join(directory, 'line.db') });
  const log = await EvidenceLog.open({
    store,
    tiles: new TileStorage(join(directory, 'log')),
    signer: new NoteSigner('bench.example/line', generateSoftwareKey('ed25519')),
    clock,
  });
  const keys = [station.publicKey];
  // One core is the line's own thread's.
  const pool = new VerifyPool({ keys, limits: { workers: Math.max(1, availableParallelism() - 1) } });
  let ids = 0;
  const line = await Line.open({
    rules: toLineRules({ ...PLACE, maxClockOffsetMs: CLOCK_OFFSET_MS }),
    trustedRoot: toTrustedRoot({ evidence, station }),
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
  let from = 0;
  for (const form of FORMS) {
    const bare = await measureBareHttp(client, bodyBytes, form);
    const costs = await measureCosts(evidence, station);
    const warmUp = await ask<Posted>(client, { kind: 'post', port, form, from, count: WARM_UP });
    const meter = new MachineMeter();
    const before = process.cpuUsage();
    const mainBefore = process.threadCpuUsage();
    const report = await ask<Posted>(client, { kind: 'post', port, form, from: from + WARM_UP, count: statements });
    const { user, system } = process.cpuUsage(before);
    const main = process.threadCpuUsage(mainBefore);
    const ownCores = (user + system + statements * report.cpuMicros) / 1e6 / report.seconds;
    from += WARM_UP + statements;
    output.print(
      ...describeForm(form, {
        report,
        costs,
        bare,
        serverMicros: (user + system) / statements,
        mainMicros: (main.user + main.system) / statements,
        otherCores: meter.otherCores(ownCores),
      }),
    );
    if (warmUp.logged !== WARM_UP || report.logged !== statements || log.size !== from) process.exitCode = 1;
  }
  output.finish({
    name: 'http-throughput',
    title: 'What a line takes over HTTP',
    introduction:
      'Made by `npm run bench -- append-http --write`: refusals, checked by the real rules, countersigned, logged, and answered with ' +
      'their proof; station and line on the same two cores. The limit is what these two can do at most: one verification, one ' +
      'signature and a share of a bare HTTP exchange of the same size for each statement, measured in the same run.',
  });
  client.disconnect();
  await server.close();
  await pool.close();
  await log.close();
  await store.close();
  rmSync(directory, { recursive: true });
}

/** Microseconds. */
interface Costs {
  readonly verify: number;
  readonly sign: number;
}

async function measureCosts(evidence: SoftwareKey, station: SoftwareKey): Promise<Costs> {
  const sample = await signRefusal(0, station);
  const message = preAuthEncoding(sample.payloadType, sample.payload);
  const signature = sample.signatures[0]?.sig ?? message;
  return {
    verify: measure(() => isSignedBy(station.publicKey, message, signature)),
    sign: measure(() => evidence.signNow(message)),
  };
}

interface Measured {
  readonly report: Posted;
  readonly costs: Costs;
  /** Statements per second that a bare HTTP exchange carries. */
  readonly bare: number;
  readonly serverMicros: number;
  readonly mainMicros: number;
  readonly otherCores: number | undefined;
}

function describeForm(form: Form, measured: Measured): readonly string[] {
  const { report, costs, bare, serverMicros, mainMicros, otherCores } = measured;
  const { seconds, latenciesMs, cpuMicros } = report;
  const rate = report.logged / seconds;
  const limit = 2e6 / (costs.verify + costs.sign + 2e6 / bare);
  const reference = (GOAL_PER_SECOND * REFERENCE_VERIFY) / costs.verify;
  return [
    `${form.name}: ${form.perRequest} to a request, ${form.connections} connections`,
    `  verify, sign       ${costs.verify.toFixed(1)} µs, ${costs.sign.toFixed(1)} µs; others took ${formatCores(otherCores)} of the cores`,
    `  bare HTTP          ${Math.round(bare)} statements/s (same client, same sizes)`,
    `  limit on two cores ${Math.round(limit)} /s`,
    `  durable appends    ${Math.round(rate)} /s, ${((100 * rate) / limit).toFixed(0)} % of the limit; goal ${GOAL_PER_SECOND} /s: ${rate >= GOAL_PER_SECOND ? 'met' : 'missed'}; ${Math.round(reference)} /s in proportion to its verifications: ${rate >= reference ? 'met' : 'missed'}`,
    `  latency            p50 ${percentile(latenciesMs, 50)} ms, p99 ${percentile(latenciesMs, 99)} ms a request`,
    `  CPU per statement  server ${serverMicros.toFixed(0)} µs, ${mainMicros.toFixed(0)} µs of them in its main thread, client ${cpuMicros.toFixed(0)} µs; two cores to themselves make ${Math.round(2e6 / (serverMicros + cpuMicros))} /s of that`,
  ];
}

/** A refusal is admitted by real rules – station, place, code, marks – and has its row among the views. */
async function signRefusal(number: number, station: SoftwareKey): Promise<Envelope> {
  const payload = buildStatement(
    refusal,
    { name: 'station', digest: { sha256: station.publicKey.keyid } },
    {
      id: toId(number),
      transactionId: null,
      kind: 'HOLD',
      code: 'HD-01',
      deviceId: null,
      labelSerial: null,
      station: { id: STATION, line: PLACE.line },
      operatorId: null,
      expected: EXPECTED,
      observed: 'no answer',
      refusedAt: formatInstant(Date.now()),
      environment: { simulated: false, rehearsal: false, breakGlass: null },
    },
  );
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [station]);
}

function toId(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

function toTrustedRoot(keys: Readonly<Record<'evidence' | 'station', SoftwareKey>>): TrustedRoot {
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
    keys: [entry('evidence', PLACE.line), entry('station', STATION)],
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

/** Statements per second through a server that reads the body and answers with one of about the real answer's size. */
async function measureBareHttp(client: ChildProcess, bodyBytes: number, form: Form): Promise<number> {
  const answer = Buffer.alloc(form.perRequest * (bodyBytes + 1_400), 0x20);
  const server = createServer((request, response) => {
    request.on('data', () => undefined);
    request.on('end', () => response.writeHead(200, { 'content-length': answer.length }).end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await ask<Posted>(client, { kind: 'post', port, form, from: 0, count: WARM_UP });
  const { seconds } = await ask<Posted>(client, { kind: 'post', port, form, from: 0, count: BARE_STATEMENTS });
  server.close();
  return BARE_STATEMENTS / seconds;
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

/** The client process: signs what it is told to, keeps it ready as bodies, and posts it. */
function serveOrders(): void {
  const bodies: Uint8Array[] = [];
  const obey = async (order: Order): Promise<number | Posted> => {
    if (order.kind === 'post') {
      const { port, form, from, count } = order;
      return post({ port, form, requests: toRequests(bodies.slice(from, from + count), form), statements: count });
    }
    const key = new SoftwareKey(createPrivateKey(order.privateKey));
    for (let number = 0; number < order.statements; number += 1) {
      bodies.push(formatJson({ envelope: fromEnvelope(await signRefusal(number, key)) }));
    }
    return bodies[0]?.length ?? 0;
  };
  process.on('message', (order) => void obey(order as Order).then((answer) => process.send?.(answer)));
}

function toRequests(bodies: readonly Uint8Array[], { perRequest }: Form): readonly Buffer[] {
  const requests: Buffer[] = [];
  for (let first = 0; first < bodies.length; first += perRequest) {
    const texts = bodies.slice(first, first + perRequest).map((body) => Buffer.from(body).toString());
    const body = perRequest === 1 ? texts.join() : `{"statements":[${texts.join(',')}]}`;
    const path = perRequest === 1 ? '/api/v1/entries' : '/api/v1/entries/batch';
    const head = `POST ${path} HTTP/1.1\r\nhost: line\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    requests.push(Buffer.from(`${head}${body}`));
  }
  return requests;
}

interface Posting {
  readonly port: number;
  readonly form: Form;
  readonly requests: readonly Buffer[];
  readonly statements: number;
}

/** Each connection sends its next request when the last was answered. */
async function post({ port, form, requests, statements }: Posting): Promise<Posted> {
  const latencies: number[] = [];
  let logged = 0;
  let next = 0;
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let sentAt = 0;
      let received = 0;
      let chunks: Buffer[] = [];
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
        chunks = [];
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
          expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        }
        received += chunk.length;
        chunks.push(chunk);
        if (received < expected) return;
        logged += countProofs(Buffer.concat(chunks));
        latencies.push(performance.now() - sentAt);
        send();
      });
    });
  const begin = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: form.connections }, connection));
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, latenciesMs: latencies, logged, cpuMicros: (user + system) / statements };
}

/** Each logged statement comes with one. */
function countProofs(answer: Buffer): number {
  let count = 0;
  for (let at = answer.indexOf(PROOF_MARK); at >= 0; at = answer.indexOf(PROOF_MARK, at + 1)) count += 1;
  return count;
}

function percentile(values: readonly number[], percent: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0).toFixed(2);
}
