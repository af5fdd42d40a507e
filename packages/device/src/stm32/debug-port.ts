// SPDX-License-Identifier: Apache-2.0
/**
 * The JTAG debug port of an Arm core with one memory access port behind it, as far as a debugger of the ADIv5 kind
 * uses them (IHI 0031, B and C): each scan carries out one access and brings the answer to the one before.
 */
import type { Stm32Mcu } from './mcu.ts';

/** ACK of a scan: the access before was carried out, or was given up with STICKYERR. */
export const ACK_OK_FAULT = 0b010;

export type AccessTarget = 'debug port' | 'access port';

const DP = { CTRL_STAT: 0x4, SELECT: 0x8 } as const;
/** CSYSPWRUPREQ and CDBGPWRUPREQ open the access port; each request, with CDBGRSTREQ, is acknowledged one bit higher. */
const CTRL = { STICKYERR: 1 << 5, POWER_UP: 0x5000_0000, REQUESTS: 0x5400_0000 } as const;
const AP = { CSW: 0x00, TAR: 0x04, DRW: 0x0c, BD0: 0x10, BD3: 0x1c, BASE: 0xf8, IDR: 0xfc } as const;
const AHB_AP_ID = 0x1477_0011;
const ROM_TABLE_BASE = 0xe00f_f003;
const CSW_RESET = 0x2300_0052;
const CSW_DEVICE_ENABLED = 1 << 6;
const CSW_SIZE = 0x7;
const CSW_INCREMENT = 0x30;
const CSW_INCREMENT_PACKED = 0x20;
const SIZES: readonly (1 | 2 | 4)[] = [1, 2, 4];
const LANE_MASKS = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const;

export class DebugPort {
  readonly #mcu: Stm32Mcu;
  #select = 0;
  #control = 0;
  #stickyError = false;
  #answer = 0;
  #accessControl = CSW_RESET;
  #transferAddress = 0;

  constructor(mcu: Stm32Mcu) {
    this.#mcu = mcu;
  }

  /** What the next scan brings out. */
  get answer(): number {
    return this.#answer;
  }

  /** Carries out the access of one scan: `address` is A[3:2] as 0, 4, 8 or 12. */
  access(target: AccessTarget, address: number, isRead: boolean, value: number): void {
    if (target === 'debug port') {
      if (isRead) this.#readDebugPort(address);
      else this.#writeDebugPort(address, value);
    } else if ((this.#control & CTRL.POWER_UP) !== CTRL.POWER_UP) {
      this.#stickyError = true;
    } else if (!this.#stickyError) {
      this.#accessPort((this.#select & 0xf0) | address, isRead, value);
    }
  }

  /** The ABORT register of the JTAG-DP: gives up what is under way. */
  abort(): void {
    this.#stickyError = false;
  }

  #readDebugPort(address: number): void {
    if (address === DP.CTRL_STAT) {
      const acknowledged = (this.#control & CTRL.REQUESTS) << 1;
      this.#answer = (this.#control | acknowledged | (this.#stickyError ? CTRL.STICKYERR : 0)) >>> 0;
    } else if (address === DP.SELECT) {
      this.#answer = this.#select;
    }
    // RDBUFF gives the answer that is there.
  }

  #writeDebugPort(address: number, value: number): void {
    if (address === DP.CTRL_STAT) {
      if ((value & CTRL.STICKYERR) !== 0) this.#stickyError = false;
      this.#control = value & ~CTRL.STICKYERR;
    } else if (address === DP.SELECT) {
      this.#select = value;
    }
  }

  #accessPort(register: number, isRead: boolean, value: number): void {
    // There is one access port, number 0.
    if (this.#select >>> 24 !== 0) {
      if (isRead) this.#answer = 0;
    } else if (register === AP.DRW) {
      this.#transfer(isRead, value);
    } else if (register >= AP.BD0 && register <= AP.BD3) {
      const address = this.#transferAddress - (this.#transferAddress % 16) + (register - AP.BD0);
      this.#accessMemory(address, 4, isRead, value);
    } else if (isRead) {
      this.#answer = this.#readRegister(register);
    } else if (register === AP.CSW) {
      this.#accessControl = value;
    } else if (register === AP.TAR) {
      this.#transferAddress = value;
    }
  }

  #readRegister(register: number): number {
    switch (register) {
      case AP.CSW:
        return (this.#accessControl | CSW_DEVICE_ENABLED) >>> 0;
      case AP.TAR:
        return this.#transferAddress;
      case AP.BASE:
        return ROM_TABLE_BASE;
      case AP.IDR:
        return AHB_AP_ID;
      default:
        return 0;
    }
  }

  /** One access of the size in CSW, or as many as fill a word when they are packed; data travel in their byte lanes. */
  #transfer(isRead: boolean, value: number): void {
    const size = SIZES[this.#accessControl & CSW_SIZE] ?? 4;
    const increment = this.#accessControl & CSW_INCREMENT;
    let answer = 0;
    for (let left = increment === CSW_INCREMENT_PACKED ? 4 / size : 1; left > 0; left -= 1) {
      const lane = size === 4 ? 0 : (this.#transferAddress % 4) * 8;
      this.#accessMemory(this.#transferAddress, size, isRead, value >>> lane);
      answer |= this.#answer & (LANE_MASKS[size] << lane);
      if (increment !== 0) this.#transferAddress = (this.#transferAddress + size) >>> 0;
    }
    if (isRead) this.#answer = answer >>> 0;
  }

  #accessMemory(address: number, size: 1 | 2 | 4, isRead: boolean, value: number): void {
    const aligned = address - (address % size);
    if (isRead) {
      const found = this.#mcu.readWord(aligned - (aligned % 4));
      this.#answer = found ?? 0;
      if (found === null) this.#stickyError = true;
      return;
    }
    const taken = size === 4 ? this.#mcu.writeWord(aligned, value) : this.#mcu.writePart(aligned, value, size);
    if (!taken) this.#stickyError = true;
  }
}
