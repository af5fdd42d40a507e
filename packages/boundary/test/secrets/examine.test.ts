// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_SECRET_CLASSES,
  Examiner,
  formatSecretClasses,
  markersOfImage,
  parseMarkers,
  SecretClasses,
  type ExamineOptions,
  type Marker,
  type SecretClassesDocument,
} from '../../src/index.ts';
import { codeOf } from '../support/code-of.ts';
import { rawTar } from '../support/raw-tar.ts';
import { rawZip } from '../support/raw-zip.ts';
import { CLASSES } from '../support/world.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wm-examine-'));
const hasCompiler = spawnSync('gcc', ['--version']).status === 0;
const hasAge = spawnSync('age-keygen', ['--version']).status === 0;

async function codesOf(
  content: Uint8Array | string,
  path = 'file',
  options: Partial<ExamineOptions> = {},
): Promise<readonly string[]> {
  const examiner = new Examiner({ classes: CLASSES, place: 'outside', ...options });
  return (await examiner.examine(path, Buffer.from(content))).findings.map(({ code }) => code);
}

function openssl(...args: readonly string[]): Buffer {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const pem = ec.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const pkcs12 = (): Buffer => {
  writeFileSync(join(scratch, 'k.pem'), pem);
  openssl('req', '-x509', '-key', join(scratch, 'k.pem'), '-subj', '/CN=x', '-out', join(scratch, 'c.pem'));
  return openssl(
    'pkcs12',
    '-export',
    '-inkey',
    join(scratch, 'k.pem'),
    '-in',
    join(scratch, 'c.pem'),
    '-passout',
    'pass:x',
  );
};
const openssh = (): Buffer => {
  const path = join(scratch, 'id');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  return readFileSync(path);
};
const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

const secrets: readonly (readonly [string, () => string | Uint8Array])[] = [
  ['PKCS#8 PEM', () => pem],
  ['SEC 1 PEM', () => ec.privateKey.export({ type: 'sec1', format: 'pem' })],
  ['PKCS#1 PEM', () => rsa.privateKey.export({ type: 'pkcs1', format: 'pem' })],
  [
    'encrypted PEM',
    () => ec.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
  ],
  [
    'PEM with headers',
    () => rsa.privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
  ],
  ['PEM in a JSON string', () => JSON.stringify({ key: pem })],
  ['PKCS#8 DER', () => ec.privateKey.export({ type: 'pkcs8', format: 'der' })],
  ['RSA PKCS#8 DER', () => rsa.privateKey.export({ type: 'pkcs8', format: 'der' })],
  ['Ed25519 DER', () => ed.privateKey.export({ type: 'pkcs8', format: 'der' })],
  ['SEC 1 DER', () => ec.privateKey.export({ type: 'sec1', format: 'der' })],
  ['PKCS#1 DER', () => rsa.privateKey.export({ type: 'pkcs1', format: 'der' })],
  [
    'encrypted DER',
    () => ec.privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: 'x' }),
  ],
  ['PKCS#12', pkcs12],
  ['JWK', () => JSON.stringify(ed.privateKey.export({ format: 'jwk' }))],
  ['RSA JWK', () => JSON.stringify(rsa.privateKey.export({ format: 'jwk' }))],
  ['symmetric JWK', () => JSON.stringify({ kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T' })],
  ['age identity', () => '# created\nAGE-SECRET-KEY-1QQPQ8K8LV5N7G5Y0V5R6S0PQRS5T6U7V8W9X0Y2Z3A4C5D6E7F8QPZRY9X\n'],
  ['Java key store', () => Buffer.from('feedfeed00000002', 'hex')],
];

describe('private keys (BX-121)', () => {
  it.each(secrets)('%s', async (_name, make) => {
    const content = Buffer.from(make());
    expect(await codesOf(content)).toEqual(['BX-121']);
    const noise = createHash('sha512').update('noise').digest();
    expect(await codesOf(Buffer.concat([noise, content, noise])), 'amid other bytes').toEqual(
      content.readUInt16BE(0) === 0xfeed ? [] : ['BX-121'],
    );
  });

  it.skipIf(!hasSshKeygen)('OpenSSH', async () => {
    expect(await codesOf(openssh())).toEqual(['BX-121']);
  });

  it.skipIf(!hasAge)('age, as age-keygen writes it', async () => {
    expect(await codesOf(execFileSync('age-keygen', { stdio: ['ignore', 'pipe', 'ignore'] }))).toEqual(['BX-121']);
  });

  it('in every wrapping that is looked into', async () => {
    const key = Buffer.from(pem);
    const base64 = key.toString('base64').replaceAll(/(.{76})/g, '$1\n');
    const wrappings: Record<string, Uint8Array> = {
      zip: rawZip([{ name: 'a.txt', content: key, deflated: true }]),
      tar: rawTar([{ name: 'a.txt', content: key }]),
      tarGzip: gzipSync(rawTar([{ name: 'a.txt', content: key }])),
      gzip: gzipSync(key),
      zlib: deflateSync(key),
      zipInTar: rawTar([{ name: 'a.zip', content: rawZip([{ name: 'a.txt', content: key }]) }]),
      gzipAmidBytes: Buffer.concat([Buffer.from('log line\n'), gzipSync(key)]),
      base64: Buffer.from(`data: ${base64}\n`),
      base64OfGzip: Buffer.from(gzipSync(key).toString('base64')),
      hexadecimal: Buffer.from(`dump: ${key.toString('hex')}`),
      utf16: Buffer.from(pem, 'utf16le'),
      utf16BigEndian: Buffer.from(pem, 'utf16le').swap16(),
    };
    for (const [name, content] of Object.entries(wrappings)) expect(await codesOf(content), name).toEqual(['BX-121']);
  });

  it('are not seen in public keys, certificates, digests, or in programs that know the headers', async () => {
    const innocent = [
      ec.publicKey.export({ type: 'spki', format: 'pem' }),
      ec.publicKey.export({ type: 'spki', format: 'der' }),
      rsa.publicKey.export({ type: 'pkcs1', format: 'der' }),
      JSON.stringify(ec.publicKey.export({ format: 'jwk' })),
      'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
      '-----BEGIN EC PRIVATE KEY-----\0-----END EC PRIVATE KEY-----\0-----BEGIN PRIVATE KEY-----\0',
      `sha256 ${'ab'.repeat(32)}`,
    ];
    for (const content of innocent) expect(await codesOf(Buffer.from(content))).toEqual([]);
  });
});

describe('source (BX-122)', () => {
  it.each([
    ['.git/config', '[core]'],
    ['src/main.c', ''],
    ['Makefile', 'all:\n'],
    ['a/CMakeLists.txt', ''],
    ['renamed.bin', '#include <stdint.h>\nstatic int secret(void) {\n  return 42;\n}\n'],
    ['renamed.txt', 'use std::io;\nfn main() {\n  let x = 1;\n  return x;\n}\n'],
    ['pack', 'PACK\0\0\0\u0002\0\0\0\u0001'],
  ])('%s', async (path, content) => {
    expect(await codesOf(content, path)).toEqual(['BX-122']);
  });

  it('in an archive', async () => {
    expect(await codesOf(rawZip([{ name: 'a/b.rs', content: '' }]), 'logs.zip')).toEqual(['BX-122']);
  });

  it('is not seen in logs and settings', async () => {
    const log = '2026-11-18T09:00:00Z station 7: if (retry) { again }\nreturn code 4; import failed\n';
    expect(await codesOf(log, 'station.log')).toEqual([]);
    expect(await codesOf('{"steps":["program"]}', 'recipe.json')).toEqual([]);
  });
});

describe('programs', () => {
  const source = join(scratch, 'p.c');
  const build = (name: string, ...flags: readonly string[]): Buffer => {
    writeFileSync(source, 'int main(void) { return 0; }\n');
    execFileSync('gcc', [...flags, '-o', join(scratch, name), source]);
    return readFileSync(join(scratch, name));
  };

  it.skipIf(!hasCompiler)('carry symbols or not, as strip and objcopy leave them (BX-127)', async () => {
    const debug = build('debug', '-g');
    expect(await codesOf(debug)).toEqual(['BX-127']);
    expect(await codesOf(build('symbols'))).toEqual(['BX-127']);
    const stripped = build('stripped', '-s');
    expect(await codesOf(stripped)).toEqual([]);
    execFileSync('objcopy', ['--only-keep-debug', join(scratch, 'debug'), join(scratch, 'only.debug')]);
    expect(await codesOf(readFileSync(join(scratch, 'only.debug')))).toEqual(['BX-127']);
    const examiner = new Examiner({ classes: CLASSES, place: 'outside' });
    expect(await examiner.examine('p', debug, { allowsSymbols: true })).toEqual({ findings: [], symbols: 'present' });
    expect((await examiner.examine('p', stripped)).symbols).toBe('stripped');
    expect(await codesOf(stripped.subarray(0, stripped.length - 64)), 'a section table cut off').toEqual(['BX-126']);
  });

  it('are core files (BX-123)', async () => {
    const core = Buffer.alloc(64);
    core.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    core.writeUInt16LE(4, 16);
    expect(await codesOf(core)).toEqual(['BX-123']);
    expect(await codesOf(gzipSync(core))).toEqual(['BX-123']);
    expect(await codesOf('MDMP\u0093\u00a7')).toEqual(['BX-123']);
  });

  it('with a header that makes no sense cannot be looked into (BX-126)', async () => {
    expect(await codesOf(Buffer.from('7f454c460909', 'hex'))).toEqual(['BX-126']);
  });
});

describe('what cannot be looked into', () => {
  it.each([
    ['xz', 'fd377a585a00aabbccdd'],
    ['bzip2', '425a68393141592653590000'],
    ['Zstandard', '28b52ffd2400'],
    ['7-Zip', '377abcaf271c0004'],
  ])('%s is refused (BX-126), unless a list vouches for it', async (_name, hex) => {
    expect(await codesOf(Buffer.from(hex, 'hex'))).toEqual(['BX-126']);
    expect(await codesOf(Buffer.from(hex, 'hex'), 'f', { allowsOpaque: true })).toEqual([]);
  });

  it('is not a text of a million digits, which is decoded whole', async () => {
    const digits = Buffer.concat([Buffer.alloc(1_000_000), Buffer.from(pem)]).toString('base64');
    expect(await codesOf(digits)).toEqual(['BX-121']);
    expect(await codesOf('ab'.repeat(1_000_000))).toEqual([]);
  });

  it('is nested deeper than the limit (BX-108), and not at the limit', async () => {
    let content: Uint8Array = Buffer.from('innermost');
    for (let depth = 0; depth < 4; depth += 1) content = rawZip([{ name: 'a.zip', content }]);
    expect(await codesOf(content)).toEqual([]);
    expect(await codesOf(rawZip([{ name: 'a.zip', content }]))).toEqual(['BX-108']);
  });

  it('unpacks to more than the limit (BX-126), or to a bad archive', async () => {
    const limits = { ...(await import('../../src/limits.ts')).BOUNDARY_LIMITS, maxExaminedBytes: 4096 };
    expect(await codesOf(gzipSync(Buffer.alloc(3000)), 'f', { limits })).toEqual([]);
    expect(await codesOf(gzipSync(Buffer.alloc(4097)), 'f', { limits })).toEqual(['BX-104']);
    expect(await codesOf(rawZip([{ name: '../a', content: '' }]))).toEqual(['BX-101']);
    // A root file system has links; a list vouches for it, and its files are examined as far as they can be read.
    const links = rawTar([
      { name: 'etc/key.txt', content: pem },
      { name: 'bin', type: '2', link: 'usr/bin' },
    ]);
    expect(await codesOf(links)).toEqual(['BX-121', 'BX-102']);
    expect(await codesOf(links, 'f', { allowsOpaque: true })).toEqual(['BX-121']);
  });
});

describe('markers (A76)', () => {
  const marker = (text: string): Uint8Array =>
    Buffer.from(
      JSON.stringify({
        mediaType: 'application/vnd.witnessmark.secret-markers.v1+json',
        markers: [{ class: 'customerName', name: 'customer 1', text }],
      }),
    );
  const markers = parseMarkers(marker('Norddeutsche Pumpen'));

  it.each<[string, (text: Buffer) => Uint8Array]>([
    ['as it is', (text) => text],
    ['in capitals', (text) => Buffer.from(text.toString().toUpperCase())],
    ['in UTF-16', (text) => Buffer.from(text.toString(), 'utf16le')],
    ['in UTF-16 the other way', (text) => Buffer.from(text.toString(), 'utf16le').swap16()],
    [
      'in base64, one byte off',
      (text) => Buffer.from(Buffer.concat([Buffer.from('x'), text, text]).toString('base64')),
    ],
    ['in base64, two bytes off', (text) => Buffer.from(Buffer.concat([Buffer.from('xy'), text]).toString('base64'))],
    ['in wrapped base64', (text) => Buffer.from(text.toString('base64').replaceAll(/(.{7})/g, '$1\r\n'))],
    ['in base64 for URLs', (text) => Buffer.from(text.toString('base64url'))],
    ['in hexadecimal', (text) => Buffer.from(text.toString('hex'))],
    [
      'in spaced capital hexadecimal',
      (text) => Buffer.from(text.toString('hex').toUpperCase().replaceAll(/(..)/g, '$1 ')),
    ],
    ['in gzip', (text) => gzipSync(text)],
    ['in gzip in base64', (text) => Buffer.from(gzipSync(Buffer.concat([text, Buffer.alloc(99)])).toString('base64'))],
  ])('are found %s (BX-125)', async (_name, encode) => {
    const text = Buffer.from('Norddeutsche Pumpen');
    const content = Buffer.concat([Buffer.from('line 1\n'), encode(text), Buffer.from('\nline 3')]);
    expect(await codesOf(content, 'f', { markers })).toEqual(['BX-125']);
    expect(await codesOf(content, 'f')).toEqual([]);
  });

  it('taken from an image find parts of it (BX-124)', async () => {
    const image = Buffer.concat(
      Array.from({ length: 512 }, (_, index) => createHash('sha256').update(`${index}`).digest()),
    );
    const pieces: readonly Marker[] = markersOfImage('GW-210-4.2.1', image);
    expect(pieces.length).toBeGreaterThan(40);
    const part = image.subarray(4000, 6000);
    expect(await codesOf(Buffer.concat([Buffer.from('crash: '), part]), 'f', { markers: pieces })).toEqual(['BX-124']);
    expect(await codesOf(part.toString('hex'), 'f', { markers: pieces })).toEqual(['BX-124']);
    expect(await codesOf(createHash('sha512').update('other').digest(), 'f', { markers: pieces })).toEqual([]);
    expect(markersOfImage('blank', Buffer.alloc(4096, 0xff))).toEqual([]);
  });

  it('are a list that is read strictly (BX-128)', async () => {
    const broken = [
      marker('abc'),
      Buffer.from('{}'),
      Buffer.from('{'),
      Buffer.from(Buffer.from(marker('abcd')).toString().replace('"text"', '"txt"')),
    ];
    for (const bytes of broken)
      expect(await codeOf(() => Promise.resolve().then(() => parseMarkers(bytes)))).toBe('BX-128');
    expect(parseMarkers(marker('abcd'))).toHaveLength(1);
  });
});

describe('serial lists (BX-125)', () => {
  const serials = (count: number): string =>
    Array.from({ length: count }, (_, index) => `GW-210-7Q3K-9ZD2-M4${'23456789ABCDEFGHJKMNPQRSTVWXYZ'[index]}T`).join(
      '\n',
    );

  it('are twenty different serials, not nineteen', async () => {
    expect(await codesOf(serials(20))).toEqual(['BX-125']);
    expect(await codesOf(serials(19))).toEqual([]);
    expect(await codesOf(serials(20), 'f', { place: 'inside' })).toEqual([]);
  });
});

describe('secret classes', () => {
  const change = (edit: (document: SecretClassesDocument) => unknown): Uint8Array =>
    Buffer.from(JSON.stringify(edit(structuredClone(DEFAULT_SECRET_CLASSES))));

  it.each([
    ['a class is missing', change((document) => ({ ...document, classes: document.classes.slice(1) }))],
    [
      'a class is named twice',
      change((document) => ({ ...document, classes: [document.classes[0], ...document.classes.slice(0, -1)] })),
    ],
    [
      'a form is unknown',
      change((document) => ({
        ...document,
        classes: [{ ...document.classes[0], inside: ['plain'] }, ...document.classes.slice(1)],
      })),
    ],
    ['a member is unknown', change((document) => ({ ...document, allow: '*' }))],
    ['it is no JSON', Buffer.from('{')],
  ])('are not read when %s (BX-128)', async (_what, bytes) => {
    expect(await codeOf(() => Promise.resolve().then(() => SecretClasses.parse(bytes)))).toBe('BX-128');
  });

  it('decide by place: what is forbidden outside may be allowed inside', async () => {
    const path = 'targets/images/app.bin';
    expect(await codesOf('firmware', path, { place: 'outside' })).toEqual(['BX-124']);
    expect(await codesOf('firmware', path, { place: 'inside' })).toEqual([]);
    const strict = SecretClasses.parse(
      formatSecretClasses({
        ...DEFAULT_SECRET_CLASSES,
        classes: DEFAULT_SECRET_CLASSES.classes.map((entry) =>
          entry.class === 'image' ? { ...entry, cache: ['sealed'] } : entry,
        ),
      }),
    );
    expect(await codesOf('firmware', path, { place: 'cache', classes: strict })).toEqual(['BX-124']);
  });
});
