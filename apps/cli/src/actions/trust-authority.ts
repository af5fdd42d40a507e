// SPDX-License-Identifier: Apache-2.0
/** The authority of a site's connections, and the certificates of its line servers. */
import { randomBytes } from 'node:crypto';
import {
  formatCertificatePem,
  issueCertificate,
  readCertificate,
  readCertificatePem,
  type CertificateProfile,
  type DistinguishedName,
} from '@witnessmark/enrolment';
import { formatInstant, sha256Hex } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustAuthorityOptions, trustCertifyLineOptions } from '../options/station-identity.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { ensureKey } from '../identity/key-making.ts';
import { purposeOfStatement } from '../purpose.ts';
import type { Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import { demandAuthority } from './trust-admit.ts';

const DAY_MS = 24 * 3600 * 1000;
const AUTHORITY_DAYS = 3650;
const LINE_DAYS = 365;
const BACKDATED_MS = 10 * 60 * 1000;

export async function trustAuthority({
  options,
  session,
}: CommandInput<typeof trustAuthorityOptions>): Promise<CommandResult> {
  const name: DistinguishedName = { organizationName: options.organization, commonName: options.name };
  const { publicKey } = await ensureKey(options.key, 'station-connection', (path) => path, session);
  const issuer = { name, publicKey };
  const days = options.days ?? AUTHORITY_DAYS;
  const plan = { profile: { kind: 'authority' }, subject: name, publicKey, issuer, days } as const;
  return issue(plan, { key: options.key, out: options.out }, session);
}

export async function trustCertifyLine({
  options,
  session,
}: CommandInput<typeof trustCertifyLineOptions>): Promise<CommandResult> {
  const [first, ...others] = options.host;
  if (first === undefined) throw usageError('--host is missing: under which name is the line reached?');
  const authority = readCertificate(
    readCertificatePem(Buffer.from(readFile(options.authority, DOCUMENT_BYTES)).toString('latin1')),
  );
  const { publicKey } = await ensureKey(options.key, 'station-connection', (path) => path, session);
  const subject: DistinguishedName = { organizationName: authority.subject.organizationName, commonName: first };
  const profile: CertificateProfile = { kind: 'line', hosts: [first, ...others] };
  const issuer = { name: authority.subject, publicKey: authority.publicKey };
  const plan = { profile, subject, publicKey, issuer, days: options.days ?? LINE_DAYS, until: authority.notAfter };
  const { authorityKey, out } = options;
  return issue(plan, { key: authorityKey, out, demand: authority }, session);
}

interface Plan {
  readonly profile: CertificateProfile;
  readonly subject: DistinguishedName;
  readonly publicKey: Parameters<typeof issueCertificate>[0]['publicKey'];
  readonly issuer: Parameters<typeof issueCertificate>[0]['issuer'];
  readonly days: number;
  readonly until?: number;
}

interface Issuing {
  readonly key: string;
  readonly out: string;
  /** The certificate the signing key has to belong to. */
  readonly demand?: ReturnType<typeof readCertificate>;
}

async function issue(
  { days, until = Infinity, ...plan }: Plan,
  { key, out, demand }: Issuing,
  session: Session,
): Promise<CommandResult> {
  const now = session.clock.now();
  const notAfter = Math.min(now + days * DAY_MS, until);
  const der = await withSigner(key, { session, purpose: purposeOfStatement }, (signer) => {
    if (demand !== undefined) demandAuthority(demand, signer);
    return issueCertificate(
      {
        ...plan,
        notBefore: now - BACKDATED_MS,
        notAfter,
        randomBytes: (length) => Uint8Array.from(randomBytes(length)),
      },
      (bytes) => signer.sign(bytes),
    );
  });
  writeFile(out, Buffer.from(formatCertificatePem(der)));
  const digest = sha256Hex(der);
  session.output.verdict(`${out} is certified until ${formatInstant(notAfter)}, sha256:${digest}`);
  return { exit: EXIT.yes, document: { out, sha256: digest, keyid: plan.publicKey.keyid } };
}
