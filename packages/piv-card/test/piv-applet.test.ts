// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, createCipheriv, createHash, randomBytes, verify, X509Certificate } from 'node:crypto';
import { AttestationCa, encodeTlv, findTlv, P256Key, PivApplet } from '@witnessmark/piv-card';
import { beforeEach, describe, expect, it } from 'vitest';

const PIN = '271828';
const PUK = '31415926';
const MANAGEMENT_KEY = Buffer.from('010203040506070801020304050607080102030405060708', 'hex');
const DIGEST = createHash('sha256').update('a statement').digest();
const GENERATE = encodeTlv(0xac, encodeTlv(0x80, Buffer.of(0x11)));

describe('the PIV applet', () => {
  let root: AttestationCa;
  let card: PivApplet;

  beforeEach(() => {
    root = AttestationCa.createRoot('Root');
    const attestationCa = root.createIntermediate('Card CA');
    card = new PivApplet({ serial: 4711, pin: PIN, puk: PUK, attestationCa });
    send(0xa4, 4, 0, Buffer.from('a000000308', 'hex'));
  });

  it('answers SELECT for its application only', () => {
    expect(send(0xa4, 4, 0, Buffer.from('a00000030800001000', 'hex')).status).toBe(0x9000);
    expect(send(0xa4, 4, 0, Buffer.from('a0000003', 'hex')).status).toBe(0x6a82);
    expect(send(0xa4, 4, 0, Buffer.from('a000000399', 'hex')).status).toBe(0x6a82);
  });

  it('A47: locks after three wrong PINs, and refuses the right one then', () => {
    expect([1, 2, 3].map(() => verifyPin('000000').status)).toEqual([0x63c2, 0x63c1, 0x6983]);
    expect(verifyPin(PIN).status).toBe(0x6983);
    expect(card.pinTries).toBe(0);
    const unblock = Buffer.concat([pinBlock(PUK), pinBlock('161803')]);
    expect(send(0x2c, 0, 0x80, unblock).status).toBe(0x9000);
    expect(verifyPin('161803').status).toBe(0x9000);
  });

  it('counts tries up again after a right PIN', () => {
    verifyPin('000000');
    expect(card.pinTries).toBe(2);
    verifyPin(PIN);
    expect(card.pinTries).toBe(3);
  });

  it('makes and stores nothing without the management key', () => {
    expect(send(0x47, 0, 0x9c, GENERATE).status).toBe(0x6982);
    expect(send(0xdb, 0x3f, 0xff, Buffer.concat([encodeTlv(0x5c, Buffer.of(1)), encodeTlv(0x53)])).status).toBe(0x6982);
    expect(send(0x87, 0x03, 0x9b, encodeTlv(0x7c, encodeTlv(0x82, randomBytes(8)))).status).toBe(0x6982);
  });

  it('makes a key, and signs with it once for each PIN', () => {
    const point = generate();
    expect(sign().status).toBe(0x6982);
    verifyPin(PIN);
    const signature = findTlv(findTlv(sign().data, 0x7c)!, 0x82)!;
    expect(verify('sha256', Buffer.from('a statement'), publicKey(point), signature)).toBe(true);
    expect(sign().status).toBe(0x6982);
    expect(card.signatures).toBe(1);
  });

  it('signs nothing that was not touched when the key wants it', () => {
    generate(encodeTlv(0xac, encodeTlv(0x80, Buffer.of(0x11)), encodeTlv(0xab, Buffer.of(2))));
    card.isTouched = false;
    verifyPin(PIN);
    expect(sign().status).toBe(0x6982);
    card.isTouched = true;
    verifyPin(PIN);
    expect(sign().status).toBe(0x9000);
  });

  it('attests a key made inside, and no other', () => {
    const point = generate();
    const leaf = new X509Certificate(send(0xf9, 0x9c, 0).data);
    const object = send(0xcb, 0x3f, 0xff, encodeTlv(0x5c, Buffer.from('5fff01', 'hex'))).data;
    const cardCa = new X509Certificate(findTlv(findTlv(object, 0x53)!, 0x70)!);
    expect(leaf.verify(cardCa.publicKey)).toBe(true);
    expect(cardCa.verify(new X509Certificate(root.certificate).publicKey)).toBe(true);
    expect(leaf.publicKey.equals(publicKey(point))).toBe(true);
    authenticate();
    expect(send(0xfe, 0x11, 0x9c, encodeTlv(0x06, randomBytes(32))).status).toBe(0x9000);
    expect(send(0xf9, 0x9c, 0).status).toBe(0x6a80);
  });

  it('takes chained commands and gives long answers in parts', () => {
    authenticate();
    const object = randomBytes(600);
    const data = Buffer.concat([encodeTlv(0x5c, Buffer.from('5fc10a', 'hex')), encodeTlv(0x53, object)]);
    expect(send(0xdb, 0x3f, 0xff, data.subarray(0, 255), 0x10).status).toBe(0x9000);
    expect(send(0xdb, 0x3f, 0xff, data.subarray(255, 510), 0x10).status).toBe(0x9000);
    expect(send(0xdb, 0x3f, 0xff, data.subarray(510)).status).toBe(0x9000);
    expect(findTlv(send(0xcb, 0x3f, 0xff, encodeTlv(0x5c, Buffer.from('5fc10a', 'hex'))).data, 0x53)).toEqual(object);
  });

  it('forgets PIN and management key when power is lost', () => {
    generate();
    verifyPin(PIN);
    card.reset();
    expect(sign().status).toBe(0x6982);
    expect(send(0x47, 0, 0x9c, GENERATE).status).toBe(0x6982);
  });

  it.each(['', '00', '00a40400', '00a4040009a0', '00cb3fff035c015f00', '00cb3fff00', '0087119c027c00', '00ff0000'])(
    'answers %j with a status word',
    (hex) => {
      expect(card.transmit(Buffer.from(hex, 'hex')).length).toBeGreaterThanOrEqual(2);
    },
  );

  function send(
    ins: number,
    p1: number,
    p2: number,
    data: Buffer = Buffer.alloc(0),
    cla = 0,
  ): { data: Buffer; status: number } {
    const head = Buffer.of(cla, ins, p1, p2);
    let answer = card.transmit(data.length === 0 ? head : Buffer.concat([head, Buffer.of(data.length), data]));
    const parts: Buffer[] = [];
    while (answer.at(-2) === 0x61) {
      parts.push(answer.subarray(0, -2));
      answer = card.transmit(Buffer.of(0, 0xc0, 0, 0, 0));
    }
    return { data: Buffer.concat([...parts, answer.subarray(0, -2)]), status: answer.readUInt16BE(answer.length - 2) };
  }

  function verifyPin(pin: string): { status: number } {
    return send(0x20, 0, 0x80, pinBlock(pin));
  }

  function authenticate(): void {
    const challenge = findTlv(findTlv(send(0x87, 0x03, 0x9b, encodeTlv(0x7c, encodeTlv(0x81))).data, 0x7c)!, 0x81)!;
    const cipher = createCipheriv('des-ede3', MANAGEMENT_KEY, null).setAutoPadding(false);
    expect(send(0x87, 0x03, 0x9b, encodeTlv(0x7c, encodeTlv(0x82, cipher.update(challenge)))).status).toBe(0x9000);
  }

  function generate(request = GENERATE): Buffer {
    authenticate();
    return findTlv(findTlv(send(0x47, 0, 0x9c, request).data, 0x7f49)!, 0x86)!;
  }

  function sign(): { data: Buffer; status: number } {
    return send(0x87, 0x11, 0x9c, encodeTlv(0x7c, encodeTlv(0x82), encodeTlv(0x81, DIGEST)));
  }
});

it('signs digests as OpenSSL verifies them', () => {
  const key = P256Key.generate();
  for (let count = 0; count < 20; count += 1) {
    const message = randomBytes(count);
    const signature = key.signDigest(createHash('sha256').update(message).digest());
    expect(verify('sha256', message, publicKey(key.point), signature)).toBe(true);
  }
});

function publicKey(point: Buffer) {
  const prefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
  return createPublicKey({ key: Buffer.concat([prefix, point]), format: 'der', type: 'spki' });
}

function pinBlock(pin: string): Buffer {
  return Buffer.from(pin.padEnd(8, '\xff'), 'latin1');
}
