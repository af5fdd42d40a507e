// SPDX-License-Identifier: Apache-2.0
/**
 * A W25Q-class SPI-NOR chip in memory, after the datasheets of the W25Q80 family: pure and deterministic, no clock and
 * no randomness, so that the same transfers always give the same chip. Busy time is counted in status reads.
 */
import { decodeHex, encodeHex, type Bytes } from '@witnessmark/core';
import type { FlashRange } from '../contract.ts';
import { isChipSize, type ChipState } from './chip-state.ts';
import type { ChipFaults } from './faults.ts';
import { FlashCells } from './flash-cells.ts';
import { BLOCK_BYTES, HALF_BLOCK_BYTES, OPCODE, PAGE_BYTES, SECTOR_BYTES } from './opcodes.ts';
import { SecurityRegisters } from './security-registers.ts';
import { overlaps, protectedRange, STATUS_1, STATUS_2, type StatusRegisters } from './status-register.ts';

/** How the board wires the chip. */
export interface ChipOptions {
  readonly writeProtectPin?: 'low' | 'high';
  /** Status reads that still say busy after a program, erase or register write. */
  readonly busyReads?: number;
}

const NOTHING = new Uint8Array(0);
const ADDRESS_END = 4;

export class SpiNorChip {
  readonly sizeBytes: number;
  readonly uniqueId: Bytes;
  /** Rises whenever something that survives losing power may have changed. */
  revision = 0;
  /** WP#, as the board or the fixture drives it: low lets SRP0 hold the status registers. */
  writeProtectPin: 'low' | 'high';
  readonly #jedecId: Bytes;
  readonly #cells: FlashCells;
  readonly #securityRegisters: SecurityRegisters;
  readonly #busyReads: number;
  /** What power-up loads. */
  #kept: StatusRegisters;
  /** What the chip works with. */
  #status: StatusRegisters;
  #powered = true;
  #writeEnabled = false;
  #volatileWriteEnabled = false;
  #resetEnabled = false;
  #busy = 0;
  #faults: ChipFaults = {};

  /** Throws `RangeError` for sizes that are no power of two or do not fit 24 address bits. */
  constructor(state: ChipState, options: ChipOptions = {}) {
    const size = state.memory.length;
    if (!isChipSize(size)) throw new RangeError('a chip has a power of two of bytes, 64 KiB to 16 MiB');
    this.sizeBytes = size;
    this.uniqueId = state.uniqueId.slice();
    this.#jedecId = decodeHex(state.jedecId);
    this.#cells = new FlashCells(state.memory, () => {
      this.#powered = false;
    });
    this.#securityRegisters = new SecurityRegisters(state.securityRegisters);
    this.writeProtectPin = options.writeProtectPin ?? 'low';
    this.#busyReads = options.busyReads ?? 0;
    this.#kept = { statusRegister1: state.statusRegister1, statusRegister2: state.statusRegister2 };
    this.#status = this.#kept;
    this.powerOn();
  }

  /** A copy of everything that survives losing power. */
  snapshot(): ChipState {
    return {
      jedecId: encodeHex(this.#jedecId),
      uniqueId: this.uniqueId.slice(),
      memory: this.#cells.bytes.slice(),
      ...this.#kept,
      securityRegisters: this.#securityRegisters.snapshot(),
    };
  }

  /** Replaces the chip's faults; counters start again. */
  inject(faults: ChipFaults): void {
    this.#faults = faults;
    this.#cells.inject(faults);
    this.revision += 1;
  }

  get isPowered(): boolean {
    return this.#powered;
  }

  /** Whether an injected power cut is still to come. */
  get awaitsPowerCut(): boolean {
    return this.#cells.awaitsPowerCut;
  }

  powerOff(): void {
    this.#powered = false;
  }

  /** Loads what is kept; the power lock-down (SRP1 = 1, SRP0 = 0) ends here. */
  powerOn(): void {
    const { statusRegister1, statusRegister2 } = this.#kept;
    const lockDown =
      (statusRegister2 & STATUS_2.registerProtect1) !== 0 && (statusRegister1 & STATUS_1.registerProtect0) === 0;
    if (lockDown) {
      this.#kept = { statusRegister1, statusRegister2: statusRegister2 & ~STATUS_2.registerProtect1 };
      this.revision += 1;
    }
    this.#powered = true;
    this.#restart();
  }

  /** One transfer with chip select low. Unpowered or undefined answers read as ones, as on a wire with a pull-up. */
  transfer(write: Bytes, readLength: number): Bytes {
    const answer = readLength === 0 ? NOTHING : erased(readLength);
    const opcode = write[0];
    if (!this.#powered || opcode === undefined) return answer;
    if (opcode === OPCODE.readStatusRegister1) return answer.fill(this.#readStatusRegister1());
    if (opcode === OPCODE.readStatusRegister2) return answer.fill(this.#status.statusRegister2);
    // Output drive and individual block locks, where a part has them, stay as the maker sets them.
    if (opcode === OPCODE.readStatusRegister3) return answer.fill(0);
    // Nothing but status reads is heard while busy.
    if (this.#busy > 0) return answer;
    const resetEnabled = this.#resetEnabled;
    this.#resetEnabled = false;
    this.#perform(opcode, write, answer, resetEnabled);
    return answer;
  }

  #perform(opcode: number, write: Bytes, answer: Bytes, resetEnabled: boolean): void {
    switch (opcode) {
      case OPCODE.readJedecId:
        answer.set(this.#jedecId.subarray(0, answer.length));
        return;
      case OPCODE.manufacturerDeviceId:
        answer.set(
          Uint8Array.of(this.#jedecId[0] as number, (this.#jedecId[2] as number) - 1).subarray(0, answer.length),
        );
        return;
      case OPCODE.readUniqueId:
        answer.set(this.uniqueId.subarray(0, answer.length));
        return;
      case OPCODE.readData:
      case OPCODE.fastRead:
        this.#read(write, answer);
        return;
      case OPCODE.writeEnable:
        this.#writeEnabled = true;
        return;
      case OPCODE.volatileStatusWriteEnable:
        this.#volatileWriteEnabled = true;
        return;
      case OPCODE.enableReset:
        this.#resetEnabled = true;
        return;
      case OPCODE.resetDevice:
        if (resetEnabled) this.#restart();
        return;
      case OPCODE.readSecurityRegister:
        this.#securityRegisters.read(write, answer);
        return;
      case OPCODE.writeStatusRegister1:
      case OPCODE.writeStatusRegister2:
        this.#writeStatus(opcode, write);
        break;
      case OPCODE.writeDisable:
        break;
      default:
        if (!this.#writeEnabled || !this.#change(opcode, write)) return;
    }
    this.#writeEnabled = false;
    this.#volatileWriteEnabled = false;
  }

  /** The instructions that need the write enable latch; false for one the part does not know. */
  #change(opcode: number, write: Bytes): boolean {
    switch (opcode) {
      case OPCODE.pageProgram:
        this.#program(write);
        break;
      case OPCODE.sectorErase4k:
        this.#erase(this.#block(write, SECTOR_BYTES));
        break;
      case OPCODE.blockErase32k:
        this.#erase(this.#block(write, HALF_BLOCK_BYTES));
        break;
      case OPCODE.blockErase64k:
        this.#erase(this.#block(write, BLOCK_BYTES));
        break;
      case OPCODE.chipErase60:
      case OPCODE.chipEraseC7:
        this.#erase({ address: 0, length: this.sizeBytes });
        break;
      case OPCODE.programSecurityRegister:
        this.#securityRegisters.program(write, this.#status.statusRegister2);
        break;
      case OPCODE.eraseSecurityRegister:
        this.#securityRegisters.erase(write, this.#status.statusRegister2);
        break;
      default:
        return false;
    }
    this.#busy = this.#faults.hangs === true ? Infinity : this.#busyReads;
    this.revision += 1;
    return true;
  }

  #readStatusRegister1(): number {
    const busy = this.#busy > 0;
    if (busy) this.#busy -= 1;
    const latch = this.#writeEnabled ? STATUS_1.writeEnableLatch : 0;
    return this.#status.statusRegister1 | latch | (busy ? STATUS_1.busy : 0);
  }

  #read(write: Bytes, answer: Bytes): void {
    const start = this.#address(write);
    const { bytes } = this.#cells;
    const straight = bytes.subarray(start, start + answer.length);
    answer.set(straight);
    // Reading goes on at address 0 after the last byte.
    for (let index = straight.length; index < answer.length; index += 1) {
      answer[index] = bytes[(start + index) & (this.sizeBytes - 1)] as number;
    }
  }

  #program(write: Bytes): void {
    if (write.length <= ADDRESS_END) return;
    const address = this.#address(write);
    const page = address & ~(PAGE_BYTES - 1);
    if (this.#refuses({ address: page, length: PAGE_BYTES })) return;
    // Only the last 256 bytes count, and they wrap within the page.
    const skipped = Math.max(0, write.length - ADDRESS_END - PAGE_BYTES);
    for (let index = ADDRESS_END + skipped; index < write.length; index += 1) {
      const at = page | ((address + index - ADDRESS_END) & (PAGE_BYTES - 1));
      if (!this.#cells.program(at, write[index] as number)) return;
    }
  }

  #erase(range: FlashRange): void {
    if (!this.#refuses(range)) this.#cells.erase(range);
  }

  #writeStatus(opcode: number, write: Bytes): void {
    if ((!this.#writeEnabled && !this.#volatileWriteEnabled) || this.#isStatusHeld() || write.length < 2) return;
    const second = opcode === OPCODE.writeStatusRegister2 ? write[1] : write[2];
    const first = opcode === OPCODE.writeStatusRegister1 ? write[1] : undefined;
    const { statusRegister1, statusRegister2 } = this.#status;
    const oneTime = statusRegister2 & STATUS_2.securityRegisterLock;
    this.#status = {
      statusRegister1: first === undefined ? statusRegister1 : first & STATUS_1.writable,
      statusRegister2: second === undefined ? statusRegister2 : (second & STATUS_2.writable) | oneTime,
    };
    const keeps = this.#writeEnabled && this.#faults.volatileLock !== true;
    if (keeps) {
      this.#kept = this.#status;
      this.revision += 1;
    }
    this.#busy = this.#writeEnabled ? this.#busyReads : 0;
  }

  /** SRP1, SRP0: 00 never, 01 while WP# is low, 10 until power-up, 11 for ever. */
  #isStatusHeld(): boolean {
    if ((this.#status.statusRegister2 & STATUS_2.registerProtect1) !== 0) return true;
    return (this.#status.statusRegister1 & STATUS_1.registerProtect0) !== 0 && this.writeProtectPin === 'low';
  }

  #refuses(range: FlashRange): boolean {
    return this.#faults.unenforcedLock !== true && overlaps(range, protectedRange(this.#status, this.sizeBytes));
  }

  #address(write: Bytes): number {
    const [, high, middle, low] = write;
    return (((high ?? 0) << 16) | ((middle ?? 0) << 8) | (low ?? 0)) & (this.sizeBytes - 1);
  }

  #block(write: Bytes, length: number): FlashRange {
    return { address: this.#address(write) & ~(length - 1), length };
  }

  #restart(): void {
    this.#status = this.#kept;
    this.#writeEnabled = false;
    this.#volatileWriteEnabled = false;
    this.#resetEnabled = false;
    this.#busy = 0;
  }
}

function erased(length: number): Bytes {
  return new Uint8Array(length).fill(0xff);
}
