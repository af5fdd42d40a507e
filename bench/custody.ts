// SPDX-License-Identifier: Apache-2.0
/**
 * What accounting for every signature costs: the custody process against raw pkcs11js on the same SoftHSM key, in one
 * run, in turns. `node --conditions=@witnessmark/source bench/custody.ts [seconds per turn]`
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CustodyClient,
  generateKey,
  keyPolicy,
  openPkcs11Module,
  openToken,
  type TokenRef,
} from '@witnessmark/custody';
import { numberArgument } from './arguments.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const CALLERS = 16;
const SESSIONS = 4;
const TURNS = 3;
const TARGET = { rateShare: 0.6, addedMs: 1 };
const PIN = 'bench-pin';
const CKM_ECDSA = 0x1041;

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of both processes, for each signature. */
  readonly cpuMicros: number;
}

const seconds = numberArgument(2);
const dir = mkdtempSync(join(tmpdir(), 'witnessmark-bench-custody-'));
try {
  const ref = createToken();
  const module = await openPkcs11Module(MODULE);
  const token = await openToken(module, ref, { pin: () => Promise.resolve(PIN), sessions: SESSIONS, readWrite: true });
  const policy = keyPolicy('line-evidence');
  generateKey(token, policy);
  const custody = await startCustody(ref);
  const raw = rawSigner();
  console.log(`fdatasync of ${dir}: p50 ${fdatasyncMillis().toFixed(3)} ms`);
  const message = randomBytes(1_400);
  const key = custody.client.key('line-evidence', 'provisioning-event');
  const viaCustody = async (): Promise<unknown> => key.sign(message);
  const pid = custody.child.pid ?? null;
  const rows: { raw: Measured; custody: Measured; one: [Measured, Measured] }[] = [];
  await measure(() => raw(message), CALLERS, 0.3);
  await measure(viaCustody, CALLERS, 0.3);
  for (let turn = 0; turn < TURNS; turn += 1) {
    rows.push({
      raw: await measure(() => raw(message), CALLERS, seconds),
      custody: await measure(viaCustody, CALLERS, seconds, pid),
      one: [await measure(() => raw(message), 1, seconds / 2), await measure(viaCustody, 1, seconds / 2, pid)],
    });
  }
  report(rows);
  custody.client.close();
  custody.child.kill('SIGTERM');
  await once(custody.child, 'exit');
  token.close();
  module.close();

  /** pkcs11js itself, one signature at a time in each session. */
  function rawSigner(): (data: Buffer) => Promise<unknown> {
    const { cryptoki } = token;
    const slot = module.findToken(ref).slot;
    const sessions = Array.from({ length: SESSIONS }, () => cryptoki.C_OpenSession(slot, 4));
    cryptoki.C_FindObjectsInit(sessions[0]!, [
      { type: 0, value: 3 },
      { type: 3, value: policy.label },
    ]);
    const [handle] = cryptoki.C_FindObjects(sessions[0]!, 1);
    cryptoki.C_FindObjectsFinal(sessions[0]!);
    const waiting: ((session: Buffer) => void)[] = [];
    return async (data) => {
      const session = sessions.pop() ?? (await new Promise<Buffer>((resolve) => waiting.push(resolve)));
      cryptoki.C_SignInit(session, { mechanism: CKM_ECDSA }, handle!);
      const signature = await cryptoki.C_SignAsync(
        session,
        createHash('sha256').update(data).digest(),
        Buffer.alloc(64),
      );
      const next = waiting.shift();
      if (next === undefined) sessions.push(session);
      else next(session);
      return signature;
    };
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function createToken(): TokenRef {
  mkdirSync(join(dir, 'tokens'));
  const conf = join(dir, 'softhsm2.conf');
  writeFileSync(conf, `directories.tokendir = ${join(dir, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env['SOFTHSM2_CONF'] = conf;
  execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'bench', '--so-pin', 'so-pin', '--pin', PIN]);
  const slots = execFileSync('softhsm2-util', ['--show-slots'], { encoding: 'utf8' });
  return { label: 'bench', serial: /Serial number:\s+(\S+)/.exec(slots)?.[1] ?? '' };
}

async function startCustody(ref: TokenRef) {
  const token = randomBytes(32).toString('hex');
  writeFileSync(join(dir, 'token'), token, { mode: 0o600 });
  writeFileSync(join(dir, 'pin'), PIN, { mode: 0o600 });
  const config = {
    socket: join(dir, 'custody.sock'),
    journal: join(dir, 'journal'),
    module: MODULE,
    token: ref,
    pin: { from: 'file', file: join(dir, 'pin') },
    sessions: SESSIONS,
    signing: 'blocking',
    keys: ['line-evidence'],
    clients: [
      {
        name: 'bench',
        tokenSha256: createHash('sha256').update(token).digest('hex'),
        allow: [{ key: 'line-evidence', purposes: ['provisioning-event'] }],
      },
    ],
  };
  writeFileSync(join(dir, 'custody.json'), JSON.stringify(config));
  const server = join(import.meta.dirname, '../packages/custody/src/custody-server.ts');
  const child = spawn(process.execPath, [...process.execArgv, server, join(dir, 'custody.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const options = { socketPath: config.socket, client: 'bench', tokenFile: join(dir, 'token'), newId: randomUUID };
  return { child, client: await CustodyClient.connect(options) };
}

async function measure(
  sign: () => Promise<unknown>,
  callers: number,
  forSeconds: number,
  otherPid: number | null = null,
): Promise<Measured> {
  const times: number[] = [];
  const cpuBefore = cpuSeconds(otherPid);
  const start = performance.now();
  const end = start + forSeconds * 1_000;
  const call = async (): Promise<void> => {
    while (performance.now() < end) {
      const before = performance.now();
      await sign();
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const elapsed = (performance.now() - start) / 1_000;
  const cpuMicros = ((cpuSeconds(otherPid) - cpuBefore) / times.length) * 1e6;
  times.sort((left, right) => left - right);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { perSecond: times.length / elapsed, p50: at(0.5), p99: at(0.99), cpuMicros };
}

function cpuSeconds(otherPid: number | null): number {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  if (otherPid === null) return own;
  // After the name in parentheses: utime and stime are the 12th and 13th, in hundredths of a second.
  const stat = readFileSync(`/proc/${otherPid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return own + (Number(stat[11]) + Number(stat[12])) / 100;
}

function fdatasyncMillis(): number {
  const file = openSync(join(dir, 'probe'), 'w');
  writeSync(file, Buffer.alloc(1024 * 1024));
  fdatasyncSync(file);
  const times = Array.from({ length: 100 }, (_, index) => {
    const before = performance.now();
    writeSync(file, Buffer.alloc(4096, index), 0, 4096, index * 4096);
    fdatasyncSync(file);
    return performance.now() - before;
  });
  closeSync(file);
  return times.toSorted((left, right) => left - right)[50]!;
}

function report(rows: readonly { raw: Measured; custody: Measured; one: [Measured, Measured] }[]): void {
  const format = ({ perSecond, p50, p99, cpuMicros }: Measured): string =>
    `${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(3)} ms  p99 ${p99.toFixed(3)} ms  cpu ${cpuMicros.toFixed(0)} us`;
  for (const { raw, custody, one } of rows) {
    console.log(`raw pkcs11js, ${CALLERS} callers     ${format(raw)}`);
    console.log(`custody process, ${CALLERS} callers  ${format(custody)}`);
    console.log(`raw pkcs11js, 1 caller       ${format(one[0])}`);
    console.log(`custody process, 1 caller    ${format(one[1])}`);
  }
  const median = (values: number[]): number => values.toSorted((left, right) => left - right)[values.length >> 1]!;
  const share = median(rows.map(({ raw, custody }) => custody.perSecond / raw.perSecond));
  const added = median(rows.map(({ one: [raw, custody] }) => custody.p50 - raw.p50));
  const addedParallel = median(rows.map(({ raw, custody }) => custody.p50 - raw.p50));
  const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
  console.log(
    `rate: ${(share * 100).toFixed(0)} % of raw (target ${TARGET.rateShare * 100} %: ${verdict(share >= TARGET.rateShare)})`,
  );
  console.log(
    `added p50: ${added.toFixed(2)} ms with 1 caller, ${addedParallel.toFixed(2)} ms with ${CALLERS} ` +
      `(target ${TARGET.addedMs} ms: ${verdict(Math.max(added, addedParallel) <= TARGET.addedMs)})`,
  );
}
