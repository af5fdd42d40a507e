// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { parseUnitEvidence, formatUnitEvidence } from '@witnessmark/bundle';
import {
  formatEnvelope,
  isSignedBy,
  preAuthEncoding,
  sha256,
  type Bytes,
  type Envelope,
  type PublicKey,
} from '@witnessmark/core';
import { CustodyClient, NoteSigner, readAccount } from '@witnessmark/custody';
import { EvidenceLog, TileStorage } from '@witnessmark/log';
import { openSqliteStore } from '@witnessmark/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokenLog, recordTokenLog } from '../../../packages/custody/test/support/yubihsm-log.ts';
import { systemClock } from '../src/system.ts';
import { CustodySite, demandDone, hasSoftHsm, RunningProgram } from './custody-site.ts';
import { run, runProcess, type RunResult } from './run.ts';

const LABELS = ['d1a1000000000001', 'd1a1000000000002', 'd1a1000000000003', 'd1a1000000000004'];

/** What a token keeps before somebody has to read it. */
const MAX_LOG_ENTRIES = 62;
/** Together more than any wait on the slowest machine. */
const MAX_TRIES = 200;
const POLL_MS = 100;

describe.skipIf(!hasSoftHsm())('a site whose keys are in custody', () => {
  let site: CustodySite;
  let line: RunningProgram;
  const boards: { readonly device: string; readonly label: string }[] = [];

  beforeAll(async () => {
    site = await CustodySite.make();
    await site.startCustody();
    demandDone(await run(site.propose('1.0.0')));
    for (const approver of ['anna', 'ben']) demandDone(await run(await site.approve('P-0001', approver)));
    line = await site.startLine();
    for (const uniqueId of LABELS) boards.push(await site.makeBoard(uniqueId));
  }, 120_000);
  afterAll(async () => {
    await line.end();
    await site.endCustody();
    site.remove();
  });

  function program(number: number): Promise<RunResult> {
    const { device, label } = boards[number]!;
    return run(site.station('program', device, line.firstLine, '--label', label));
  }

  function evidenceOf(number: number): string {
    return `${site.data}/evidence/${boards[number]!.label}.evidence.json`;
  }

  async function verify(file: string, policy = 'policy.json'): Promise<RunResult> {
    return run(['verify', file, '--trust', `${site.data}/trusted-root.json`, '--policy', `${site.data}/${policy}`]);
  }

  it('programs, verifies, checks its keys and balances', async () => {
    const made = await program(0);
    expect(`${made.exit} ${made.stdout}${made.stderr}`).toMatch(/^0 .*PASS/s);
    expect((await verify(evidenceOf(0))).exit).toBe(0);
    const check = await runProcess(['keys', 'check', '--data', site.data, '--json']);
    expect(JSON.parse(check.stdout)).toMatchObject({ ok: true, findings: [], keys: { length: 4 } });
    // The line publishes its log about once a second.
    const balance = await eventually(
      () => run(['keys', 'reconcile', '--data', site.data, '--json']),
      ({ stdout }) => JSON.parse(stdout).logged > 2,
    );
    expect(JSON.parse(balance.stdout)).toMatchObject({ ok: true, findings: [], unknown: 0 });
  }, 60_000);

  it('custody is killed: the line stops with LS-304, and goes on by itself when it is back; nothing is lost', async () => {
    await site.endCustody('SIGKILL');
    const stopped = await program(1);
    expect(stopped.exit).toBe(6);
    expect(stopped.stdout + stopped.stderr).toContain('LS-304');
    await site.startCustody();
    const made = await program(1);
    expect(`${made.exit} ${made.stdout}${made.stderr}`).toMatch(/^0 .*PASS/s);
    // What the line publishes at its end leaves nothing on its way.
    await line.end();
    expect((await run(['log', 'fsck', '--data', site.data])).exit).toBe(0);
    const reconcile = ['keys', 'reconcile', '--data', site.data, '--recent', '0'];
    const balance = await run(reconcile);
    expect(`${balance.exit} ${balance.stdout}`).toMatch(/^0 balanced/);
    await expectTokenCounts(reconcile);
    line = await site.startLine();
  }, 60_000);

  /** A46: the token's own count explains custody's, in readings of an audit log; one signature more, and it is an alarm. */
  async function expectTokenCounts(reconcile: readonly string[]): Promise<void> {
    const signed = readAccount(site.inCustody('journal')).filter(({ outcome }) => outcome === 'signed');
    const objects = [...new Set(signed.map(({ keyid }) => keyid))];
    const signatures = signed.map(({ keyid }) => ({ command: 0x56, targetKey: objects.indexOf(keyid) + 1 }));
    const keys = objects.flatMap((keyid, index) => ['--token-key', `${index + 1}=${keyid}`]);
    const count = (events: typeof signatures): Promise<RunResult> => {
      const { entries, ...unlogged } = recordTokenLog(events);
      const readings: string[] = [];
      for (let from = 0; from < entries.length; from += MAX_LOG_ENTRIES) {
        const reading = site.path(`audit-${from}.bin`);
        writeFileSync(reading, formatTokenLog({ ...unlogged, entries: entries.slice(from, from + MAX_LOG_ENTRIES) }));
        readings.push('--token-log', reading);
      }
      return run([...reconcile, ...keys, ...readings]);
    };
    const even = await count(signatures);
    expect(`${even.exit} ${even.stdout}`).toMatch(
      new RegExp(`^0 balanced.*the token counts ${signatures.length}`, 's'),
    );
    const more = await count([...signatures, signatures[0]!]);
    expect(`${more.exit} ${more.stdout}`).toMatch(/^1 CU-163 /);
    expect((await count(signatures.slice(1))).stdout).toContain('CU-164');
  }

  it('the token is pulled from custody: LS-304, and by itself again when it is back', async () => {
    const tokens = site.inCustody('tokens');
    renameSync(tokens, `${tokens}.away`);
    try {
      const stopped = await program(2);
      expect(stopped.exit).toBe(6);
      expect(stopped.stdout + stopped.stderr).toContain('LS-304');
    } finally {
      renameSync(`${tokens}.away`, tokens);
    }
    const made = await eventually(
      () => program(2),
      ({ exit }) => exit === 0,
    );
    expect(made.stdout).toContain('PASS');
  }, 60_000);

  it('A47: the PIN is in its file and in no argument, variable, configuration, journal or log', () => {
    const { pin } = site;
    for (const { child } of [site.custody!, line]) {
      for (const name of ['cmdline', 'environ']) {
        expect(readFileSync(`/proc/${child.pid}/${name}`, 'latin1')).not.toContain(pin);
      }
    }
    const holders = readdirSync(site.data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath}/${name}`)
      .filter((path) => readFileSync(path, 'latin1').includes(pin));
    expect(holders).toEqual([site.inCustody('pin')]);
  });

  it('A22: the memory of the line holds neither PIN nor private key; what it may hold is found there', () => {
    const clientToken = readFileSync(site.inCustody('clients', 'line.token'), 'utf8').trim();
    const memory = searchMemory(line.child.pid!, [site.pin, clientToken]);
    expect(memory.get(clientToken)).toBe(true);
    expect(memory.get(site.pin)).toBe(false);
  });

  it('A45: a signature made beside custody is refused by a verifier that demands inclusion', async () => {
    const evidence = parseUnitEvidence(Uint8Array.from(readFileSync(evidenceOf(0))));
    const { key } = evidenceKey();
    const last = evidence.entries.at(-1)!;
    const stray = countersignBeside(last.envelope, key);
    const forged = { ...evidence, entries: [...evidence.entries.slice(0, -1), { ...last, envelope: stray }] };
    const file = site.path(`${boards[0]!.label}.evidence.json`);
    writeFileSync(file, formatUnitEvidence(forged));
    const verdict = await verify(file);
    expect(verdict.exit).toBe(1);
    expect(verdict.stdout).toContain('FAILED');
    expect(verdict.stdout).toMatch(/log inclusion/);
  });

  it('A45, I15: a statement signed beside custody and pushed into the log is an alarm', async () => {
    await line.end();
    const { key } = evidenceKey();
    const evidence = parseUnitEvidence(Uint8Array.from(readFileSync(evidenceOf(0))));
    const index = await appendBesideTheLine(countersignBeside(evidence.entries.at(-1)!.envelope, key));
    const balance = await run(['keys', 'reconcile', '--data', site.data]);
    expect(balance.exit).toBe(1);
    expect(balance.stdout).toContain(`CU-162  entry ${index} of`);
    line = await site.startLine();
  }, 60_000);

  it('A46: custody does not start beside a key that nobody knows, and keys check names it', async () => {
    await site.endCustody();
    site.pkcs11Tool('--keypairgen', '--key-type', 'EC:prime256v1', '--id', '77', '--label', 'mine', '--extractable');
    const check = await runProcess(['keys', 'check', '--data', site.data]);
    expect(check.exit).toBe(4);
    expect(check.stdout).toContain('CU-127');
    await expect(RunningProgram.start(['custody', 'serve', '--data', site.data])).rejects.toThrow(
      /ended with 4: .*CU-127/s,
    );
    for (const type of ['privkey', 'pubkey']) site.pkcs11Tool('--delete-object', '--type', type, '--id', '77');
    await site.startCustody();
  }, 60_000);

  it('A47: a wrong PIN is sent once, a PIN in a reference is refused unread, and one in a readable file as well', async () => {
    const { label, serial } = site.token;
    const uri = `pkcs11:token=${label};serial=${serial};object=line-evidence?module-path=/usr/lib/softhsm/libsofthsm2.so`;
    const environment = { SOFTHSM2_CONF: site.inCustody('softhsm2.conf') };
    const check = (key: string): Promise<RunResult> =>
      runProcess(['keys', 'check', '--policy', 'line-evidence', '--key', key], { environment });
    const shown = await check(`${uri}&pin-value=${site.pin}`);
    expect(shown.exit).toBe(4);
    expect(shown.stderr).toContain('CU-201');
    expect(shown.stdout + shown.stderr).not.toContain(site.pin);
    const pinFile = site.path('wrong-pin');
    writeFileSync(pinFile, 'not-the-pin\n', { mode: 0o600 });
    const wrong = await check(`${uri}&pin-source=file:${pinFile}`);
    expect(wrong.exit).toBe(4);
    expect(wrong.stderr).toContain('CU-105');
    expect(wrong.stderr).not.toContain('not-the-pin');
    chmodSync(pinFile, 0o644);
    expect((await check(`${uri}&pin-source=file:${pinFile}`)).stderr).toContain('CU-112');
    const nobody = await check(uri);
    expect(nobody.exit).toBe(2);
    expect(nobody.stderr).toContain('pin-source');
  }, 60_000);

  it('A39: production takes keys in custody, and refuses to start with one in a file', async () => {
    await line.end();
    const production = (change: (config: Record<string, unknown>) => object): string => {
      const config = JSON.parse(readFileSync(`${site.data}/line.json`, 'utf8')) as Record<string, unknown>;
      const file = `${site.data}/line-production.json`;
      writeFileSync(
        file,
        JSON.stringify({ ...config, unsealingKey: undefined, environment: 'production', ...change(config) }),
      );
      return file;
    };
    const start = (file: string): Promise<RunningProgram> =>
      RunningProgram.start(['line', 'serve', '--config', file, '--port', '0']);
    const good = await start(production(() => ({})));
    expect(await good.end()).toBe(0);
    const soft = production(() => ({ evidenceKey: 'keys/station-station-1.pem' }));
    await expect(start(soft)).rejects.toThrow(/ended with 4: .*CU-202/s);
    line = await site.startLine();
  }, 120_000);

  it('A39: a station in production refuses its key in a file', async () => {
    const config = JSON.parse(readFileSync(`${site.data}/station.json`, 'utf8')) as object;
    const file = `${site.data}/station-production.json`;
    writeFileSync(file, JSON.stringify({ ...config, environment: 'production' }));
    const { device, label } = boards[3]!;
    const operator = ['--operator-key', site.key('operator-olga'), '--line', line.firstLine];
    const refused = await run([
      'station',
      'program',
      '--config',
      file,
      '--device',
      device,
      ...operator,
      '--label',
      label,
    ]);
    expect(refused.exit).toBe(4);
    expect(refused.stderr).toContain('CU-202');
  });

  function evidenceKey(): { readonly key: PublicKey } {
    const root = parseTrustedRoot(Uint8Array.from(readFileSync(`${site.data}/trusted-root.json`)));
    return toTrustedKeys(root).find(({ role }) => role === 'evidence')!;
  }

  /** The same statement with another countersignature: valid, and unknown to custody and log. */
  function countersignBeside(envelope: Envelope, key: PublicKey): Envelope {
    const message = preAuthEncoding(envelope.payloadType, envelope.payload);
    const digest = site.path('digest');
    const output = site.path('signature');
    writeFileSync(digest, sha256(message));
    const input = ['--input-file', digest, '--output-file', output, '--signature-format', 'openssl'];
    site.pkcs11Tool('--sign', '--mechanism', 'ECDSA', '--id', '11', ...input);
    const sig: Bytes = Uint8Array.from(readFileSync(output));
    expect(isSignedBy(key, message, sig)).toBe(true);
    const others = envelope.signatures.filter(({ keyid }) => keyid !== key.keyid);
    return { ...envelope, signatures: [...others, { keyid: key.keyid, sig }] };
  }

  /** As somebody who has the log's disk and its way to custody, and not the line's rules. */
  async function appendBesideTheLine(envelope: Envelope): Promise<number> {
    const config = JSON.parse(readFileSync(`${site.data}/line.json`, 'utf8')) as { log: { name: string } };
    const client = await CustodyClient.connect({
      socketPath: site.inCustody('custody.sock'),
      client: 'line',
      tokenFile: site.inCustody('clients', 'line.token'),
      newId: randomUUID,
    });
    const store = openSqliteStore({ path: `${site.data}/line/line.db` });
    try {
      const signer = new NoteSigner(config.log.name, client.key('log-checkpoint', 'checkpoint'));
      const log = await EvidenceLog.open({
        store,
        tiles: new TileStorage(`${site.data}/log`),
        signer,
        clock: systemClock,
      });
      const { index } = await log.append({ entry: formatEnvelope(envelope), changes: undefined, work: 'closing' });
      await log.close();
      return index;
    } finally {
      await store.close();
      client.close();
    }
  }
});

/** Which of the texts are in the writable memory of a process of ours. */
function searchMemory(pid: number, texts: readonly string[]): ReadonlyMap<string, boolean> {
  const script = [
    'import sys, re',
    'pid, wanted = sys.argv[1], [t.encode() for t in sys.argv[2:]]',
    'found = [False] * len(wanted)',
    'with open(f"/proc/{pid}/mem", "rb", 0) as mem:',
    '  for line in open(f"/proc/{pid}/maps"):',
    '    m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)',
    '    if m is None or "[v" in line: continue',
    '    try:',
    '      mem.seek(int(m[1], 16)); data = mem.read(int(m[2], 16) - int(m[1], 16))',
    '    except (OSError, ValueError, OverflowError): continue',
    '    for i, w in enumerate(wanted): found[i] = found[i] or w in data',
    'print("\\n".join("1" if f else "0" for f in found))',
  ].join('\n');
  const lines = execFileSync('python3', ['-c', script, String(pid), ...texts], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return new Map(texts.map((text, index) => [text, lines[index] === '1']));
}

async function eventually<T>(work: () => Promise<T>, isDone: (result: T) => boolean): Promise<T> {
  let result = await work();
  for (let tries = 0; tries < MAX_TRIES && !isDone(result); tries += 1) {
    await pause(POLL_MS);
    result = await work();
  }
  return result;
}
