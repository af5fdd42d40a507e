// SPDX-License-Identifier: Apache-2.0
/**
 * The PIV card application (NIST SP 800-73-4 part 2) with the instructions a YubiKey adds to it
 * (https://docs.yubico.com/yesdk/users-manual/application-piv/apdu/): GET VERSION, GET SERIAL, GET METADATA, IMPORT,
 * SET MANAGEMENT KEY, ATTEST. P-256 only. Real cryptography, no protection: a key is as safe as this process.
 */
import { createCipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { formatStatus, parseCommandApdu, StatusError, SW, type CommandApdu } from './apdu.ts';
import { PIN_POLICY, TOUCH_POLICY, type AttestationCa } from './attestation-ca.ts';
import { P256Key } from './p256-key.ts';
import { encodeTlv, findTlv } from './tlv.ts';

export interface PivAppletOptions {
  readonly serial: number;
  readonly pin: string;
  readonly puk: string;
  readonly attestationCa: AttestationCa;
}

interface SlotKey {
  readonly key: P256Key;
  readonly origin: 'generated' | 'imported';
  readonly pinPolicy: number;
  readonly touchPolicy: number;
}

const AID = Buffer.from('a000000308000010000100', 'hex');
const MINIMUM_AID_BYTES = 5;
const FIRMWARE = Buffer.of(5, 4, 3);
const ALGORITHM_3DES = 0x03;
const ALGORITHM_P256 = 0x11;
const DEFAULT_MANAGEMENT_KEY = Buffer.from('010203040506070801020304050607080102030405060708', 'hex');
const MANAGEMENT_SLOT = 0x9b;
const SIGNATURE_SLOT = 0x9c;
const CARD_AUTHENTICATION_SLOT = 0x9e;
const PIN_REFERENCE = 0x80;
const PUK_REFERENCE = 0x81;
const MAX_TRIES = 3;
const PIN_BYTES = 8;
const MAX_CHAINED_BYTES = 8192;
const RESPONSE_BYTES = 256;
const OBJECT = { chuid: 0x5fc102, capability: 0x5fc107, discovery: 0x7e, attestationCertificate: 0x5fff01 } as const;
const SLOT_NAMES = new Set([0x9a, SIGNATURE_SLOT, 0x9d, CARD_AUTHENTICATION_SLOT]);

/** A PIN or PUK, and how often it may still be tried. */
class Secret {
  tries = MAX_TRIES;
  isDefault = true;
  #value: Buffer;

  constructor(text: string) {
    this.#value = Buffer.from(text.padEnd(PIN_BYTES, '\xff'), 'latin1');
  }

  check(value: Buffer): void {
    if (this.tries === 0) throw new StatusError(SW.blocked);
    if (value.length === PIN_BYTES && timingSafeEqual(value, this.#value)) {
      this.tries = MAX_TRIES;
      return;
    }
    this.tries -= 1;
    throw new StatusError(this.tries === 0 ? SW.blocked : SW.wrongPin | this.tries);
  }

  set(value: Buffer): void {
    this.#value = Buffer.from(value);
    this.tries = MAX_TRIES;
    this.isDefault = false;
  }
}

export class PivApplet {
  readonly serial: number;
  /** Signatures made with keys in slots, by whoever asked. */
  signatures = 0;
  isTouched = true;
  readonly #pin: Secret;
  readonly #puk: Secret;
  readonly #ca: AttestationCa;
  readonly #objects = new Map<number, Buffer>();
  readonly #keys = new Map<number, SlotKey>();
  #managementKey = DEFAULT_MANAGEMENT_KEY;
  #isVerified = false;
  #isAdministrator = false;
  #witness: Buffer | null = null;
  #challenge: Buffer | null = null;
  #chained = Buffer.alloc(0);
  #unread = Buffer.alloc(0);

  constructor(options: PivAppletOptions) {
    this.serial = options.serial;
    this.#pin = new Secret(options.pin);
    this.#puk = new Secret(options.puk);
    this.#ca = options.attestationCa;
    this.#objects.set(OBJECT.chuid, chuid(options.serial));
    this.#objects.set(OBJECT.capability, capabilityContainer(options.serial));
    this.#objects.set(OBJECT.attestationCertificate, certificateObject(options.attestationCa.certificate));
  }

  get pinTries(): number {
    return this.#pin.tries;
  }

  /** Power lost or card reset. */
  reset(): void {
    this.#isVerified = false;
    this.#isAdministrator = false;
    this.#witness = null;
    this.#challenge = null;
    this.#chained = Buffer.alloc(0);
    this.#unread = Buffer.alloc(0);
  }

  /** One command APDU in, one response APDU out. */
  transmit(bytes: Buffer): Buffer {
    try {
      return this.#answer(this.#command(parseCommandApdu(bytes)));
    } catch (error) {
      this.#chained = Buffer.alloc(0);
      if (error instanceof StatusError) return formatStatus(error.status);
      if (error instanceof RangeError) return formatStatus(SW.wrongData);
      throw error;
    }
  }

  #answer(response: Buffer): Buffer {
    this.#unread = Buffer.from(response.subarray(RESPONSE_BYTES));
    const status = this.#unread.length === 0 ? SW.ok : SW.moreData | Math.min(this.#unread.length, 0xff);
    return Buffer.concat([response.subarray(0, RESPONSE_BYTES), formatStatus(status)]);
  }

  #command(part: CommandApdu): Buffer {
    if (part.ins === 0xc0) return this.#unread;
    const data = Buffer.concat([this.#chained, part.data]);
    if (data.length > MAX_CHAINED_BYTES) throw new StatusError(SW.wrongLength);
    const isLast = (part.cla & 0x10) === 0;
    this.#chained = isLast ? Buffer.alloc(0) : data;
    return isLast ? this.#execute({ ...part, data }) : Buffer.alloc(0);
  }

  #execute(command: CommandApdu): Buffer {
    switch (command.ins) {
      case 0xa4:
        return this.#select(command);
      case 0x20:
        return this.#verify(command);
      case 0x24:
        return this.#changeReferenceData(command);
      case 0x2c:
        return this.#resetRetryCounter(command);
      case 0xcb:
        return this.#getData(command);
      case 0xdb:
        return this.#putData(command);
      case 0x47:
        return this.#generate(command);
      case 0x87:
        return this.#generalAuthenticate(command);
      case 0xf7:
        return this.#metadata(command);
      case 0xf8:
        return unsigned32(this.serial);
      case 0xf9:
        return this.#attest(command);
      case 0xfd:
        return FIRMWARE;
      case 0xfe:
        return this.#importKey(command);
      case 0xff:
        return this.#setManagementKey(command);
      default:
        throw new StatusError(SW.unknownInstruction);
    }
  }

  #select({ data }: CommandApdu): Buffer {
    if (data.length < MINIMUM_AID_BYTES || !AID.subarray(0, data.length).equals(data)) {
      throw new StatusError(SW.notFound);
    }
    this.#isVerified = false;
    const authority = encodeTlv(0x79, encodeTlv(0x4f, AID.subarray(0, 5)));
    return encodeTlv(0x61, encodeTlv(0x4f, AID.subarray(5)), authority);
  }

  /** With no data it asks whether the PIN was verified. */
  #verify({ p2, data }: CommandApdu): Buffer {
    if (p2 !== PIN_REFERENCE) throw new StatusError(SW.referenceNotFound);
    if (data.length === 0) {
      if (this.#isVerified) return Buffer.alloc(0);
      throw new StatusError(this.#pin.tries === 0 ? SW.blocked : SW.wrongPin | this.#pin.tries);
    }
    this.#isVerified = false;
    this.#pin.check(data);
    this.#isVerified = true;
    return Buffer.alloc(0);
  }

  #changeReferenceData({ p2, data }: CommandApdu): Buffer {
    const secret = p2 === PIN_REFERENCE ? this.#pin : p2 === PUK_REFERENCE ? this.#puk : null;
    if (secret === null) throw new StatusError(SW.referenceNotFound);
    if (data.length !== 2 * PIN_BYTES) throw new StatusError(SW.wrongLength);
    secret.check(data.subarray(0, PIN_BYTES));
    secret.set(data.subarray(PIN_BYTES));
    return Buffer.alloc(0);
  }

  #resetRetryCounter({ p2, data }: CommandApdu): Buffer {
    if (p2 !== PIN_REFERENCE) throw new StatusError(SW.referenceNotFound);
    if (data.length !== 2 * PIN_BYTES) throw new StatusError(SW.wrongLength);
    this.#puk.check(data.subarray(0, PIN_BYTES));
    this.#pin.set(data.subarray(PIN_BYTES));
    return Buffer.alloc(0);
  }

  #getData({ data }: CommandApdu): Buffer {
    const name = objectName(data);
    if (name === OBJECT.discovery) {
      return encodeTlv(OBJECT.discovery, encodeTlv(0x4f, AID), encodeTlv(0x5f2f, Buffer.of(0x40, 0x00)));
    }
    const object = this.#objects.get(name);
    if (object === undefined || object.length === 0) throw new StatusError(SW.notFound);
    return encodeTlv(0x53, object);
  }

  #putData({ data }: CommandApdu): Buffer {
    this.#demandAdministrator();
    const object = findTlv(data, 0x53);
    if (object === undefined) throw new StatusError(SW.wrongData);
    this.#objects.set(objectName(data), Buffer.from(object));
    return Buffer.alloc(0);
  }

  #generate({ p2, data }: CommandApdu): Buffer {
    this.#demandAdministrator();
    const request = findTlv(data, 0xac);
    if (!SLOT_NAMES.has(p2) || request === undefined || findTlv(request, 0x80)?.[0] !== ALGORITHM_P256) {
      throw new StatusError(SW.wrongData);
    }
    const key = P256Key.generate();
    this.#keys.set(p2, { key, origin: 'generated', ...policiesOf(p2, request) });
    return encodeTlv(0x7f49, encodeTlv(0x86, key.point));
  }

  #importKey({ p1, p2, data }: CommandApdu): Buffer {
    this.#demandAdministrator();
    const secret = findTlv(data, 0x06);
    if (p1 !== ALGORITHM_P256 || !SLOT_NAMES.has(p2) || secret?.length !== 32) throw new StatusError(SW.wrongData);
    this.#keys.set(p2, { key: new P256Key(Buffer.from(secret)), origin: 'imported', ...policiesOf(p2, data) });
    return Buffer.alloc(0);
  }

  #attest({ p1 }: CommandApdu): Buffer {
    const slot = this.#keys.get(p1);
    if (slot === undefined) throw new StatusError(SW.referenceNotFound);
    // An imported key is never attested; that is what an attestation says.
    if (slot.origin === 'imported') throw new StatusError(SW.wrongData);
    const { key, pinPolicy, touchPolicy } = slot;
    const { spki } = key;
    return this.#ca.attest({ spki, slot: p1, firmware: FIRMWARE, serial: this.serial, pinPolicy, touchPolicy });
  }

  #generalAuthenticate({ p1, p2, data }: CommandApdu): Buffer {
    const template = findTlv(data, 0x7c);
    if (template === undefined) throw new StatusError(SW.wrongData);
    return p2 === MANAGEMENT_SLOT ? this.#authenticateAdministrator(template) : this.#sign(p1, p2, template);
  }

  #sign(algorithm: number, name: number, template: Buffer): Buffer {
    const slot = this.#keys.get(name);
    if (slot === undefined) throw new StatusError(SW.referenceNotFound);
    const digest = findTlv(template, 0x81);
    if (algorithm !== ALGORITHM_P256 || digest?.length !== 32) throw new StatusError(SW.wrongData);
    if (slot.pinPolicy !== PIN_POLICY.never && !this.#isVerified) throw new StatusError(SW.securityStatus);
    if (slot.pinPolicy === PIN_POLICY.always) this.#isVerified = false;
    if (slot.touchPolicy !== TOUCH_POLICY.never && !this.isTouched) throw new StatusError(SW.securityStatus);
    this.signatures += 1;
    return encodeTlv(0x7c, encodeTlv(0x82, slot.key.signDigest(digest)));
  }

  /** SP 800-73-4 part 2 appendix A.1: the host proves the key (single), or both do (mutual). */
  #authenticateAdministrator(template: Buffer): Buffer {
    const witness = findTlv(template, 0x80);
    const challenge = findTlv(template, 0x81);
    const response = findTlv(template, 0x82);
    if (witness?.length === 0) {
      this.#witness = randomBytes(8);
      return encodeTlv(0x7c, encodeTlv(0x80, this.#encrypt(this.#witness)));
    }
    if (witness !== undefined && challenge !== undefined) {
      const isProven = this.#witness !== null && isEqual(witness, this.#witness);
      this.#witness = null;
      if (!isProven) throw new StatusError(SW.securityStatus);
      this.#isAdministrator = true;
      return encodeTlv(0x7c, encodeTlv(0x82, this.#encrypt(challenge)));
    }
    if (challenge?.length === 0) {
      this.#challenge = randomBytes(8);
      return encodeTlv(0x7c, encodeTlv(0x81, this.#challenge));
    }
    const isProven = this.#challenge !== null && isEqual(response ?? Buffer.alloc(0), this.#encrypt(this.#challenge));
    this.#challenge = null;
    if (!isProven) throw new StatusError(SW.securityStatus);
    this.#isAdministrator = true;
    return Buffer.alloc(0);
  }

  #setManagementKey({ p1, p2, data }: CommandApdu): Buffer {
    this.#demandAdministrator();
    const isFramed = data[0] === ALGORITHM_3DES && data[1] === MANAGEMENT_SLOT && data[2] === data.length - 3;
    if (p1 !== 0xff || p2 < 0xfe) throw new StatusError(SW.wrongP1P2);
    if (!isFramed || data.length !== 3 + DEFAULT_MANAGEMENT_KEY.length) throw new StatusError(SW.wrongData);
    this.#managementKey = Buffer.from(data.subarray(3));
    return Buffer.alloc(0);
  }

  #metadata({ p2 }: CommandApdu): Buffer {
    const secret = p2 === PIN_REFERENCE ? this.#pin : p2 === PUK_REFERENCE ? this.#puk : null;
    if (secret !== null) {
      const tries = encodeTlv(0x06, Buffer.of(MAX_TRIES, secret.tries));
      return Buffer.concat([encodeTlv(0x05, Buffer.of(secret.isDefault ? 1 : 0)), tries]);
    }
    if (p2 === MANAGEMENT_SLOT) {
      const isDefault = this.#managementKey.equals(DEFAULT_MANAGEMENT_KEY) ? 1 : 0;
      const algorithm = encodeTlv(0x01, Buffer.of(ALGORITHM_3DES));
      return Buffer.concat([algorithm, encodeTlv(0x02, Buffer.of(0, 1)), encodeTlv(0x05, Buffer.of(isDefault))]);
    }
    const slot = this.#keys.get(p2);
    if (slot === undefined) throw new StatusError(SW.referenceNotFound);
    return Buffer.concat([
      encodeTlv(0x01, Buffer.of(ALGORITHM_P256)),
      encodeTlv(0x02, Buffer.of(slot.pinPolicy, slot.touchPolicy)),
      encodeTlv(0x03, Buffer.of(slot.origin === 'generated' ? 1 : 2)),
      encodeTlv(0x04, encodeTlv(0x86, slot.key.point)),
    ]);
  }

  #demandAdministrator(): void {
    if (!this.#isAdministrator) throw new StatusError(SW.securityStatus);
  }

  #encrypt(block: Buffer): Buffer {
    const cipher = createCipheriv('des-ede3', this.#managementKey, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]);
  }
}

function policiesOf(slot: number, request: Buffer): Pick<SlotKey, 'pinPolicy' | 'touchPolicy'> {
  const byDefault =
    slot === SIGNATURE_SLOT
      ? PIN_POLICY.always
      : slot === CARD_AUTHENTICATION_SLOT
        ? PIN_POLICY.never
        : PIN_POLICY.once;
  return {
    pinPolicy: findTlv(request, 0xaa)?.[0] ?? byDefault,
    touchPolicy: findTlv(request, 0xab)?.[0] ?? TOUCH_POLICY.never,
  };
}

function objectName(data: Buffer): number {
  const name = findTlv(data.subarray(0, 2 + (data[1] ?? 0)), 0x5c);
  if (name === undefined || name.length === 0 || name.length > 3) throw new StatusError(SW.wrongData);
  return name.readUIntBE(0, name.length);
}

/** Card holder unique identifier; its GUID follows from the serial. */
function chuid(serial: number): Buffer {
  const fascN = Buffer.from('d4e739da739ced39ce739d836858210842108421c84210c3eb', 'hex');
  const guid = createHash('sha256').update(`card ${serial}`).digest().subarray(0, 16);
  const empty = Buffer.alloc(0);
  return Buffer.concat([
    encodeTlv(0x30, fascN),
    encodeTlv(0x34, guid),
    encodeTlv(0x35, Buffer.from('20301231')),
    encodeTlv(0x3e, empty),
    encodeTlv(0xfe, empty),
  ]);
}

function capabilityContainer(serial: number): Buffer {
  const cardId = createHash('sha256').update(`container ${serial}`).digest().subarray(0, 14);
  const identifier = Buffer.concat([Buffer.from('a000000116ff02', 'hex'), cardId]);
  const fixed = Buffer.from('f10121f20121f300f40100f50110f600f700fa00fb00fc00fd00fe00', 'hex');
  return Buffer.concat([encodeTlv(0xf0, identifier), fixed]);
}

/** SP 800-73-4 part 1 table 10: certificate, not compressed, no error detection code. */
function certificateObject(certificate: Buffer): Buffer {
  return Buffer.concat([encodeTlv(0x70, certificate), encodeTlv(0x71, Buffer.of(0)), encodeTlv(0xfe, Buffer.alloc(0))]);
}

function unsigned32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function isEqual(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
