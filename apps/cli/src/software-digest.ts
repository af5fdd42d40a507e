// SPDX-License-Identifier: Apache-2.0
/** Which software signs: one digest over every file of this program's packages, so that a changed file shows in each record. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeUtf8, sha256Hex } from '@witnessmark/core';

const PACKAGES = [
  '@witnessmark/core',
  '@witnessmark/attestation',
  '@witnessmark/tlog',
  '@witnessmark/bundle',
  '@witnessmark/verify',
  '@witnessmark/trust',
  '@witnessmark/custody',
  '@witnessmark/store',
  '@witnessmark/log',
  '@witnessmark/gate',
  '@witnessmark/boundary',
  '@witnessmark/ceremony',
  '@witnessmark/build-record',
  '@witnessmark/x509',
  '@witnessmark/device',
  '@witnessmark/label',
  '@witnessmark/enrolment',
  '@witnessmark/api',
  '@witnessmark/station',
  '@witnessmark/line',
];

/** SHA-256 over lines `digest  package/file`, sorted, of the files that run: sources in a checkout, else what was built. */
export function softwareDigest(): string {
  const folders: [string, string][] = PACKAGES.map((name) => [name, dirname(fileURLToPath(import.meta.resolve(name)))]);
  folders.push(['witnessmark', dirname(fileURLToPath(import.meta.url))]);
  const lines = folders.flatMap(([name, folder]) =>
    globSync('**/*.{ts,js,json}', { cwd: folder, exclude: ['**/*.d.ts'] }).map(
      (file) => `${sha256Hex(readFileSync(join(folder, file)))}  ${name}/${file}\n`,
    ),
  );
  return sha256Hex(encodeUtf8(lines.sort().join('')));
}
