// SPDX-License-Identifier: Apache-2.0
/** What a station keeps of its own identity (spec/station-enrolment.md): no key, and nothing that another machine could use alone. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatCertificatePem,
  formatStationRequest,
  parseStationRequest,
  readOwnRequest,
  type StationRequest,
  type VerifiedAnswer,
  type VettedRequest,
} from '@witnessmark/enrolment';
import type { Bytes } from '@witnessmark/core';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';

const SALT_BYTES = 32;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const MAX_PEM_BYTES = 16 * 1024;

export class IdentityDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get request(): string {
    return join(this.path, 'request.json');
  }

  get certificate(): string {
    return join(this.path, 'certificate.pem');
  }

  /** The authority of the site, which issued the line's certificate too. */
  get authority(): string {
    return join(this.path, 'authority.pem');
  }

  get retirement(): string {
    return join(this.path, 'retirement.json');
  }

  /** Keys the digests of the machine's parts; made once. */
  salt(): Bytes {
    const path = join(this.path, 'salt');
    if (!existsSync(path)) {
      this.make();
      writeFile(path, Uint8Array.from(randomBytes(SALT_BYTES)), PRIVATE_FILE);
    }
    return readFile(path, SALT_BYTES);
  }

  make(): void {
    mkdirSync(this.path, { recursive: true, mode: PRIVATE_DIRECTORY });
  }

  /** A request begins another life of the station: what ended the one before is not its own. */
  saveRequest(request: StationRequest): void {
    this.make();
    rmSync(this.retirement, { force: true });
    writeFile(this.request, formatStationRequest(request));
  }

  /** The newest request of this station; null before the first. Throws ID-121 for one that does not hold. */
  readRequest(): { readonly request: StationRequest; readonly vetted: VettedRequest } | null {
    if (!existsSync(this.request)) return null;
    const request = parseStationRequest(readFile(this.request, DOCUMENT_BYTES));
    return { request, vetted: readOwnRequest(request) };
  }

  /** The authority first: a certificate is used only beside the one that issued it. */
  saveCertificate({ own, authority }: NonNullable<VerifiedAnswer['certificate']>): void {
    writeFile(this.authority, Buffer.from(formatCertificatePem(authority)));
    writeFile(this.certificate, Buffer.from(formatCertificatePem(own)));
  }

  /** PEM; null before an answer was installed. */
  readPem(which: 'certificate' | 'authority'): string | null {
    const path = this[which];
    return existsSync(path) ? Buffer.from(readFile(path, MAX_PEM_BYTES)).toString('latin1') : null;
  }
}
