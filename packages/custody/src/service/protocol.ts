// SPDX-License-Identifier: Apache-2.0
/** The custody protocol, version 1 (spec/custody-protocol.md): frames of four bytes of length and strict JSON. */
import {
  CoreError,
  encodeBase64,
  isReasonCode,
  parsePublicKey,
  parseStrictJson,
  RefusedError,
  type Bytes,
  type JsonLimits,
  type JsonValue,
  type PublicKey,
  type ReasonCode,
} from '@witnessmark/core';
import { Fields } from '../strict-fields.ts';
import type { Signer } from '../signer.ts';

const PROTOCOL_VERSION = 1;

/** A message is a pre-authentication encoding of at most 64 KiB of payload, or a note. */
export const PROTOCOL_LIMITS = { maxMessageBytes: 128 * 1024, maxFrameBytes: 192 * 1024, maxKeys: 64 };
const JSON_LIMITS: JsonLimits = { maxBytes: PROTOCOL_LIMITS.maxFrameBytes, maxDepth: 4, maxValues: 512 };
const MAX_NAME_LENGTH = 128;
const MAX_SIGNATURE_BYTES = 128;
const MAX_SPKI_BYTES = 128;
const LENGTH_BYTES = 4;
const TOKEN = /^[0-9a-f]{64}$/;

export interface HelloMessage {
  readonly type: 'hello';
  readonly client: string;
  readonly token: string;
}

export interface SignMessage {
  readonly type: 'sign';
  /** A UUID; one id is one signature. */
  readonly id: string;
  readonly key: string;
  readonly purpose: string;
  readonly message: Bytes;
}

export interface OfferedKey {
  readonly name: string;
  readonly publicKey: PublicKey;
  readonly custody: Signer['custody'];
}

export type ServerMessage =
  | { readonly type: 'welcome'; readonly keys: readonly OfferedKey[] }
  | { readonly type: 'signature'; readonly id: string; readonly signature: Bytes }
  /** `id` is null when the connection as a whole is refused. */
  | { readonly type: 'refusal'; readonly id: string | null; readonly code: ReasonCode; readonly detail: string };

export function formatHello({ client, token }: HelloMessage): Bytes {
  return toFrame({ type: 'hello', version: PROTOCOL_VERSION, client, token });
}

export function formatSign({ id, key, purpose, message }: SignMessage): Bytes {
  return toFrame({ type: 'sign', id, key, purpose, message: encodeBase64(message) });
}

export function formatServerMessage(message: ServerMessage): Bytes {
  if (message.type === 'signature') return toFrame({ ...message, signature: encodeBase64(message.signature) });
  if (message.type === 'refusal') return toFrame(message);
  const keys = message.keys.map(({ name, publicKey, custody }) => ({
    name,
    custody,
    spki: encodeBase64(publicKey.spki),
  }));
  return toFrame({ type: 'welcome', version: PROTOCOL_VERSION, keys });
}

/** Throws CU-152. */
export function parseHello(frame: Bytes): HelloMessage {
  const fields = openFrame(frame);
  fields.oneOf('type', ['hello']);
  demandVersion(fields);
  const client = fields.text('client', MAX_NAME_LENGTH);
  const token = fields.matching('token', TOKEN, 'a client token');
  fields.end();
  return { type: 'hello', client, token };
}

/** Throws CU-152. */
export function parseSign(frame: Bytes): SignMessage {
  const fields = openFrame(frame);
  const message: SignMessage = {
    type: fields.oneOf('type', ['sign']),
    id: fields.uuid('id'),
    key: fields.text('key', MAX_NAME_LENGTH),
    purpose: fields.text('purpose', MAX_NAME_LENGTH),
    message: fields.bytes('message', PROTOCOL_LIMITS.maxMessageBytes),
  };
  fields.end();
  return message;
}

/** Throws CU-152. */
export function parseServerMessage(frame: Bytes): ServerMessage {
  const fields = openFrame(frame);
  const type = fields.oneOf('type', ['welcome', 'signature', 'refusal']);
  const message = PARSERS[type](fields);
  fields.end();
  return message;
}

const PARSERS: Readonly<Record<ServerMessage['type'], (fields: Fields) => ServerMessage>> = {
  welcome: (fields) => {
    demandVersion(fields);
    return { type: 'welcome', keys: fields.array('keys', PROTOCOL_LIMITS.maxKeys).map(parseOfferedKey) };
  },
  signature: (fields) => ({
    type: 'signature',
    id: fields.uuid('id'),
    signature: fields.bytes('signature', MAX_SIGNATURE_BYTES),
  }),
  refusal: (fields) => {
    const id = fields.nullable('id', (own) => own.uuid('id'));
    const code = fields.text('code', 8);
    if (!isReasonCode(code)) throw malformed('frame.code must be a reason code');
    return { type: 'refusal', id, code, detail: fields.text('detail') };
  },
};

function parseOfferedKey(value: JsonValue, index: number): OfferedKey {
  const fields = new Fields(value, `keys[${index}]`, malformed);
  const key: OfferedKey = {
    name: fields.text('name', MAX_NAME_LENGTH),
    custody: fields.oneOf('custody', ['hardware', 'software']),
    publicKey: parsePublicKey(fields.bytes('spki', MAX_SPKI_BYTES)),
  };
  fields.end();
  return key;
}

function demandVersion(fields: Fields): void {
  const version = fields.counter('version');
  if (version !== PROTOCOL_VERSION) throw malformed(`expected version ${PROTOCOL_VERSION}, found ${version}`);
}

function openFrame(frame: Bytes): Fields {
  try {
    return new Fields(parseStrictJson(frame, JSON_LIMITS), 'frame', malformed);
  } catch (cause) {
    if (!(cause instanceof CoreError)) throw cause;
    throw new RefusedError('CU-152', cause.message, { cause });
  }
}

function malformed(detail: string): RefusedError {
  return new RefusedError('CU-152', detail);
}

function toFrame(value: object): Bytes {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  if (length > PROTOCOL_LIMITS.maxFrameBytes) throw new TypeError('the message does not fit into a frame');
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + length);
  frame.writeUInt32BE(length);
  frame.write(text, LENGTH_BYTES);
  return frame;
}

/** Cuts a stream into frames. Throws CU-152 when a length is announced that no frame has. */
export class FrameReader {
  #received: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Bytes[] {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const frames: Bytes[] = [];
    let offset = 0;
    while (this.#received.length - offset >= LENGTH_BYTES) {
      const length = this.#received.readUInt32BE(offset);
      if (length > PROTOCOL_LIMITS.maxFrameBytes) {
        throw malformed(`a frame of ${length} bytes, at most ${PROTOCOL_LIMITS.maxFrameBytes} are read`);
      }
      const end = offset + LENGTH_BYTES + length;
      if (end > this.#received.length) break;
      frames.push(new Uint8Array(this.#received.buffer, this.#received.byteOffset + offset + LENGTH_BYTES, length));
      offset = end;
    }
    this.#received = this.#received.subarray(offset);
    return frames;
  }
}
