// SPDX-License-Identifier: Apache-2.0
/** The programmer's side of serprog for one connection: bytes in, bytes out, no socket. The input is hostile. */
import { concatBytes, encodeUtf8, type Bytes } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import type { DeviceBay } from '../simulated/device-bay.ts';
import {
  ACK,
  BUS_SPI,
  COMMAND,
  COMMAND_MAP_BYTES,
  decodeUint24,
  encodeUint16,
  encodeUint24,
  NAK,
  PROGRAMMER_NAME_BYTES,
  SERPROG_LIMITS,
  SERPROG_VERSION,
  SIMULATED_PROGRAMMER_NAME,
} from './protocol.ts';

/** Bytes of each command with its fixed arguments. */
const COMMAND_BYTES: ReadonlyMap<number, number> = new Map([
  [COMMAND.setBusType, 2],
  [COMMAND.spiOperation, 7],
  [COMMAND.setSpiFrequency, 5],
  [COMMAND.setPinState, 2],
]);

export class SerprogProgrammer {
  readonly #bay: DeviceBay;
  #pending: Bytes = new Uint8Array(0);

  constructor(bay: DeviceBay) {
    this.#bay = bay;
  }

  /**
   * Takes what arrived and returns what to answer. Throws a `DeviceError` when the connection has to end: the link
   * drop fault, or an operation beyond the announced limits.
   */
  receive(bytes: Bytes): Bytes {
    const input = this.#pending.length === 0 ? bytes : concatBytes(this.#pending, bytes);
    const answers: Bytes[] = [];
    let at = 0;
    while (at < input.length) {
      const length = this.#commandLength(input.subarray(at));
      if (length === null) break;
      answers.push(this.#answer(input.subarray(at, at + length)));
      at += length;
    }
    this.#pending = input.slice(at);
    return concatBytes(...answers);
  }

  /** Bytes of the command at the start of `input`, or null when more have to arrive first. */
  #commandLength(input: Bytes): number | null {
    const fixed = COMMAND_BYTES.get(input[0] as number) ?? 1;
    if (input.length < fixed) return null;
    if (input[0] !== COMMAND.spiOperation) return fixed;
    const writeBytes = decodeUint24(input, 1);
    if (writeBytes > SERPROG_LIMITS.maxWriteBytes || decodeUint24(input, 4) > SERPROG_LIMITS.maxReadBytes) {
      throw new DeviceError('ERR_DEVICE_PROTOCOL', 'an SPI operation is longer than the programmer announced');
    }
    return input.length < fixed + writeBytes ? null : fixed + writeBytes;
  }

  #answer(command: Bytes): Bytes {
    switch (command[0] as number) {
      case COMMAND.noOperation:
        return acknowledge();
      case COMMAND.queryInterface:
        return acknowledge(encodeUint16(SERPROG_VERSION));
      case COMMAND.queryCommandMap:
        return acknowledge(commandMap());
      case COMMAND.queryProgrammerName:
        return acknowledge(programmerName());
      case COMMAND.querySerialBuffer:
        return acknowledge(encodeUint16(0xffff));
      case COMMAND.queryBusTypes:
        return acknowledge(Uint8Array.of(BUS_SPI));
      case COMMAND.queryMaxWrite:
        return acknowledge(encodeUint24(SERPROG_LIMITS.maxWriteBytes));
      case COMMAND.queryMaxRead:
        return acknowledge(encodeUint24(SERPROG_LIMITS.maxReadBytes));
      case COMMAND.synchronize:
        return Uint8Array.of(NAK, ACK);
      case COMMAND.setBusType:
        return command[1] === BUS_SPI ? acknowledge() : Uint8Array.of(NAK);
      case COMMAND.setSpiFrequency:
        return acknowledge(command.slice(1));
      case COMMAND.setPinState:
        return this.#setPinState(command[1] as number);
      case COMMAND.spiOperation:
        return acknowledge(this.#bay.transfer(command.subarray(7), decodeUint24(command, 4)));
      default:
        return Uint8Array.of(NAK);
    }
  }

  /** The output drivers feed the socket, as on programmers that power the part: off and on is a power cycle. */
  #setPinState(state: number): Bytes {
    if (state === 0) this.#bay.powerOff();
    else this.#bay.powerOn();
    return acknowledge();
  }
}

function acknowledge(answer: Bytes = new Uint8Array(0)): Bytes {
  return concatBytes(Uint8Array.of(ACK), answer);
}

function commandMap(): Bytes {
  const map = new Uint8Array(COMMAND_MAP_BYTES);
  for (const command of Object.values(COMMAND)) {
    map[command >> 3] = (map[command >> 3] as number) | (1 << (command & 7));
  }
  return map;
}

function programmerName(): Bytes {
  const name = new Uint8Array(PROGRAMMER_NAME_BYTES);
  name.set(encodeUtf8(SIMULATED_PROGRAMMER_NAME));
  return name;
}
