// SPDX-License-Identifier: Apache-2.0
/**
 * An STM32F103 microcontroller in memory, as a debugger meets it: memory map, halting debug registers of a Cortex-M3
 * and reset (RM0008; ARMv7-M, C1.6). The core executes nothing. Pure: the same accesses always give the same part.
 */
import type { Bytes } from '@witnessmark/core';
import type { McuFaults } from './faults.ts';
import { McuFlash } from './flash.ts';
import {
  DBGMCU_IDCODE,
  DEBUG_PORT_ID,
  DEBUG_REGISTERS,
  FLASH_BASE,
  FLASH_SIZE_REGISTER,
  OPTION_BYTES_BASE,
  OPTION_BYTES_LENGTH,
  PPB_BASE,
  SRAM_BASE,
  UNIQUE_ID_BASE,
  UNIQUE_ID_BYTES,
} from './memory-map.ts';
import { isMcuSize, type McuState } from './mcu-state.ts';

const SRAM_BYTES = 6 * 1024;
/** Registers a debugger looks at while it examines the core, and what a Cortex-M3 r1p1 answers. */
const FIXED_WORDS: ReadonlyMap<number, number> = new Map([
  [DEBUG_REGISTERS.CPUID, 0x411f_c231],
  [DEBUG_REGISTERS.AIRCR, 0xfa05_0000],
  // Data watchpoint unit: four comparators.
  [0xe000_1000, 0x4000_0000],
]);
/** Control register of the flash patch and breakpoint unit: six code comparators, two literal ones, and one bit to set. */
const FP_CTRL = 0xe000_2000;
const FP_COMPARATORS = 0x0000_0260;
const FP_ENABLE = 1;
const REVISION_IDENTIFIER = 0x2003_0000;
const DHCSR_KEY = 0xa05f;
const AIRCR_KEY = 0x05fa;
const AIRCR_SYSRESETREQ = 0x4;
const DHCSR = { C_DEBUGEN: 1 << 0, C_HALT: 1 << 1, C_STEP: 1 << 2, S_REGRDY: 1 << 16, S_HALT: 1 << 17 } as const;
const DHCSR_S_RETIRE_ST = 1 << 24;
const DHCSR_S_RESET_ST = 1 << 25;
const DHCSR_CONTROL = 0xf;
const DEMCR_VC_CORERESET = 1;
const DCRSR_WRITE = 1 << 16;
const CORE_REGISTERS = 32;
const IDCODE_PATTERN = /^[0-9a-f]{8}$/;

export class Stm32Mcu {
  readonly jedecId: string;
  readonly uniqueId: Bytes;
  /** Rises whenever something that survives losing power may have changed. */
  revision = 0;
  readonly #flash: McuFlash;
  readonly #sram = new Uint8Array(SRAM_BYTES);
  readonly #privateBus = new Map<number, number>();
  readonly #coreRegisters = new Uint32Array(CORE_REGISTERS);
  #debugPortId: number = DEBUG_PORT_ID;
  #powered = true;
  #halted = false;
  #debugControl = 0;
  #exceptionControl = 0;
  #transferRegister = 0;
  #resetSeen = true;

  /** Throws `RangeError` for a state no part of this family has. */
  constructor(state: McuState) {
    if (!isMcuSize(state.memory.length) || state.uniqueId.length !== UNIQUE_ID_BYTES) {
      throw new RangeError('a part has 16 to 128 KiB of flash and a unique id of 12 bytes');
    }
    if (!IDCODE_PATTERN.test(state.jedecId) || state.optionBytes.length !== OPTION_BYTES_LENGTH) {
      throw new RangeError('a part has an IDCODE of 8 digits and 16 option bytes');
    }
    this.jedecId = state.jedecId;
    this.uniqueId = state.uniqueId.slice();
    this.#flash = new McuFlash({
      ...state,
      onChange: () => (this.revision += 1),
      onPowerCut: () => {
        this.#powered = false;
      },
    });
  }

  /** A copy of everything that survives losing power. */
  snapshot(): McuState {
    const { memory, kept } = this.#flash;
    const { jedecId, uniqueId } = this;
    return { jedecId, uniqueId: uniqueId.slice(), memory: memory.slice(), optionBytes: kept.slice() };
  }

  /** Replaces the part's faults; counters start again. */
  inject(faults: McuFaults): void {
    this.#flash.inject(faults);
    this.#debugPortId = faults.debugPortId ?? DEBUG_PORT_ID;
    this.revision += 1;
  }

  /** JTAG IDCODE of the core's debug port. */
  get debugPortId(): number {
    return this.#debugPortId;
  }

  get isPowered(): boolean {
    return this.#powered;
  }

  /** Whether an injected power cut is still to come. */
  get awaitsPowerCut(): boolean {
    return this.#flash.awaitsPowerCut;
  }

  powerOff(): void {
    this.#powered = false;
  }

  powerOn(): void {
    this.#powered = true;
    this.#debugControl = 0;
    this.#exceptionControl = 0;
    this.#sram.fill(0);
    this.reset();
  }

  /** System reset, by the pin or by request: loads the option bytes; debug settings stay. */
  reset(): void {
    this.#resetSeen = true;
    this.#flash.reset();
    this.#coreRegisters.fill(0);
    const catches = (this.#exceptionControl & DEMCR_VC_CORERESET) !== 0 && this.#debugs;
    this.#halted = catches || (this.#debugs && (this.#debugControl & DHCSR.C_HALT) !== 0);
  }

  /** Null is a bus error. The address is taken as aligned. */
  readWord(address: number): number | null {
    const flash = this.#flashOffset(address);
    if (flash !== null) return this.#flash.refusesReads ? null : word(this.#flash.memory, flash);
    if (isWithin(address, SRAM_BASE, SRAM_BYTES)) return word(this.#sram, address - SRAM_BASE);
    if (isWithin(address, UNIQUE_ID_BASE, UNIQUE_ID_BYTES)) return word(this.uniqueId, address - UNIQUE_ID_BASE);
    if (isWithin(address, OPTION_BYTES_BASE, OPTION_BYTES_LENGTH)) {
      return this.#flash.readOptionWord(address - OPTION_BYTES_BASE);
    }
    if (address === FLASH_SIZE_REGISTER) return (0xffff_0000 | (this.#flash.memory.length >> 10)) >>> 0;
    // Bits 27 to 12 of the IDCODE are the part number; the debug unit repeats its device identifier.
    if (address === DBGMCU_IDCODE) return REVISION_IDENTIFIER | ((Number.parseInt(this.jedecId, 16) >>> 12) & 0xfff);
    return this.#flash.readRegister(address) ?? this.#readDebugRegister(address);
  }

  /** False is a bus error. The address is taken as aligned. */
  writeWord(address: number, value: number): boolean {
    // The flash takes halfwords only.
    if (this.#flashOffset(address) !== null || isWithin(address, OPTION_BYTES_BASE, OPTION_BYTES_LENGTH)) return false;
    if (isWithin(address, SRAM_BASE, SRAM_BYTES)) {
      new DataView(this.#sram.buffer).setUint32(address - SRAM_BASE, value, true);
    } else if (address >= PPB_BASE) {
      this.#writeDebugRegister(address, value);
    } else {
      this.#flash.writeRegister(address, value);
    }
    return true;
  }

  /** Writes half of a word, or a quarter; `sizeBytes` is 1 or 2. False is a bus error. */
  writePart(address: number, value: number, sizeBytes: 1 | 2): boolean {
    if (sizeBytes === 2 && this.#flash.writeHalfword(address, value)) return true;
    const aligned = address - (address % 4);
    const before = this.readWord(aligned);
    if (before === null) return false;
    const mask = sizeBytes === 2 ? 0xffff : 0xff;
    const shift = (address % 4) * 8;
    return this.writeWord(aligned, ((before & ~(mask << shift)) | ((value & mask) << shift)) >>> 0);
  }

  get #debugs(): boolean {
    return (this.#debugControl & DHCSR.C_DEBUGEN) !== 0;
  }

  /** The flash is seen at its own addresses and, for booting, at 0. */
  #flashOffset(address: number): number | null {
    const size = this.#flash.memory.length;
    if (isWithin(address, FLASH_BASE, size)) return address - FLASH_BASE;
    return isWithin(address, 0, size) ? address : null;
  }

  #readDebugRegister(address: number): number {
    switch (address) {
      case DEBUG_REGISTERS.DHCSR: {
        const state = this.#halted ? DHCSR.S_HALT : DHCSR_S_RETIRE_ST;
        const reset = this.#resetSeen ? DHCSR_S_RESET_ST : 0;
        this.#resetSeen = false;
        return this.#debugControl | DHCSR.S_REGRDY | state | reset;
      }
      case DEBUG_REGISTERS.DCRDR:
        return this.#transferRegister;
      case DEBUG_REGISTERS.DEMCR:
        return this.#exceptionControl;
      case FP_CTRL:
        return FP_COMPARATORS | ((this.#privateBus.get(FP_CTRL) ?? 0) & FP_ENABLE);
      default:
        return FIXED_WORDS.get(address) ?? this.#privateBus.get(address) ?? 0;
    }
  }

  #writeDebugRegister(address: number, value: number): void {
    switch (address) {
      case DEBUG_REGISTERS.DHCSR:
        if (value >>> 16 === DHCSR_KEY) this.#controlDebug(value & DHCSR_CONTROL);
        return;
      case DEBUG_REGISTERS.DCRSR:
        this.#transfer(value);
        return;
      case DEBUG_REGISTERS.DCRDR:
        this.#transferRegister = value;
        return;
      case DEBUG_REGISTERS.DEMCR:
        this.#exceptionControl = value;
        return;
      case DEBUG_REGISTERS.AIRCR:
        if (value >>> 16 === AIRCR_KEY && (value & AIRCR_SYSRESETREQ) !== 0) this.reset();
        return;
      default:
        this.#privateBus.set(address, value);
    }
  }

  #controlDebug(control: number): void {
    this.#debugControl = control;
    // A single step ends at once: the core executes nothing.
    this.#halted = this.#debugs && (control & (DHCSR.C_HALT | DHCSR.C_STEP)) !== 0;
  }

  #transfer(selection: number): void {
    const register = selection & (CORE_REGISTERS - 1);
    if ((selection & DCRSR_WRITE) !== 0) this.#coreRegisters[register] = this.#transferRegister;
    else this.#transferRegister = this.#coreRegisters[register] as number;
  }
}

function isWithin(address: number, base: number, length: number): boolean {
  return address >= base && address < base + length;
}

function word(bytes: Bytes, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}
