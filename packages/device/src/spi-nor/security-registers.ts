// SPDX-License-Identifier: Apache-2.0
/** The three security registers of W25Q-class flash: 256 bytes each, locked one by one and for ever by LB1 to LB3. */
import type { Bytes } from '@witnessmark/core';

export const SECURITY_REGISTERS = 3;
export const SECURITY_REGISTER_BYTES = 256;

const ADDRESS_END = 4;
/** LB1, the lock bit of the first register, in status register 2. */
const FIRST_LOCK_BIT = 0x08;

/** As they come from the maker: erased. */
export function blankSecurityRegisters(): Bytes[] {
  return Array.from({ length: SECURITY_REGISTERS }, () => new Uint8Array(SECURITY_REGISTER_BYTES).fill(0xff));
}

/** Each method takes the whole instruction: opcode, 24-bit address whose bits 12 to 15 name the register, then data. */
export class SecurityRegisters {
  readonly #registers: readonly Bytes[];

  constructor(registers: readonly Bytes[]) {
    this.#registers = registers.map((register) => register.slice());
  }

  snapshot(): Bytes[] {
    return this.#registers.map((register) => register.slice());
  }

  read(instruction: Bytes, answer: Bytes): void {
    const register = this.#registers[registerIndex(instruction)];
    if (register === undefined) return;
    for (let index = 0; index < answer.length; index += 1)
      answer[index] = register[offset(instruction, index)] as number;
  }

  program(instruction: Bytes, statusRegister2: number): void {
    const register = this.#unlocked(instruction, statusRegister2);
    if (register === undefined) return;
    for (const [index, byte] of instruction.subarray(ADDRESS_END).entries()) {
      const at = offset(instruction, index);
      register[at] = (register[at] as number) & byte;
    }
  }

  erase(instruction: Bytes, statusRegister2: number): void {
    this.#unlocked(instruction, statusRegister2)?.fill(0xff);
  }

  #unlocked(instruction: Bytes, statusRegister2: number): Bytes | undefined {
    const index = registerIndex(instruction);
    return (statusRegister2 & (FIRST_LOCK_BIT << index)) === 0 ? this.#registers[index] : undefined;
  }
}

/** Registers are numbered from 1; address 0 names none. */
function registerIndex(instruction: Bytes): number {
  return ((instruction[2] ?? 0) >> 4) - 1;
}

function offset(instruction: Bytes, index: number): number {
  return ((instruction[3] ?? 0) + index) & (SECURITY_REGISTER_BYTES - 1);
}
