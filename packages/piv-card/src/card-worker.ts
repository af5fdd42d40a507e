// SPDX-License-Identifier: Apache-2.0
/**
 * The thread a card lives in: PKCS#11 calls block the thread they are made from, and a card must answer meanwhile. It
 * speaks vpcd's protocol: two bytes of length, then data; data of one byte is control.
 */
import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { AttestationCa } from './attestation-ca.ts';
import { PivApplet } from './piv-applet.ts';
import type { CardRequest, CardStart, CardStatus } from './virtual-card.ts';

/** Of a YubiKey 5. */
const ATR = Buffer.from('3bfd1300008131fe158073c021c057597562694b657940', 'hex');
const CONTROL = { powerOff: 0, powerOn: 1, reset: 2, atr: 4 };
const GENERAL_AUTHENTICATE = 0x87;
const MANAGEMENT_SLOT = 0x9b;

const { serial, pin, puk } = workerData as CardStart;
const root = AttestationCa.createRoot('Simulated PIV Root CA');
const attestationCa = root.createIntermediate(`Simulated PIV Attestation ${serial}`);
const applet = new PivApplet({ serial, pin, puk, attestationCa });
let socket: Socket | null = null;
let pullAtSignature = false;
let inserted: (() => void) | null = null;
let answersSincePower: number | null = null;
let absence: Promise<void> = Promise.resolve();

parentPort?.on('message', (request: CardRequest) => {
  void obey(request).then((status) => parentPort?.postMessage({ id: request.id, status }));
});

async function obey(request: CardRequest): Promise<CardStatus> {
  if (request.do === 'insert') await insert(request.port);
  if (request.do === 'pull') await pull();
  if (request.do === 'pullAtSignature') pullAtSignature = true;
  if (request.do === 'touch') applet.isTouched = request.isTouched;
  return {
    pinTries: applet.pinTries,
    signatures: applet.signatures,
    isInserted: socket !== null,
    root: root.certificate,
  };
}

/** Resolves once the reader shows the card: it powers it, reads the ATR, notes its state, and asks for the ATR again to see it is there. */
async function insert(port: number): Promise<void> {
  await absence;
  const ready = Promise.withResolvers<undefined>();
  inserted = () => ready.resolve(undefined);
  answersSincePower = null;
  const connection = connect({ port, host: '127.0.0.1', noDelay: true });
  socket = connection;
  connection.on('error', ready.reject);
  serve(connection);
  await ready.promise;
}

/** Takes the card out at once, and resolves when the reader has looked and found nothing. */
function pull(): Promise<void> {
  const connection = socket;
  socket = null;
  applet.reset();
  if (connection !== null) absence = leaveEmpty(connection);
  return absence;
}

/** A card that is swapped between two looks of the reader would pass for the one before; so the next look meets a connection without a card. */
async function leaveEmpty(connection: Socket): Promise<void> {
  const port = connection.remotePort ?? 0;
  connection.destroy();
  const empty = connect({ port, host: '127.0.0.1' });
  const looked = Promise.withResolvers<undefined>();
  empty.once('data', () => empty.destroy());
  empty.once('error', () => undefined);
  empty.once('close', () => looked.resolve(undefined));
  await looked.promise;
}

function serve(connection: Socket): void {
  let received = Buffer.alloc(0);
  connection.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const message = Buffer.from(received.subarray(2, end));
      received = received.subarray(end);
      answer(connection, message);
    }
  });
}

function answer(connection: Socket, message: Buffer): void {
  if (message.length === 1) {
    control(connection, message[0] as number);
    return;
  }
  if (pullAtSignature && message[1] === GENERAL_AUTHENTICATE && message[3] !== MANAGEMENT_SLOT) {
    pullAtSignature = false;
    void pull();
    return;
  }
  send(connection, applet.transmit(message));
}

function control(connection: Socket, order: number): void {
  if (order === CONTROL.powerOn) answersSincePower = 0;
  if (order === CONTROL.powerOff || order === CONTROL.reset) applet.reset();
  if (order !== CONTROL.atr) return;
  send(connection, ATR);
  if (answersSincePower === null) return;
  answersSincePower += 1;
  if (answersSincePower === 2) inserted?.();
}

function send(connection: Socket, data: Buffer): void {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  connection.write(Buffer.concat([length, data]));
}
