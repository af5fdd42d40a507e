// SPDX-License-Identifier: Apache-2.0
/** Certificates and requests as OpenSSL reads them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import { buildCertificate, buildCertificateRequest, type CertificatePlan } from '../src/index.ts';

const hasOpenSsl = spawnSync('openssl', ['version']).error === undefined;
const key = generateSoftwareKey('ecdsa-sha2-nistp256');
const NAME = { organizationName: 'Żółw', commonName: 'CA' };
const PLAN: CertificatePlan = {
  subject: NAME,
  issuer: NAME,
  publicKey: key.publicKey,
  notBefore: Date.UTC(2026, 4, 6, 7, 8, 9, 999),
  notAfter: Date.UTC(2049, 11, 31, 23, 59, 59),
  isAuthority: true,
  randomBytes: (length) => new Uint8Array(length),
};

const build = (changes: Partial<CertificatePlan> = {}): Promise<Bytes> =>
  buildCertificate({ ...PLAN, ...changes }, (bytes) => key.sign(bytes));

function openssl(der: Bytes, ...args: readonly string[]): string {
  return execFileSync('openssl', [...args, '-inform', 'DER', '-noout'], {
    encoding: 'utf8',
    input: der,
    stdio: 'pipe',
  });
}

describe('a certificate', () => {
  it('verifies under the key that signed it, and under no other', async () => {
    const certificate = new X509Certificate(await build());
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    const other = generateSoftwareKey('ecdsa-sha2-nistp256');
    const foreign = new X509Certificate(await buildCertificate(PLAN, (bytes) => other.sign(bytes)));
    expect(foreign.verify(foreign.publicKey)).toBe(false);
  });

  it.each([0x00, 0x7f, 0x80, 0xff])(
    'has a positive serial number of 16 bytes when every random byte is %i',
    async (byte) => {
      const random = new Uint8Array(16).fill(byte);
      const { serialNumber } = new X509Certificate(await build({ randomBytes: () => random }));
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      expect(random).toEqual(new Uint8Array(16).fill(byte));
    },
  );

  it('starts and ends at whole seconds, and may end after 2050', async () => {
    const forever = Date.UTC(9999, 11, 31, 23, 59, 59);
    const { validFromDate, validToDate } = new X509Certificate(await build({ notAfter: forever }));
    expect(validFromDate.getTime()).toBe(Date.UTC(2026, 4, 6, 7, 8, 9));
    expect(validToDate.getTime()).toBe(forever);
  });
});

describe.skipIf(!hasOpenSsl)('what OpenSSL reads', () => {
  const read = (der: Bytes): string =>
    openssl(der, 'x509', '-text', '-certopt', 'no_pubkey,no_sigdump,no_serial', '-nameopt', 'RFC2253,utf8,-esc_msb');

  it('is an authority over end entities, and nothing that was not asked for', async () => {
    const text = read(await build());
    expect(text).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
    expect(text).toMatch(/Subject: CN=CA,O=Żółw\n/);
    expect(text.match(/X509v3 /g)).toHaveLength(3);
  });

  it('is an end entity with the use, the names and the key identifiers asked for', async () => {
    const text = read(
      await build({
        subject: { commonName: 'line' },
        isAuthority: false,
        extendedKeyUsage: 'serverAuth',
        subjectAltNames: [{ dns: 'line-3.example' }, { ip: '10.2.0.5' }, { ip: 'fe80::1' }, { uri: 'urn:x:1' }],
        subjectKeyIdentifier: Uint8Array.of(1, 2, 3),
        authorityKeyIdentifier: Uint8Array.of(4, 5, 6),
      }),
    );
    expect(text).toMatch(/Subject: CN=line\n/);
    expect(text).toMatch(/Basic Constraints: critical\n\s+CA:FALSE\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\n\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage: critical\n\s+TLS Web Server Authentication\n/);
    expect(text).toMatch(/DNS:line-3.example, IP Address:10.2.0.5, IP Address:FE80:0:0:0:0:0:0:1, URI:urn:x:1\n/);
    expect(text).toMatch(/Subject Key Identifier: \n\s+01:02:03\n/);
    expect(text).toMatch(/Authority Key Identifier: \n\s+(keyid:)?04:05:06\n/);
  });

  it('is a request that asks for nothing but its name', async () => {
    const der = await buildCertificateRequest({ commonName: 'ST-07' }, key.publicKey, (bytes) => key.sign(bytes));
    const text = openssl(der, 'req', '-text', '-verify');
    expect(text).toMatch(/Subject: CN\s*=\s*ST-07\n/);
    expect(text).toMatch(/Attributes:\s+\(none\)/);
  });
});
