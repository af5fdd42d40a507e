// SPDX-License-Identifier: Apache-2.0
/**
 * Certificates in the format of the YubiKey PIV attestation (https://developers.yubico.com/PIV/Introduction/PIV_attestation.html):
 * a vendor root, the card's own F9 certificate, and one for each key made inside, with the extensions under
 * 1.3.6.1.4.1.41482.3. The root is ours: nothing here vouches for a real card.
 */
import { createHash, randomBytes } from 'node:crypto';
import { P256Key } from './p256-key.ts';
import { encodeTlv } from './tlv.ts';

export const PIN_POLICY = { never: 1, once: 2, always: 3 } as const;
export const TOUCH_POLICY = { never: 1, always: 2, cached: 3 } as const;

export interface AttestedKey {
  readonly spki: Buffer;
  readonly slot: number;
  readonly firmware: Buffer;
  readonly serial: number;
  readonly pinPolicy: number;
  readonly touchPolicy: number;
}

const YUBICO_PIV = '2b0601040182c40a03';
const ECDSA_WITH_SHA256 = encodeTlv(0x30, encodeTlv(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = encodeTlv(0x06, Buffer.from('550403', 'hex'));
const BASIC_CONSTRAINTS = '551d13';
/** Keychain with a USB-A connector. */
const FORM_FACTOR = 0x01;
const NOT_BEFORE = '160314000000Z';
const NOT_AFTER = '20520417000000Z';
const FALSE_BY_DEFAULT = Buffer.alloc(0);
const TRUE = Buffer.of(0x01, 0x01, 0xff);

/** A certificate authority of three lines: a name, a key, and what it signs. */
export class AttestationCa {
  readonly name: string;
  readonly certificate: Buffer;
  readonly #key: P256Key;

  private constructor(name: string, key: P256Key, certificate: Buffer) {
    this.name = name;
    this.certificate = certificate;
    this.#key = key;
  }

  static createRoot(name: string): AttestationCa {
    const key = P256Key.generate();
    const body = { issuer: name, subject: name, spki: key.spki, extensions: [caExtension(true)] };
    return new AttestationCa(name, key, issue(key, body));
  }

  /** The CA inside one card. */
  createIntermediate(name: string): AttestationCa {
    const key = P256Key.generate();
    const body = { issuer: this.name, subject: name, spki: key.spki, extensions: [caExtension(true)] };
    return new AttestationCa(name, key, issue(this.#key, body));
  }

  attest(key: AttestedKey): Buffer {
    const slot = key.slot.toString(16);
    return issue(this.#key, {
      issuer: this.name,
      subject: `YubiKey PIV Attestation ${slot}`,
      spki: key.spki,
      extensions: [
        extension(`${YUBICO_PIV}03`, key.firmware),
        extension(`${YUBICO_PIV}07`, encodeTlv(0x02, toUnsigned(key.serial))),
        extension(`${YUBICO_PIV}08`, Buffer.of(key.pinPolicy, key.touchPolicy)),
        extension(`${YUBICO_PIV}09`, Buffer.of(FORM_FACTOR)),
      ],
    });
  }
}

interface CertificateBody {
  readonly issuer: string;
  readonly subject: string;
  readonly spki: Buffer;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280 section 4.1. */
function issue(issuer: P256Key, body: CertificateBody): Buffer {
  const tbs = encodeTlv(
    0x30,
    encodeTlv(0xa0, Buffer.of(0x02, 0x01, 0x02)),
    encodeTlv(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    commonName(body.issuer),
    encodeTlv(0x30, encodeTlv(0x17, Buffer.from(NOT_BEFORE)), encodeTlv(0x18, Buffer.from(NOT_AFTER))),
    commonName(body.subject),
    body.spki,
    encodeTlv(0xa3, encodeTlv(0x30, ...body.extensions)),
  );
  const signature = issuer.signDigest(createHash('sha256').update(tbs).digest());
  return encodeTlv(0x30, tbs, ECDSA_WITH_SHA256, encodeTlv(0x03, Buffer.of(0), signature));
}

function commonName(name: string): Buffer {
  return encodeTlv(0x30, encodeTlv(0x31, encodeTlv(0x30, COMMON_NAME, encodeTlv(0x0c, Buffer.from(name)))));
}

function caExtension(isCa: boolean): Buffer {
  return extension(BASIC_CONSTRAINTS, encodeTlv(0x30, isCa ? TRUE : FALSE_BY_DEFAULT), TRUE);
}

function extension(oid: string, value: Buffer, critical: Buffer = FALSE_BY_DEFAULT): Buffer {
  return encodeTlv(0x30, encodeTlv(0x06, Buffer.from(oid, 'hex')), critical, encodeTlv(0x04, value));
}

function toUnsigned(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUIntBE(value, 0, 5);
  let start = 0;
  while (start < 4 && bytes[start] === 0 && ((bytes[start + 1] as number) & 0x80) === 0) start += 1;
  return bytes.subarray(start);
}
