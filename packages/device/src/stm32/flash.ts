// SPDX-License-Identifier: Apache-2.0
/**
 * Flash memory, option bytes and flash controller of an STM32F103 (PM0075): keys, page and mass erase, halfword
 * programming, readout protection level 1. Pure and deterministic; every operation ends before the next access.
 */
import type { Bytes } from '@witnessmark/core';
import type { FlashRange } from '../contract.ts';
import { FlashCells } from '../spi-nor/flash-cells.ts';
import type { McuFaults } from './faults.ts';
import {
  FLASH_BASE,
  FLASH_CR,
  FLASH_KEY1,
  FLASH_KEY2,
  FLASH_PAGE_BYTES,
  FLASH_REGISTERS,
  FLASH_SR,
  OPTION_BYTES_BASE,
  OPTION_BYTES_LENGTH,
} from './memory-map.ts';
import { isReadoutProtected, toObr, toWrpr } from './option-bytes.ts';

const ERASED_HALFWORD = 0xffff;
const PAGES_PER_WRP_BIT = 4;
const OPERATIONS = FLASH_CR.PG | FLASH_CR.PER | FLASH_CR.MER | FLASH_CR.OPTPG | FLASH_CR.OPTER;
const CLEARED_BY_WRITING = FLASH_SR.PGERR | FLASH_SR.WRPRTERR | FLASH_SR.EOP;

type KeyState = 'locked' | 'first key given' | 'locked until reset';

export interface McuFlashOptions {
  readonly memory: Bytes;
  readonly optionBytes: Bytes;
  /** Called when something that survives losing power may have changed. */
  readonly onChange: () => void;
  /** Called when an injected power cut comes. */
  readonly onPowerCut: () => void;
}

export class McuFlash {
  /** What a reset loads. */
  readonly kept: Bytes;
  /** What is read at the option bytes' addresses; differs from `kept` under a fault only. */
  readonly #shown: Bytes;
  readonly #onChange: () => void;
  readonly #cells: FlashCells;
  /** The option bytes as of the last reset; these act. */
  #loaded: Bytes;
  #control: number = FLASH_CR.LOCK;
  #status = 0;
  #address = 0;
  #keys: KeyState = 'locked';
  #optionKeys: KeyState = 'locked';
  #faults: McuFaults = {};

  constructor({ memory, optionBytes, onChange, onPowerCut }: McuFlashOptions) {
    this.#cells = new FlashCells(memory, onPowerCut);
    this.kept = optionBytes.slice();
    this.#shown = optionBytes.slice();
    this.#loaded = optionBytes.slice();
    this.#onChange = onChange;
  }

  get memory(): Bytes {
    return this.#cells.bytes;
  }

  get awaitsPowerCut(): boolean {
    return this.#cells.awaitsPowerCut;
  }

  get isReadoutProtected(): boolean {
    return isReadoutProtected(this.#loaded);
  }

  /** Whether a debugger's read of the memory is answered with a bus error. */
  get refusesReads(): boolean {
    return this.isReadoutProtected && this.#faults.unenforcedLock !== true;
  }

  inject(faults: McuFaults): void {
    this.#faults = faults;
    this.#cells.inject(faults);
  }

  /** A system reset or power-up: registers fall back, option bytes are loaded. */
  reset(): void {
    this.#control = FLASH_CR.LOCK;
    this.#status = 0;
    this.#address = 0;
    this.#keys = 'locked';
    this.#optionKeys = 'locked';
    this.#shown.set(this.kept);
    this.#loaded = this.kept.slice();
  }

  readOptionWord(offset: number): number {
    return new DataView(this.#shown.buffer).getUint32(offset, true);
  }

  /** Undefined for an address that is no register of the controller. */
  readRegister(address: number): number | undefined {
    switch (address) {
      case FLASH_REGISTERS.SR:
        return this.#status;
      case FLASH_REGISTERS.CR:
        return this.#control;
      case FLASH_REGISTERS.AR:
        return this.#address;
      case FLASH_REGISTERS.OBR:
        return toObr(this.#loaded);
      case FLASH_REGISTERS.WRPR:
        return toWrpr(this.#loaded);
      default:
        return undefined;
    }
  }

  /** Ignores addresses that are no register of the controller. */
  writeRegister(address: number, value: number): void {
    switch (address) {
      case FLASH_REGISTERS.KEYR:
        this.#keys = nextKeyState(this.#keys, value, () => {
          this.#control &= ~FLASH_CR.LOCK;
        });
        return;
      case FLASH_REGISTERS.OPTKEYR:
        this.#optionKeys = nextKeyState(this.#optionKeys, value, () => {
          this.#control |= FLASH_CR.OPTWRE;
        });
        return;
      case FLASH_REGISTERS.SR:
        this.#status &= ~(value & CLEARED_BY_WRITING);
        return;
      case FLASH_REGISTERS.AR:
        this.#address = value;
        return;
      case FLASH_REGISTERS.CR:
        this.#writeControl(value);
        return;
      default:
    }
  }

  /** A halfword written to the memory's or the option bytes' addresses; false when nothing is there. */
  writeHalfword(address: number, value: number): boolean {
    const offset = address - FLASH_BASE;
    if (offset >= 0 && offset + 2 <= this.memory.length) {
      if (this.#mayWork(FLASH_CR.PG)) this.#program(offset, value);
      return true;
    }
    const option = address - OPTION_BYTES_BASE;
    if (option < 0 || option + 2 > OPTION_BYTES_LENGTH) return false;
    if (this.#mayWork(FLASH_CR.OPTPG) && (this.#control & FLASH_CR.OPTWRE) !== 0) this.#programOption(option, value);
    return true;
  }

  #mayWork(operation: number): boolean {
    const { BSY } = FLASH_SR;
    return (this.#control & FLASH_CR.LOCK) === 0 && (this.#control & operation) !== 0 && (this.#status & BSY) === 0;
  }

  #writeControl(value: number): void {
    if ((this.#control & FLASH_CR.LOCK) !== 0 || (this.#status & FLASH_SR.BSY) !== 0) return;
    // OPTWRE is set by its keys only, and LOCK is cleared by its keys only.
    this.#control = (value & OPERATIONS) | (value & this.#control & FLASH_CR.OPTWRE);
    if ((value & FLASH_CR.LOCK) !== 0) {
      this.#control = FLASH_CR.LOCK;
      this.#keys = 'locked';
      this.#optionKeys = 'locked';
    } else if ((value & FLASH_CR.STRT) !== 0) {
      this.#start();
    }
  }

  #start(): void {
    if ((this.#control & FLASH_CR.MER) !== 0) {
      this.#erase({ address: 0, length: this.memory.length });
    } else if ((this.#control & FLASH_CR.PER) !== 0) {
      const offset = this.#address - FLASH_BASE;
      const address = offset - (offset % FLASH_PAGE_BYTES);
      if (offset >= 0 && offset < this.memory.length) this.#erase({ address, length: FLASH_PAGE_BYTES });
    } else if ((this.#control & FLASH_CR.OPTER) !== 0 && (this.#control & FLASH_CR.OPTWRE) !== 0) {
      if (this.#faults.deadOptionBytes !== true) this.#setOptions(new Uint8Array(OPTION_BYTES_LENGTH).fill(0xff), 0);
      this.#finish();
    }
  }

  #erase(range: FlashRange): void {
    if (this.#isProtected(range)) {
      this.#status |= FLASH_SR.WRPRTERR;
      return;
    }
    this.#cells.erase(range);
    this.#finish();
  }

  #program(offset: number, value: number): void {
    const range = { address: offset, length: 2 };
    const view = new DataView(this.memory.buffer);
    if (this.#isProtected(range)) {
      this.#status |= FLASH_SR.WRPRTERR;
    } else if (view.getUint16(offset, true) !== ERASED_HALFWORD && value !== 0) {
      this.#status |= FLASH_SR.PGERR;
    } else {
      if (this.#cells.program(offset, value & 0xff)) this.#cells.program(offset + 1, value >>> 8);
      this.#finish();
    }
  }

  /** The complement is the controller's own work. Opening a protected part erases its memory first (PM0075, 2.4.1). */
  #programOption(offset: number, value: number): void {
    if (this.#faults.deadOptionBytes !== true) {
      const byte = value & 0xff;
      this.#setOptions(Uint8Array.of(byte, 0xff - byte), offset);
      if (this.isReadoutProtected && !isReadoutProtected(this.#shown)) this.memory.fill(0xff);
    }
    this.#finish();
  }

  #setOptions(bytes: Bytes, offset: number): void {
    this.#shown.set(bytes, offset);
    if (this.#faults.volatileLock !== true) this.kept.set(bytes, offset);
  }

  #finish(): void {
    this.#status |= this.#faults.hangs === true ? FLASH_SR.BSY : FLASH_SR.EOP;
    this.#onChange();
  }

  #isProtected({ address, length }: FlashRange): boolean {
    if (this.refusesReads) return true;
    const writeProtection = toWrpr(this.#loaded);
    for (let at = address; at < address + length; at += FLASH_PAGE_BYTES) {
      // The last bit protects everything from its first page on.
      const bit = Math.min(Math.floor(at / FLASH_PAGE_BYTES / PAGES_PER_WRP_BIT), 31);
      if (((writeProtection >>> bit) & 1) === 0) return true;
    }
    return false;
  }
}

function nextKeyState(state: KeyState, key: number, open: () => void): KeyState {
  if (state === 'locked' && key === FLASH_KEY1) return 'first key given';
  if (state !== 'first key given' || key !== FLASH_KEY2) return 'locked until reset';
  open();
  return 'locked';
}
