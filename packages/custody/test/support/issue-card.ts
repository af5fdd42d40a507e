// SPDX-License-Identifier: Apache-2.0
/** Issues a card as a holder gets it, with Yubico's and OpenSSL's own tools: a key in slot 9c, a certificate that names the holder. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePublicKeyPem, type Bytes, type PublicKey } from '@witnessmark/core';
import type { CardReaders } from '@witnessmark/piv-card';

export interface IssuedCard {
  readonly publicKey: PublicKey;
  readonly leaf: Bytes;
  readonly intermediate: Bytes;
}

/** Works on the first card found. */
export function issueCard(readers: CardReaders, holder: string, touchPolicy = 'always'): IssuedCard {
  const dir = mkdtempSync(join(tmpdir(), 'witnessmark-card-'));
  const path = (name: string): string => join(dir, name);
  const piv = (...args: string[]): void => {
    execFileSync('yubico-piv-tool', ['-r', '', ...args], { env: { ...process.env, ...readers.env }, stdio: 'pipe' });
  };
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  try {
    const policies = ['--pin-policy', 'always', '--touch-policy', touchPolicy];
    piv('-s', '9c', '-A', 'ECCP256', ...policies, '-a', 'generate', '-o', path('pub.pem'));
    piv('-s', '9c', '-a', 'attest', '-o', path('leaf.pem'));
    piv('-s', 'f9', '-a', 'read-certificate', '-o', path('f9.pem'));
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path('ca.key')];
    openssl('req', '-x509', ...newKey, '-subj', '/CN=Card holders', '-days', '3000', '-out', path('ca.pem'));
    openssl('req', '-new', '-key', path('ca.key'), '-subj', `/CN=${holder}`, '-out', path('csr.pem'));
    const issuer = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-force_pubkey', path('pub.pem'), '-days', '3000'];
    openssl('x509', '-req', '-in', path('csr.pem'), ...issuer, '-out', path('cert.pem'));
    piv('-s', '9c', '-a', 'import-certificate', '-i', path('cert.pem'));
    return {
      publicKey: parsePublicKeyPem(readFileSync(path('pub.pem'), 'utf8')),
      leaf: toDer(readFileSync(path('leaf.pem'), 'utf8')),
      intermediate: toDer(readFileSync(path('f9.pem'), 'utf8')),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function toDer(pem: string): Bytes {
  return Uint8Array.from(Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64'));
}
