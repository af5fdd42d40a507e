// SPDX-License-Identifier: Apache-2.0
/**
 * The JTAG scan chain of an STM32F103 (RM0008, 31.5): the boundary scan TAP next to TDI and the debug port's TAP next
 * to TDO, both following the state diagram of IEEE 1149.1.
 */
import { ACK_OK_FAULT, DebugPort } from './debug-port.ts';
import type { Stm32Mcu } from './mcu.ts';

type TapState = keyof typeof NEXT;

/** The state after a rising edge of TCK with TMS low, and with TMS high. */
const NEXT = {
  testLogicReset: ['runTestIdle', 'testLogicReset'],
  runTestIdle: ['runTestIdle', 'selectDr'],
  selectDr: ['captureDr', 'selectIr'],
  captureDr: ['shiftDr', 'exit1Dr'],
  shiftDr: ['shiftDr', 'exit1Dr'],
  exit1Dr: ['pauseDr', 'updateDr'],
  pauseDr: ['pauseDr', 'exit2Dr'],
  exit2Dr: ['shiftDr', 'updateDr'],
  updateDr: ['runTestIdle', 'selectDr'],
  selectIr: ['captureIr', 'testLogicReset'],
  captureIr: ['shiftIr', 'exit1Ir'],
  shiftIr: ['shiftIr', 'exit1Ir'],
  exit1Ir: ['pauseIr', 'updateIr'],
  pauseIr: ['pauseIr', 'exit2Ir'],
  exit2Ir: ['shiftIr', 'updateIr'],
  updateIr: ['runTestIdle', 'selectDr'],
} as const;

const CPU_IR_BITS = 4;
const CPU = { ABORT: 0x8, DPACC: 0xa, APACC: 0xb, IDCODE: 0xe } as const;
const BOUNDARY_IR_BITS = 5;
const BOUNDARY_IDCODE = 0x01;
const IR_CAPTURE = 0b01;
const ID_BITS = 32;
/** Three bits of address and direction, then the data. */
const ACCESS_BITS = 35;
const ACCESS_HEADER = 3;
const BYPASS_BITS = 1;

export class JtagChain {
  readonly #mcu: Stm32Mcu;
  readonly #boundaryId: number;
  readonly #cpu = new ShiftRegister();
  readonly #boundary = new ShiftRegister();
  #debugPort: DebugPort;
  #state: TapState = 'testLogicReset';
  #cpuInstruction: number = CPU.IDCODE;
  #boundaryInstruction: number = BOUNDARY_IDCODE;

  constructor(mcu: Stm32Mcu) {
    this.#mcu = mcu;
    this.#boundaryId = Number.parseInt(mcu.jedecId, 16);
    this.#debugPort = new DebugPort(mcu);
  }

  /** Level of TDO. */
  get output(): 0 | 1 {
    return this.#cpu.output;
  }

  /** Power was lost: the debug port forgets what was asked of it. */
  powerOn(): void {
    this.#debugPort = new DebugPort(this.#mcu);
    this.resetTaps();
  }

  /** The test reset input, or five edges with TMS high. */
  resetTaps(): void {
    this.#state = 'testLogicReset';
    this.#cpuInstruction = CPU.IDCODE;
    this.#boundaryInstruction = BOUNDARY_IDCODE;
  }

  /** One rising edge of TCK. */
  clock(tms: 0 | 1, tdi: 0 | 1): void {
    if (this.#state === 'shiftDr' || this.#state === 'shiftIr') this.#cpu.shift(this.#boundary.shift(tdi));
    this.#state = NEXT[this.#state][tms];
    if (this.#state === 'testLogicReset') this.resetTaps();
    else if (this.#state === 'captureDr') this.#captureData();
    else if (this.#state === 'captureIr') this.#captureInstructions();
    else if (this.#state === 'updateDr') this.#updateData();
    else if (this.#state === 'updateIr') this.#updateInstructions();
  }

  #captureInstructions(): void {
    this.#cpu.load(CPU_IR_BITS, IR_CAPTURE);
    this.#boundary.load(BOUNDARY_IR_BITS, IR_CAPTURE);
  }

  #updateInstructions(): void {
    this.#cpuInstruction = this.#cpu.low;
    this.#boundaryInstruction = this.#boundary.low;
  }

  #captureData(): void {
    switch (this.#cpuInstruction) {
      case CPU.IDCODE:
        this.#cpu.load(ID_BITS, this.#mcu.debugPortId);
        break;
      case CPU.DPACC:
      case CPU.APACC:
        this.#cpu.loadAccess(ACK_OK_FAULT, this.#debugPort.answer);
        break;
      case CPU.ABORT:
        this.#cpu.load(ACCESS_BITS, 0);
        break;
      default:
        this.#cpu.load(BYPASS_BITS, 0);
    }
    if (this.#boundaryInstruction === BOUNDARY_IDCODE) this.#boundary.load(ID_BITS, this.#boundaryId);
    else this.#boundary.load(BYPASS_BITS, 0);
  }

  #updateData(): void {
    if (this.#cpuInstruction === CPU.ABORT) {
      this.#debugPort.abort();
    } else if (this.#cpuInstruction === CPU.DPACC || this.#cpuInstruction === CPU.APACC) {
      const { header, data } = this.#cpu.access;
      const target = this.#cpuInstruction === CPU.DPACC ? 'debug port' : 'access port';
      this.#debugPort.access(target, (header >> 1) << 2, (header & 1) === 1, data);
    }
  }
}

/** Up to 35 bits in two numbers, the least significant first out. */
class ShiftRegister {
  #length = BYPASS_BITS;
  #low = 0;
  #high = 0;

  get output(): 0 | 1 {
    return (this.#low & 1) as 0 | 1;
  }

  /** The first 32 bits. */
  get low(): number {
    return this.#low;
  }

  get access(): { readonly header: number; readonly data: number } {
    const data = (this.#low >>> ACCESS_HEADER) | (this.#high << (ID_BITS - ACCESS_HEADER));
    return { header: this.#low & 0b111, data: data >>> 0 };
  }

  load(length: number, low: number): void {
    this.#length = length;
    this.#low = low;
    this.#high = 0;
  }

  loadAccess(header: number, data: number): void {
    this.#length = ACCESS_BITS;
    this.#low = (header | (data << ACCESS_HEADER)) >>> 0;
    this.#high = data >>> (ID_BITS - ACCESS_HEADER);
  }

  /** Takes a bit in at the far end and returns the one that falls out. */
  shift(bit: 0 | 1): 0 | 1 {
    const out = this.output;
    this.#low = ((this.#low >>> 1) | ((this.#high & 1) << 31)) >>> 0;
    this.#high >>>= 1;
    const last = this.#length - 1;
    if (last < ID_BITS) this.#low = (this.#low | (bit << last)) >>> 0;
    else this.#high |= bit << (last - ID_BITS);
    return out;
  }
}
