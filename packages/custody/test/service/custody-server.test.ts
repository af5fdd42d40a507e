// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8, isSignedBy, sha256, sha256Hex, type PublicKey } from '@witnessmark/core';
import {
  CustodyClient,
  generateKey,
  keyPolicy,
  openToken,
  parseCustodyConfig,
  readAccount,
  reconcile,
} from '@witnessmark/custody';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createSoftHsm,
  hasSoftHsm,
  openSoftHsmModule,
  PIN,
  SOFTHSM_MODULE,
  type SoftHsm,
} from '../support/soft-hsm.ts';

const SERVER = join(import.meta.dirname, '../../src/custody-server.ts');
const MESSAGE = encodeUtf8('a statement');
const EVIDENCE = keyPolicy('line-evidence');

describe.skipIf(!hasSoftHsm)('the custody process on its own, with SoftHSM', () => {
  let hsm: SoftHsm;
  let serials: Record<'good' | 'bad', string>;
  let publicKey: PublicKey;
  let child: ChildProcess | null = null;
  const token = randomBytes(32).toString('hex');

  beforeAll(async () => {
    hsm = createSoftHsm();
    serials = { good: hsm.createToken('good'), bad: hsm.createToken('bad') };
    const module = await openSoftHsmModule();
    const options = { pin: () => Promise.resolve(PIN), readWrite: true };
    const good = await openToken(module, { label: 'good', serial: serials.good }, options);
    publicKey = generateKey(good, EVIDENCE).publicKey;
    module.close();
    const keygen = ['--keypairgen', '--key-type', 'EC:prime256v1', '--label', EVIDENCE.label, '--id', EVIDENCE.id];
    const login = ['--module', SOFTHSM_MODULE, '--token-label', 'bad', '--login', '--pin', PIN];
    execFileSync('pkcs11-tool', [...login, ...keygen], { env: hsm.env, stdio: 'pipe' });
    writeFileSync(join(hsm.dir, 'token'), token, { mode: 0o600 });
    writeFileSync(join(hsm.dir, 'pin'), PIN, { mode: 0o600 });
  });

  afterEach(async () => {
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    chmodSync(join(hsm.dir, 'pin'), 0o600);
  });

  afterAll(() => {
    hsm.remove();
  });

  it('signs, ends when it is told to, and leaves the PIN nowhere', async () => {
    const { output } = await start();
    const client = await connect();
    const signature = await client.key('line-evidence', 'event').sign(MESSAGE);
    expect(isSignedBy(publicKey, MESSAGE, signature)).toBe(true);
    const { pid } = child!;
    const shown = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8')).join('');
    expect(shown).not.toContain(PIN);
    client.close();
    child!.kill('SIGTERM');
    expect(await once(child!, 'exit')).toEqual([0, null]);
    const journal = readdirSync(join(hsm.dir, 'journal')).map((name) =>
      readFileSync(join(hsm.dir, 'journal', name), 'utf8'),
    );
    expect([...journal, output()].join('')).not.toContain(PIN);
  });

  it('is killed while it signs: an id never gets two signatures, and every one is on the account', async () => {
    await start();
    const ids = Array.from({ length: 60 }, () => randomUUID());
    const client = await connect();
    const key = client.key('line-evidence', 'event');
    const answered = new Map<string, Uint8Array>();
    const asking = ids.map((id) =>
      key.signAs(id, encodeUtf8(id)).then(
        (signature) => {
          answered.set(id, signature);
          if (answered.size === 5) child!.kill('SIGKILL');
        },
        () => undefined,
      ),
    );
    await Promise.all(asking);
    client.close();
    await start();
    const again = (await connect()).key('line-evidence', 'event');
    for (const id of ids) {
      const outcome = await again
        .signAs(id, encodeUtf8(id))
        .catch((error: unknown) => (error as { code: string }).code);
      if (typeof outcome === 'string') expect(outcome).toBe('CU-158');
      else if (answered.has(id)) expect(outcome).toEqual(answered.get(id));
      else expect(isSignedBy(publicKey, encodeUtf8(id), outcome)).toBe(true);
    }
    const account = readAccount(join(hsm.dir, 'journal')).filter(({ id }) => ids.includes(id as (typeof ids)[number]));
    expect(account).toHaveLength(ids.length);
  });

  it('A45: a signature made with pkcs11-tool beside custody is found as soon as it is logged', async () => {
    await start();
    const client = await connect();
    await client.key('line-evidence', 'event').sign(MESSAGE);
    const stray = encodeUtf8('a statement nobody asked for');
    const [digest, signature] = [join(hsm.dir, 'digest'), join(hsm.dir, 'signature')];
    writeFileSync(digest, sha256(stray));
    const login = ['--module', SOFTHSM_MODULE, '--token-label', 'good', '--login', '--pin', PIN, '--id', EVIDENCE.id];
    const form = ['--sign', '-m', 'ECDSA', '--signature-format', 'openssl', '-i', digest, '-o', signature];
    execFileSync('pkcs11-tool', [...login, ...form], { env: hsm.env, stdio: 'pipe' });
    expect(isSignedBy(publicKey, stray, Uint8Array.from(readFileSync(signature)))).toBe(true);
    const { keyid } = publicKey;
    const requests = readAccount(join(hsm.dir, 'journal')).filter(({ digest: of }) => of === sha256Hex(MESSAGE));
    const entry = (number: number, message: Uint8Array) => ({
      entry: String(number),
      keyid,
      digest: sha256Hex(message),
      signature: String(number),
    });
    const { findings } = reconcile({
      requests,
      logged: [entry(1, MESSAGE), entry(2, stray)],
      keyids: new Set([keyid]),
      loggedPurposes: new Set(['event']),
      token: null,
    });
    expect(findings).toMatchObject([{ code: 'CU-162', object: 'entry 2' }]);
    client.close();
  });

  it('A46: does not start with a key that was not made from its policy', async () => {
    expect(await refusal({ token: { label: 'bad', serial: serials.bad } })).toMatch(/CU-12[34] key line-evidence: /);
  });

  it('does not start without its token, its PIN, its key, or with a second of its kind', async () => {
    expect(await refusal({ token: { label: 'good', serial: 'ffff' } })).toContain('CU-104');
    expect(await refusal({ keys: ['device-ca'], clients: [] })).toContain('CU-108');
    chmodSync(join(hsm.dir, 'pin'), 0o644);
    expect(await refusal({})).toContain('CU-112');
    chmodSync(join(hsm.dir, 'pin'), 0o600);
    await start();
    const first = child;
    expect(await refusal({})).toContain('CU-156');
    first!.kill('SIGKILL');
    await once(first!, 'exit');
  });

  it.each([
    ['a PIN in the configuration', { pin: { from: 'value', value: PIN } }],
    ['a member nobody knows', { debug: true }],
    ['a key that lives on a card', { keys: ['trust-root'] }],
    ['a client with a key that is not configured', { keys: [] }],
    ['no sessions', { sessions: 0 }],
    ['another way to sign', { signing: 'later' }],
  ])('refuses a configuration with %s', (_, change) => {
    const bytes = encodeUtf8(JSON.stringify({ ...config(), ...change }));
    expect(() => parseCustodyConfig(bytes)).toThrow(expect.objectContaining({ code: 'CU-152' }));
    expect(parseCustodyConfig(encodeUtf8(JSON.stringify(config()))).keys).toEqual(['line-evidence']);
  });

  function config(): Record<string, unknown> {
    const tokenSha256 = createHash('sha256').update(token).digest('hex');
    return {
      socket: join(hsm.dir, 'custody.sock'),
      journal: join(hsm.dir, 'journal'),
      module: SOFTHSM_MODULE,
      token: { label: 'good', serial: serials.good },
      pin: { from: 'file', file: join(hsm.dir, 'pin') },
      sessions: 2,
      signing: 'blocking',
      keys: ['line-evidence'],
      clients: [{ name: 'line', tokenSha256, allow: [{ key: 'line-evidence', purposes: ['event'] }] }],
    };
  }

  function launch(change: object): { process: ChildProcess; output: () => string } {
    const path = join(hsm.dir, `custody-${randomUUID()}.json`);
    writeFileSync(path, JSON.stringify({ ...config(), ...change }));
    const process_ = spawn(process.execPath, [...process.execArgv, SERVER, path], { env: hsm.env });
    let text = '';
    for (const stream of [process_.stdout, process_.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return { process: process_, output: () => text };
  }

  async function start(): Promise<{ output: () => string }> {
    const launched = launch({});
    child = launched.process;
    await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
    expect(launched.output()).toBe('ready\n');
    return launched;
  }

  async function refusal(change: object): Promise<string> {
    const launched = launch(change);
    const [code] = (await once(launched.process, 'close')) as [number];
    expect(code).toBe(1);
    return launched.output();
  }

  function connect(): Promise<CustodyClient> {
    const tokenFile = join(hsm.dir, 'token');
    return CustodyClient.connect({
      socketPath: join(hsm.dir, 'custody.sock'),
      client: 'line',
      tokenFile,
      newId: randomUUID,
    });
  }
});
