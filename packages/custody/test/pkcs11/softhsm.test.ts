// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { encodeUtf8, isSignedBy, parseNote, verifyEnvelope, verifyNote, sha256 } from '@witnessmark/core';
import {
  findKey,
  generateKeyPair,
  NoteSigner,
  openPkcs11Module,
  openToken,
  pinFromDescriptor,
  pinFromFile,
  signEnvelope,
  type PinRequest,
  type Pkcs11Module,
  type Pkcs11Token,
  type TokenRef,
} from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRIVATE, PUBLIC } from '../support/signing-key.ts';
import {
  createSoftHsm,
  hasSoftHsm,
  openSoftHsmModule,
  PIN,
  SOFTHSM_MODULE,
  type SoftHsm,
} from '../support/soft-hsm.ts';

const MESSAGE = encodeUtf8('a statement');

describe.skipIf(!hasSoftHsm)('PKCS#11 against SoftHSM', () => {
  let hsm: SoftHsm;
  let module: Pkcs11Module;
  let token: Pkcs11Token;
  let ref: TokenRef;
  let pins = 0;

  beforeAll(async () => {
    hsm = createSoftHsm();
    ref = { label: 'service-hsm', serial: hsm.createToken('service-hsm') };
    hsm.createToken('other');
    module = await openSoftHsmModule();
    token = await openToken(module, ref, { pin: () => Promise.resolve(PIN), readWrite: true });
  });

  afterAll(() => {
    token.close();
    module.close();
    hsm.remove();
  });

  it('signs with ECDSA P-256 made inside, under parallel calls', async () => {
    const key = makeKey('evidence', 1, 'ecdsa-sha2-nistp256');
    expect(key.custody).toBe('hardware');
    const signatures = await Promise.all(Array.from({ length: 40 }, () => key.sign(MESSAGE)));
    for (const signature of signatures) expect(isSignedBy(key.publicKey, MESSAGE, signature)).toBe(true);
    expect(isSignedBy(key.publicKey, encodeUtf8('another statement'), signatures[0]!)).toBe(false);
  });

  it('signs with Ed25519, so that a note of the log can be signed', async () => {
    const note = new NoteSigner('log.example/line-1', makeKey('log', 2, 'ed25519'));
    const signed = parseNote(await note.sign('text\n'));
    expect(verifyNote(signed, [note.verifierKey]).signers).toHaveLength(1);
    expect(signed.text).toBe('text\n');
  });

  it('signs an envelope that the verifier accepts', async () => {
    const key = makeKey('envelope', 3, 'ecdsa-sha2-nistp256');
    const envelope = await signEnvelope('application/vnd.in-toto+json', MESSAGE, [key]);
    expect(() =>
      verifyEnvelope(envelope, { keys: [key.publicKey], payloadType: envelope.payloadType, threshold: 1 }),
    ).not.toThrow();
  });

  it('makes a key that pkcs11-tool finds, and a signature that openssl verifies', async () => {
    const key = makeKey('third-party', 4, 'ecdsa-sha2-nistp256');
    const listing = pkcs11Tool(['--list-objects', '--type', 'privkey']);
    expect(listing).toMatch(/label:\s+third-party/);
    expect(listing).toMatch(/Access:\s+sensitive, always sensitive, never extract(?:r)?able, local/);
    const [message, signature, spki] = ['m', 's', 'k'].map((name) => join(hsm.dir, name));
    writeFileSync(message!, MESSAGE);
    writeFileSync(signature!, await key.sign(MESSAGE));
    writeFileSync(spki!, key.publicKey.spki);
    const args = ['dgst', '-sha256', '-keyform', 'DER', '-verify', spki!, '-signature', signature!, message!];
    expect(execFileSync('openssl', args, { encoding: 'utf8' })).toContain('Verified OK');
  });

  it('verifies a signature that pkcs11-tool made with the same key', () => {
    const key = findKey(token, { label: 'evidence' });
    const digest = join(hsm.dir, 'digest');
    const signature = join(hsm.dir, 'signature');
    writeFileSync(digest, sha256(MESSAGE));
    pkcs11Tool(['--sign', '-m', 'ECDSA', '--signature-format', 'openssl', '--id', '01', '-i', digest, '-o', signature]);
    expect(isSignedBy(key.publicKey, MESSAGE, Uint8Array.from(readFileSync(signature)))).toBe(true);
  });

  it('names a missing key and a key that is there twice', () => {
    expect(() => findKey(token, { label: 'nothing' })).toThrow(expect.objectContaining({ code: 'CU-108' }));
    makeKey('twin', 5, 'ecdsa-sha2-nistp256');
    expect(() => makeKey('twin', 6, 'ecdsa-sha2-nistp256').label).not.toThrow();
    expect(() => findKey(token, { label: 'twin' })).toThrow(expect.objectContaining({ code: 'CU-109' }));
    expect(findKey(token, { label: 'twin', id: Uint8Array.of(6) }).label).toBe('twin');
  });

  it('finds a token by label and serial together, and asks for no PIN otherwise', async () => {
    const requests: PinRequest[] = [];
    const pin = (request: PinRequest): Promise<string> => {
      requests.push(request);
      return Promise.resolve(PIN);
    };
    await expect(openToken(module, { ...ref, serial: 'ffff' }, { pin })).rejects.toMatchObject({ code: 'CU-104' });
    await expect(openToken(module, { ...ref, label: 'elsewhere' }, { pin })).rejects.toMatchObject({ code: 'CU-104' });
    await expect(openToken(module, { label: 'no', serial: 'none' }, { pin })).rejects.toMatchObject({ code: 'CU-102' });
    expect(requests).toEqual([]);
    await inAnotherProcess(['--token', ref.label, ref.serial, '--pin-file', pinFile(PIN)]);
  });

  it('A47: sends a wrong PIN once and shows it nowhere', async () => {
    const wrong = 'wrong-pin-58d1c9';
    const { code, output } = await inAnotherProcess(['--token', ref.label, ref.serial, '--pin-file', pinFile(wrong)]);
    expect(code).toBe(1);
    expect(output).toContain('CU-105');
    expect(output).not.toContain(wrong);
  });

  it('A47: keeps the PIN out of argv, environment, token objects and files of the process', async () => {
    const { code, output } = await inAnotherProcess(['--token', ref.label, ref.serial, '--pin-file', pinFile(PIN)]);
    expect(code).toBe(0);
    expect(output).toContain('signed');
    expect(output).not.toContain(PIN);
    expect(inspect(token, { depth: 8, showHidden: true })).not.toContain(PIN);
  });

  it('reads a PIN from a file only its owner can read, or a descriptor', async () => {
    const path = pinFile(PIN);
    await expect(pinFromFile(path)({} as PinRequest)).resolves.toBe(PIN);
    chmodSync(path, 0o640);
    await expect(pinFromFile(path)({} as PinRequest)).rejects.toMatchObject({ code: 'CU-112' });
    await expect(pinFromFile(`${path}-none`)({} as PinRequest)).rejects.toMatchObject({ code: 'CU-112' });
    const descriptor = openSync(path, 'r');
    const source = pinFromDescriptor(descriptor);
    await expect(source({} as PinRequest)).resolves.toBe(PIN);
    closeSync(descriptor);
    await expect(source({} as PinRequest)).resolves.toBe(PIN);
  });

  it.each(['', 'x'.repeat(65), 'tab\there'])('refuses %j as a PIN before a try is spent', async (text) => {
    await expect(pinFromFile(pinFile(text))({} as PinRequest)).rejects.toMatchObject({ code: 'CU-112' });
  });

  it('takes a PIN at the limit of 64 bytes', async () => {
    await expect(pinFromFile(pinFile('y'.repeat(64)))({} as PinRequest)).resolves.toHaveLength(64);
  });

  it('is found by all of several processes that start at one moment', async () => {
    const args = ['--token', ref.label, ref.serial, '--pin-file', pinFile(PIN)];
    const results = await Promise.all(Array.from({ length: 4 }, () => inAnotherProcess(args)));
    for (const { output } of results) expect(output).not.toMatch(/CU-10[24]/);
  });

  it('says when the module is missing or is none', async () => {
    await expect(openPkcs11Module('/nonexistent/module.so')).rejects.toMatchObject({ code: 'CU-101' });
    await expect(openPkcs11Module(pinFile('not a library'))).rejects.toMatchObject({ code: 'CU-101' });
  });

  it('says when the optional package is not installed', async () => {
    const hooks = `import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (name === 'pkcs11js') throw new Error('not found');
        return next(name, context);
      } });`;
    const args = ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`];
    const { code, output } = await inAnotherProcess(['--pin-file', pinFile(PIN)], args);
    expect(code).toBe(1);
    expect(output).toContain('CU-101');
    expect(output).toContain('the optional package pkcs11js is not installed');
  });

  function makeKey(label: string, id: number, scheme: 'ecdsa-sha2-nistp256' | 'ed25519') {
    return generateKeyPair(token, { label, id: Uint8Array.of(id), scheme, privateKey: PRIVATE, publicKey: PUBLIC });
  }

  function pkcs11Tool(args: string[]): string {
    const login = ['--module', SOFTHSM_MODULE, '--token-label', ref.label, '--login', '--pin', PIN];
    return execFileSync('pkcs11-tool', [...login, ...args], { env: hsm.env, encoding: 'utf8', stdio: 'pipe' });
  }

  function pinFile(text: string): string {
    const dir = join(hsm.dir, 'pins');
    mkdirSync(dir, { recursive: true });
    const path = join(dir, `pin-${(pins += 1)}`);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  }

  /** Signs in a process of its own, which prints all it knows: argv, environment, and any error with its causes. */
  async function inAnotherProcess(args: string[], nodeArgs: string[] = []): Promise<{ code: number; output: string }> {
    const script = join(import.meta.dirname, '../support/sign-once.ts');
    const child = spawn(process.execPath, [...process.execArgv, ...nodeArgs, script, ...args], { env: hsm.env });
    let output = '';
    child.stdout.on('data', (text: Buffer) => (output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  }
});
