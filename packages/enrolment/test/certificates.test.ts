// SPDX-License-Identifier: Apache-2.0
/** Requests and certificates as OpenSSL reads them, and as we read OpenSSL's. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '@witnessmark/core';
import {
  formatCertificatePem,
  formatStationName,
  parseStationName,
  readCertificate,
  readCertificatePem,
  verifyCertificateRequest,
} from '@witnessmark/enrolment';
import { issue, newKey, newStationKeys, requestCertificate, STATION, stationProfile } from './support/station.ts';

const hasOpenSsl = spawnSync('openssl', ['version']).error === undefined;
const LONG = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2049, 0, 1) };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-x509-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function save(name: string, bytes: Bytes | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const damage = (der: Bytes, at: number): Bytes => der.with(at, (der.at(at) as number) ^ 1);

describe.skipIf(!hasOpenSsl)('what OpenSSL says', () => {
  it('verifies our certificate request, and refuses a damaged one', async () => {
    const der = await requestCertificate(newKey());
    const verify = (bytes: Bytes): string | null => {
      const file = save('request.der', bytes);
      const { stderr, status } = spawnSync('openssl', ['req', '-inform', 'DER', '-in', file, '-noout', '-verify'], {
        encoding: 'utf8',
      });
      return status === 0 ? stderr : null;
    };
    expect(verify(der)).toMatch(/verify OK/);
    expect(verify(damage(der, der.length - 1))).not.toMatch(/verify OK/);
  });

  it('verifies our certificates for their use, and for no other', async () => {
    const [authority, server, keys] = [newKey(), newKey(), newStationKeys()];
    const authorityFile = save(
      'ca.pem',
      formatCertificatePem(await issue(authority, { kind: 'authority' }, authority, LONG)),
    );
    const line = await issue(authority, { kind: 'line', hosts: ['line-3.example', '10.2.0.5'] }, server, LONG);
    const station = await issue(authority, stationProfile(keys), keys.connection, LONG);
    const files = {
      line: save('line.pem', formatCertificatePem(line)),
      station: save('station.pem', formatCertificatePem(station)),
      foreign: save(
        'foreign.pem',
        formatCertificatePem(await issue(newKey(), stationProfile(keys), keys.connection, LONG)),
      ),
    };
    const verifies = (file: string, purpose: string): boolean =>
      spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', authorityFile, '-purpose', purpose, file]).status ===
      0;
    expect(verifies(files.line, 'sslserver')).toBe(true);
    expect(verifies(files.line, 'sslclient')).toBe(false);
    expect(verifies(files.station, 'sslclient')).toBe(true);
    expect(verifies(files.station, 'sslserver')).toBe(false);
    expect(verifies(files.foreign, 'sslclient')).toBe(false);
    const text = openssl('x509', '-in', files.station, '-noout', '-subject', '-ext', 'subjectAltName,keyUsage');
    expect(text).toContain('CN = ST-07');
    expect(text).toContain('URI:urn:witnessmark:station:PEN:L3:ST-07');
    expect(text).toContain(`URI:urn:witnessmark:key:${keys.station.publicKey.keyid}`);
    expect(openssl('x509', '-in', files.line, '-noout', '-ext', 'subjectAltName')).toMatch(
      /DNS:line-3\.example, IP Address:10\.2\.0\.5/,
    );
  });

  it('makes a request we verify, and one with an RSA key we do not read', () => {
    const key = join(folder, 'ec.key');
    const out = join(folder, 'openssl.der');
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key);
    openssl('req', '-new', '-key', key, '-subj', '/CN=ST-07', '-outform', 'DER', '-out', out);
    expect(verifyCertificateRequest(Uint8Array.from(readFileSync(out))).scheme).toBe('ecdsa-sha2-nistp256');
    openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      join(folder, 'rsa.key'),
      '-subj',
      '/CN=x',
      '-outform',
      'DER',
      '-out',
      out,
    );
    const read = (): unknown => verifyCertificateRequest(Uint8Array.from(readFileSync(out)));
    expect(read).toThrow(expect.objectContaining({ code: 'ERR_ENROLMENT_FORMAT' }));
  });
});

describe('a certificate', () => {
  it('is read strictly: no byte more, no byte less, none changed', async () => {
    const authority = newKey();
    const keys = newStationKeys();
    const root = readCertificate(await issue(authority, { kind: 'authority' }, authority));
    const der = await issue(authority, stationProfile(keys), keys.connection);
    expect(readCertificatePem(formatCertificatePem(der))).toEqual(der);
    expect(readCertificate(der).isIssuedBy(root)).toBe(true);
    expect(readCertificate(der).stationName()).toEqual({ ...STATION, keyid: keys.station.publicKey.keyid });
    const format = expect.objectContaining({ code: 'ERR_ENROLMENT_FORMAT' }) as Error;
    expect(() => readCertificate(Uint8Array.of(...der, 0))).toThrow(format);
    expect(() => readCertificate(der.subarray(0, -1))).toThrow(format);
    expect(() => readCertificate(new Uint8Array(8193))).toThrow(format);
    expect(() => readCertificatePem('no PEM')).toThrow(format);
    expect(readCertificate(damage(der, der.length - 1)).isIssuedBy(root)).toBe(false);
    // One station does not issue certificates for another.
    expect(readCertificate(der).isIssuedBy(readCertificate(der))).toBe(false);
    expect(() => root.stationName()).toThrow(format);
  });
});

describe('the name of a station in a certificate', () => {
  it('goes there and back, whatever its characters', () => {
    const name = { plant: 'Werk Süd', line: 'L:3', id: 'ST/07 %', keyid: 'ab'.repeat(32) };
    expect(parseStationName(formatStationName(name))).toEqual(name);
  });

  const key = `urn:witnessmark:key:${'ab'.repeat(32)}`;
  it.each([
    ['no names', []],
    ['one name', ['urn:witnessmark:station:P:L:S']],
    ['three names', ['urn:witnessmark:station:P:L:S', key, key]],
    ['the other order', [key, 'urn:witnessmark:station:P:L:S']],
    ['two parts', ['urn:witnessmark:station:P:L', key]],
    ['four parts', ['urn:witnessmark:station:P:L:S:T', key]],
    ['an empty part', ['urn:witnessmark:station:P::S', key]],
    ['a second spelling', ['urn:witnessmark:station:P:L:%53', key]],
    ['a line break', ['urn:witnessmark:station:P:L:S%0A', key]],
    ['no UTF-8', ['urn:witnessmark:station:P:L:%FF', key]],
    ['a short key', ['urn:witnessmark:station:P:L:S', key.slice(0, -1)]],
  ])('is refused with %s', (_what, uris) => {
    expect(() => parseStationName(uris)).toThrow(expect.objectContaining({ code: 'ERR_ENROLMENT_FORMAT' }));
  });
});
