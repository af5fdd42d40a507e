// SPDX-License-Identifier: Apache-2.0
/** The host's side of SPI-NOR: the instruction set over any bus that can transfer bytes. */
import { decodeHex, encodeHex, type Bytes } from '@witnessmark/core';
import type { FlashRange } from '../contract.ts';
import { DeviceError } from '../error.ts';
import { BLOCK_BYTES, OPCODE, PAGE_BYTES, SECTOR_BYTES } from './opcodes.ts';
import { STATUS_1, type StatusRegisters } from './status-register.ts';

/** One transfer with chip select low: `write` goes out, then `readLength` bytes come in. Rejects with a `DeviceError`. */
export interface SpiBus {
  transfer(write: Bytes, readLength: number): Promise<Bytes>;
}

interface UniqueIdSource {
  readonly opcode: number;
  readonly dummyBytes: number;
}

const JEDEC_ID_BYTES = 3;
const COMMON_UNIQUE_ID: UniqueIdSource = { opcode: OPCODE.readUniqueId, dummyBytes: 4 };
const ERASE_OPCODES: ReadonlyMap<number, number> = new Map([
  [SECTOR_BYTES, OPCODE.sectorErase4k],
  [BLOCK_BYTES, OPCODE.blockErase64k],
]);
const MAX_READ_BYTES = 64 * 1024;
/** What a wire with a pull-up reads when no part drives it. */
const NO_ANSWER = 0xff;

export class SpiNorFlash {
  readonly #bus: SpiBus;
  readonly #signal: AbortSignal;

  /** Every transfer first looks at `signal` and throws its reason. */
  constructor(bus: SpiBus, signal: AbortSignal) {
    this.#bus = bus;
    this.#signal = signal;
  }

  /** Lower-case hexadecimal; all f or all 0 when no part answers. */
  async readJedecId(): Promise<string> {
    return encodeHex(await this.#transfer([OPCODE.readJedecId], JEDEC_ID_BYTES));
  }

  /** By default with the instruction and the dummy bytes that Winbond's parts and their kin want. */
  async readUniqueId(length: number, source: UniqueIdSource = COMMON_UNIQUE_ID): Promise<Bytes> {
    return this.#transfer([source.opcode, ...new Uint8Array(source.dummyBytes)], length);
  }

  async readStatus(): Promise<StatusRegisters> {
    const first = await this.#transfer([OPCODE.readStatusRegister1], 1);
    const second = await this.#transfer([OPCODE.readStatusRegister2], 1);
    // Busy and the write enable latch are no settings.
    return { statusRegister1: (first[0] as number) & STATUS_1.writable, statusRegister2: second[0] as number };
  }

  /** `volatile` settings are gone after the next reset or power-up and cost the part no write cycle. */
  async writeStatus(registers: StatusRegisters, lifetime: 'kept' | 'volatile'): Promise<void> {
    await this.#transfer([lifetime === 'kept' ? OPCODE.writeEnable : OPCODE.volatileStatusWriteEnable], 0);
    await this.#transfer([OPCODE.writeStatusRegister1, registers.statusRegister1, registers.statusRegister2], 0);
    await this.#untilReady();
    await this.disableWrites();
  }

  /** A part that refused a write may still have its write enable latch set. */
  async disableWrites(): Promise<void> {
    await this.#transfer([OPCODE.writeDisable], 0);
  }

  async read(range: FlashRange): Promise<Bytes> {
    const content = new Uint8Array(range.length);
    for (let done = 0; done < range.length; done += MAX_READ_BYTES) {
      const length = Math.min(MAX_READ_BYTES, range.length - done);
      content.set(await this.#transfer([OPCODE.readData, ...address24(range.address + done)], length), done);
    }
    return content;
  }

  /** Erases the block of 4 KiB or 64 KiB that starts at `address`. */
  async eraseBlock(address: number, length: number): Promise<void> {
    const opcode = ERASE_OPCODES.get(length);
    if (opcode === undefined) throw new RangeError(`no instruction erases ${length} bytes`);
    await this.#transfer([OPCODE.writeEnable], 0);
    await this.#transfer([opcode, ...address24(address)], 0);
    await this.#untilReady();
  }

  /** Programs bytes of one page. */
  async programPage(address: number, bytes: Bytes): Promise<void> {
    if ((address % PAGE_BYTES) + bytes.length > PAGE_BYTES) throw new RangeError('the bytes do not fit one page');
    const instruction = new Uint8Array(4 + bytes.length);
    instruction.set([OPCODE.pageProgram, ...address24(address)]);
    instruction.set(bytes, 4);
    await this.#transfer([OPCODE.writeEnable], 0);
    await this.#transfer(instruction, 0);
    await this.#untilReady();
  }

  /** Software reset: volatile settings fall back to what the part keeps. Parts that do not know it ignore it. */
  async reset(): Promise<void> {
    await this.#transfer([OPCODE.enableReset], 0);
    await this.#transfer([OPCODE.resetDevice], 0);
  }

  async #untilReady(): Promise<void> {
    for (;;) {
      const [status] = await this.#transfer([OPCODE.readStatusRegister1], 1);
      if (status === NO_ANSWER && isSilent(await this.readJedecId())) {
        throw new DeviceError('ERR_DEVICE_LINK', 'the device stopped answering while it worked');
      }
      if (((status as number) & STATUS_1.busy) === 0) return;
    }
  }

  async #transfer(write: readonly number[] | Bytes, readLength: number): Promise<Bytes> {
    this.#signal.throwIfAborted();
    return this.#bus.transfer(new Uint8Array(write), readLength);
  }
}

/** Whether an answer to RDID means that no part drives the wire. */
export function isSilent(jedecId: string): boolean {
  const bytes = decodeHex(jedecId);
  return bytes.every((byte) => byte === 0xff) || bytes.every((byte) => byte === 0x00);
}

function address24(address: number): [number, number, number] {
  return [(address >> 16) & 0xff, (address >> 8) & 0xff, address & 0xff];
}
