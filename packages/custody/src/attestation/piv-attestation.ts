// SPDX-License-Identifier: Apache-2.0
/**
 * PIV attestation in the format of the YubiKey
 * (https://developers.yubico.com/PIV/Introduction/PIV_attestation.html): the card's F9 key signs a certificate for a key
 * that was made in a slot; an imported key gets none. Everything comes from a card nobody vouches for until it verifies.
 */
import { X509Certificate } from 'node:crypto';
import {
  encodeHex,
  equalBytes,
  parsePublicKey,
  RefusedError,
  type Bytes,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { certificateExtensions } from './certificate-extensions.ts';
import type { CustodyGrade } from '../grade.ts';
import type { PivPolicy } from '../key-policy/key-policy.ts';

export interface PivAttestation {
  /** DER. */
  readonly leaf: Bytes;
  /** The F9 certificate, and any between it and the root; DER. */
  readonly intermediates: readonly Bytes[];
}

export interface PivExpectation {
  /** Roots of the vendor, chosen by whoever verifies; DER. */
  readonly roots: readonly Bytes[];
  readonly time: Instant;
  readonly publicKey: PublicKey;
  readonly serial: number;
  readonly policy: PivPolicy;
}

export interface AttestedPivKey {
  readonly grade: Extract<CustodyGrade, 'vendorAttested'>;
  readonly publicKey: PublicKey;
  readonly slot: string;
  readonly serial: number;
  readonly firmware: string;
  readonly pinPolicy: PivPolicy['pinPolicy'];
  readonly touchPolicy: PivPolicy['touchPolicy'];
}

const YUBICO_PIV = '1.3.6.1.4.1.41482.3';
const EXTENSION = { firmware: `${YUBICO_PIV}.3`, serial: `${YUBICO_PIV}.7`, policy: `${YUBICO_PIV}.8` };
const LIMITS = { maxCertificateBytes: 4_096, maxIntermediates: 3 };
const SUBJECT = /^CN=YubiKey PIV Attestation ([0-9a-f]{2})$/;
/** Weakest first; the position is the encoded value less one. */
const PIN_POLICIES = ['never', 'once', 'always'] as const;
/** The encoded values 1, 2 and 3. */
const TOUCH_POLICIES = ['never', 'always', 'cached'] as const;
const TOUCH_STRENGTH = ['never', 'cached', 'always'] as const;

/** Throws CU-131 to CU-134, or returns what the vendor's chain says about the key. */
export function verifyPivAttestation(attestation: PivAttestation, expected: PivExpectation): AttestedPivKey {
  const leaf = readCertificate(attestation.leaf);
  verifyChain(leaf, attestation.intermediates, expected);
  const attested = readClaims(leaf, attestation.leaf);
  demandSame('slot', expected.policy.slot, attested.slot);
  demandSame('serial', expected.serial, attested.serial);
  demandSame('public key', expected.publicKey.keyid, attested.publicKey.keyid);
  demandPolicy(expected.policy, attested);
  return attested;
}

function verifyChain(leaf: X509Certificate, others: readonly Bytes[], { roots, time }: PivExpectation): void {
  if (others.length === 0 || others.length > LIMITS.maxIntermediates) {
    throw new RefusedError('CU-132', `${others.length} certificates between key and root, expected 1 to 3`);
  }
  const chain = others.map(readCertificate);
  demandValid(leaf, time);
  let child = leaf;
  for (const parent of chain) {
    demandIssued(child, parent, time);
    child = parent;
  }
  const root = roots.map(readCertificate).find((candidate) => isIssuedBy(child, candidate));
  if (root === undefined) throw new RefusedError('CU-132', `no trusted root issued ${nameOf(child)}`);
  demandIssued(child, root, time);
}

function demandIssued(child: X509Certificate, parent: X509Certificate, time: Instant): void {
  if (!parent.ca) throw new RefusedError('CU-132', `${nameOf(parent)} is not a certificate authority`);
  if (!isIssuedBy(child, parent)) throw new RefusedError('CU-132', `${nameOf(parent)} did not sign ${nameOf(child)}`);
  demandValid(parent, time);
}

function isIssuedBy(child: X509Certificate, parent: X509Certificate): boolean {
  return child.checkIssued(parent) && child.verify(parent.publicKey);
}

function demandValid(certificate: X509Certificate, time: Instant): void {
  if (time < certificate.validFromDate.getTime() || time > certificate.validToDate.getTime()) {
    throw new RefusedError('CU-132', `${nameOf(certificate)} is not valid at the time given`);
  }
}

function readClaims(certificate: X509Certificate, der: Bytes): AttestedPivKey {
  const slot = SUBJECT.exec(certificate.subject)?.[1];
  if (slot === undefined) throw malformed('the subject names no slot');
  const extensions = certificateExtensions(der);
  const firmware = one(extensions, EXTENSION.firmware);
  const policy = one(extensions, EXTENSION.policy);
  const pinPolicy = PIN_POLICIES[(policy[0] ?? 0) - 1];
  const touchPolicy = TOUCH_POLICIES[(policy[1] ?? 0) - 1];
  if (firmware.length !== 3) throw malformed('the firmware version has not three bytes');
  if (policy.length !== 2 || pinPolicy === undefined || touchPolicy === undefined) {
    throw malformed('PIN and touch policy are not two known values');
  }
  const serial = readInteger(one(extensions, EXTENSION.serial));
  const publicKey = readKey(certificate);
  return { grade: 'vendorAttested', publicKey, slot, serial, firmware: firmware.join('.'), pinPolicy, touchPolicy };
}

function one(extensions: ReadonlyMap<string, readonly Bytes[]>, oid: string): Bytes {
  const values = extensions.get(oid) ?? [];
  if (values.length !== 1) throw malformed(`the extension ${oid} is there ${values.length} times`);
  return values[0] as Bytes;
}

/** A positive DER INTEGER of at most five bytes. */
function readInteger(bytes: Bytes): number {
  const [tag, length, ...content] = bytes;
  const isInteger = tag === 0x02 && length === content.length && length > 0 && length <= 5;
  if (!isInteger || (content[0] as number) >= 0x80) throw malformed('the serial is not a positive integer');
  return Number.parseInt(encodeHex(Uint8Array.from(content)), 16);
}

function readKey(certificate: X509Certificate): PublicKey {
  try {
    return parsePublicKey(Uint8Array.from(certificate.publicKey.export({ type: 'spki', format: 'der' })));
  } catch (cause) {
    throw new RefusedError('CU-131', 'the attested key is not on P-256', { cause });
  }
}

function readCertificate(der: Bytes): X509Certificate {
  if (der.length > LIMITS.maxCertificateBytes) {
    throw malformed(`${der.length} bytes of certificate, at most ${LIMITS.maxCertificateBytes} are read`);
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (cause) {
    throw new RefusedError('CU-131', 'the bytes are not a certificate', { cause });
  }
  // OpenSSL reads PEM and trailing bytes as well.
  if (!equalBytes(Uint8Array.from(certificate.raw), der)) throw malformed('the bytes are not exactly one certificate');
  return certificate;
}

function demandSame(what: string, expected: string | number, found: string | number): void {
  if (expected !== found) throw new RefusedError('CU-133', `expected ${what} ${expected}, attested is ${found}`);
}

function demandPolicy(expected: PivPolicy, found: AttestedPivKey): void {
  const pin = PIN_POLICIES.indexOf(found.pinPolicy) >= PIN_POLICIES.indexOf(expected.pinPolicy);
  const touch = TOUCH_STRENGTH.indexOf(found.touchPolicy) >= TOUCH_STRENGTH.indexOf(expected.touchPolicy);
  if (!pin) throw new RefusedError('CU-134', `expected PIN ${expected.pinPolicy}, attested is ${found.pinPolicy}`);
  if (!touch)
    throw new RefusedError('CU-134', `expected touch ${expected.touchPolicy}, attested is ${found.touchPolicy}`);
}

function nameOf(certificate: X509Certificate): string {
  return `certificate "${certificate.subject.slice(0, 80).replaceAll(/\s/g, ' ')}"`;
}

function malformed(message: string): RefusedError {
  return new RefusedError('CU-131', message);
}
