// SPDX-License-Identifier: Apache-2.0
/** Socket adapter: a serprog programmer as an SPI bus. Every answer is hostile until it has its exact length. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { concatBytes, RefusedError, type Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import type { NetworkAddress } from '../network-address.ts';
import type { SpiBus } from '../spi-nor/flash.ts';
import {
  ACK,
  BUS_SPI,
  COMMAND,
  COMMAND_MAP_BYTES,
  encodeUint24,
  isCommandSupported,
  NAK,
  PROGRAMMER_NAME_BYTES,
  SERPROG_LIMITS,
  SERPROG_VERSION,
} from './protocol.ts';

/** The longest answer is one read of 64 KiB. */
const MAX_PENDING_BYTES = SERPROG_LIMITS.maxReadBytes + 64;

export class SerprogClient implements SpiBus {
  readonly #socket: Socket;
  #received: Bytes = new Uint8Array(0);
  #waiting: { readonly length: number; resolve: (bytes: Bytes) => void; reject: (error: DeviceError) => void } | null =
    null;
  #failure: DeviceError | null = null;
  #commandMap: Bytes = new Uint8Array(COMMAND_MAP_BYTES);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Uint8Array) => {
      this.#receive(bytes);
    });
    socket.on('close', () => {
      this.#fail(new DeviceError('ERR_DEVICE_LINK', 'the link to the programmer was lost'));
    });
  }

  /**
   * Connects, agrees on the protocol and powers the device. `signal` cuts the connection at any time. Throws `LS-403`
   * when nobody listens, `ERR_DEVICE_PROTOCOL` when it is no serprog programmer for SPI.
   */
  static async open(address: NetworkAddress, signal: AbortSignal): Promise<SerprogClient> {
    signal.throwIfAborted();
    const socket = connect({ host: address.host, port: address.port, noDelay: true, signal });
    // Later errors come as 'close'; without a listener they would end the process.
    socket.on('error', () => undefined);
    try {
      await once(socket, 'connect', { signal });
    } catch (cause) {
      signal.throwIfAborted();
      const { host, port } = address;
      throw new RefusedError('LS-403', `no programmer answers at ${host}:${port}`, { cause });
    }
    const client = new SerprogClient(socket);
    try {
      await client.#agree();
      return client;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async readProgrammerName(): Promise<string> {
    const name = await this.#request([COMMAND.queryProgrammerName], PROGRAMMER_NAME_BYTES);
    const printable = Array.from(name).filter((byte) => byte >= 0x20 && byte < 0x7f);
    return String.fromCharCode(...printable).trim();
  }

  async transfer(write: Bytes, readLength: number): Promise<Bytes> {
    const header = [COMMAND.spiOperation, ...encodeUint24(write.length), ...encodeUint24(readLength)];
    return this.#request(concatBytes(new Uint8Array(header), write), readLength);
  }

  /** Switches the device off and closes; a programmer that has already gone is no error here. */
  async close(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, 'close');
    try {
      await this.#setPinState(0);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
    }
    this.#socket.destroy();
    await closed;
  }

  async #agree(): Promise<void> {
    this.#send([COMMAND.synchronize]);
    const answer = await this.#take(2);
    if (answer[0] !== NAK || answer[1] !== ACK) throw protocolError('it does not synchronize');
    const version = await this.#request([COMMAND.queryInterface], 2);
    if (version[0] !== SERPROG_VERSION || version[1] !== 0) throw protocolError('it speaks another version');
    this.#commandMap = await this.#request([COMMAND.queryCommandMap], COMMAND_MAP_BYTES);
    if (!isCommandSupported(this.#commandMap, COMMAND.spiOperation)) throw protocolError('it has no SPI operation');
    await this.#request([COMMAND.setBusType, BUS_SPI], 0);
    await this.#setPinState(1);
  }

  async #setPinState(state: 0 | 1): Promise<void> {
    if (isCommandSupported(this.#commandMap, COMMAND.setPinState)) {
      await this.#request([COMMAND.setPinState, state], 0);
    }
  }

  /** One command and its answer after the ACK. */
  async #request(command: readonly number[] | Bytes, answerBytes: number): Promise<Bytes> {
    this.#send(command);
    const [first] = await this.#take(1);
    if (first !== ACK) throw protocolError(`it refuses command 0x${(command[0] as number).toString(16)}`);
    return this.#take(answerBytes);
  }

  /** Bytes that arrive without a question would shift every later answer, so they end the connection. */
  #send(command: readonly number[] | Bytes): void {
    if (this.#received.length > 0) this.#fail(protocolError('it sends more than was asked for'));
    if (this.#failure !== null) throw this.#failure;
    this.#socket.write(new Uint8Array(command));
  }

  #receive(bytes: Bytes): void {
    if (this.#received.length + bytes.length > MAX_PENDING_BYTES) {
      this.#fail(protocolError('it sends more than was asked for'));
      return;
    }
    this.#received = concatBytes(this.#received, bytes);
    this.#deliver();
  }

  async #take(length: number): Promise<Bytes> {
    if (this.#failure !== null) throw this.#failure;
    return new Promise((resolve, reject) => {
      this.#waiting = { length, resolve, reject };
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#waiting === null || this.#received.length < this.#waiting.length) return;
    const { length, resolve } = this.#waiting;
    this.#waiting = null;
    const bytes = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    resolve(bytes);
  }

  #fail(error: DeviceError): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
    this.#socket.destroy();
  }
}

function protocolError(what: string): DeviceError {
  return new DeviceError('ERR_DEVICE_PROTOCOL', `not a usable serprog programmer: ${what}`);
}
