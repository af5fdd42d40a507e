// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Stm32Mcu } from '../../src/index.ts';
import {
  DEBUG_REGISTERS,
  FLASH_BASE,
  FLASH_CR,
  FLASH_KEY1,
  FLASH_KEY2,
  FLASH_OBR_RDPRT,
  FLASH_REGISTERS,
  FLASH_SIZE_REGISTER,
  FLASH_SR,
  OPTION_BYTES_BASE,
  SRAM_BASE,
  UNIQUE_ID_BASE,
} from '../../src/stm32/memory-map.ts';
import { MCU_KIT, newMcu } from './kit.ts';

const { KEYR, OPTKEYR, SR, CR, AR, OBR } = FLASH_REGISTERS;
const ID = MCU_KIT.uniqueId('mcu', 0);
const IMAGE = MCU_KIT.image;

describe('Stm32Mcu', () => {
  it('shows flash at its address and at 0, its id, its size and memory to work with', () => {
    const mcu = newMcu(ID, { content: IMAGE });
    const view = new DataView(ID.buffer, ID.byteOffset);
    expect(mcu.readWord(FLASH_BASE)).toBe(mcu.readWord(0));
    expect([0, 4, 8].map((at) => mcu.readWord(UNIQUE_ID_BASE + at))).toEqual(
      [0, 4, 8].map((at) => view.getUint32(at, true)),
    );
    expect((mcu.readWord(FLASH_SIZE_REGISTER) as number) & 0xffff).toBe(16);
    expect(mcu.writeWord(SRAM_BASE, 0x12345678)).toBe(true);
    expect(mcu.writePart(SRAM_BASE + 1, 0xff, 1)).toBe(true);
    expect(mcu.readWord(SRAM_BASE)).toBe(0x1234ff78);
  });

  it('programs halfwords only, only while unlocked, and only what was erased', () => {
    const mcu = newMcu(ID);
    mcu.writePart(FLASH_BASE, 0x1234, 2);
    expect(mcu.readWord(FLASH_BASE)).toBe(0xffffffff);
    unlock(mcu);
    mcu.writeWord(CR, FLASH_CR.PG);
    mcu.writePart(FLASH_BASE, 0x1234, 2);
    expect(mcu.readWord(FLASH_BASE)).toBe(0xffff1234);
    expect(status(mcu)).toBe(FLASH_SR.EOP);
    mcu.writePart(FLASH_BASE, 0x1230, 2);
    expect(mcu.readWord(FLASH_BASE)).toBe(0xffff1234);
    expect(status(mcu)).toBe(FLASH_SR.EOP | FLASH_SR.PGERR);
    mcu.writeWord(SR, FLASH_SR.EOP | FLASH_SR.PGERR);
    expect(status(mcu)).toBe(0);
    // All zeroes may be written over anything.
    mcu.writePart(FLASH_BASE, 0, 2);
    expect(mcu.readWord(FLASH_BASE)).toBe(0xffff0000);
    expect(mcu.writeWord(FLASH_BASE + 4, 0)).toBe(false);
    expect(mcu.writePart(FLASH_BASE + 4, 0, 1)).toBe(false);
  });

  it('stays locked until reset after a wrong key', () => {
    const mcu = newMcu(ID);
    mcu.writeWord(KEYR, FLASH_KEY2);
    unlock(mcu);
    expect(control(mcu) & FLASH_CR.LOCK).toBe(FLASH_CR.LOCK);
    mcu.reset();
    unlock(mcu);
    expect(control(mcu) & FLASH_CR.LOCK).toBe(0);
    mcu.writeWord(CR, FLASH_CR.LOCK);
    expect(control(mcu)).toBe(FLASH_CR.LOCK);
  });

  it('erases one page, or all', () => {
    const mcu = newMcu(ID, { content: new Uint8Array(4096) });
    unlock(mcu);
    start(mcu, FLASH_CR.PER, 0x401);
    const { memory } = mcu.snapshot();
    expect(memory.findIndex((byte) => byte === 0xff)).toBe(0x400);
    expect(memory.subarray(0x400, 0x800).every((byte) => byte === 0xff)).toBe(true);
    expect(memory[0x800]).toBe(0);
    start(mcu, FLASH_CR.MER, 0);
    expect(mcu.snapshot().memory.every((byte) => byte === 0xff)).toBe(true);
  });

  it('protects against reading from the next reset on, and erases everything when it is opened again', () => {
    const mcu = newMcu(ID, { content: IMAGE });
    setRdp(mcu, 0x00);
    expect(mcu.readWord(FLASH_BASE)).not.toBeNull();
    mcu.reset();
    expect((mcu.readWord(OBR) as number) & FLASH_OBR_RDPRT).toBe(FLASH_OBR_RDPRT);
    expect(mcu.readWord(FLASH_BASE)).toBeNull();
    expect(mcu.readWord(0)).toBeNull();
    expect(mcu.readWord(UNIQUE_ID_BASE)).not.toBeNull();
    unlock(mcu);
    start(mcu, FLASH_CR.PER, 0);
    expect(status(mcu) & FLASH_SR.WRPRTERR).toBe(FLASH_SR.WRPRTERR);
    // Erased option bytes still protect; the memory is erased when RDP is written.
    expect(mcu.snapshot().memory.subarray(0, IMAGE.length)).toEqual(IMAGE);
    mcu.reset();
    setRdp(mcu, 0xa5);
    expect(mcu.snapshot().memory.every((byte) => byte === 0xff)).toBe(true);
    mcu.reset();
    expect(mcu.readWord(FLASH_BASE)).toBe(0xffffffff);
  });

  it('keeps the lock when only the option bytes are erased', () => {
    const mcu = newMcu(ID, { content: IMAGE });
    unlockOptions(mcu);
    start(mcu, FLASH_CR.OPTER | FLASH_CR.OPTWRE, 0);
    mcu.reset();
    expect(mcu.readWord(FLASH_BASE)).toBeNull();
  });

  it('needs both keys for the option bytes', () => {
    const mcu = newMcu(ID);
    const before = mcu.readWord(OPTION_BYTES_BASE);
    unlock(mcu);
    start(mcu, FLASH_CR.OPTER | FLASH_CR.OPTWRE, 0);
    mcu.writeWord(CR, FLASH_CR.OPTPG | FLASH_CR.OPTWRE);
    mcu.writePart(OPTION_BYTES_BASE, 0, 2);
    expect(mcu.readWord(OPTION_BYTES_BASE)).toBe(before);
    expect(mcu.writeWord(OPTION_BYTES_BASE, 0)).toBe(false);
  });

  it('halts on request, moves core registers, and is caught at reset', () => {
    const mcu = newMcu(ID);
    const { DHCSR, DCRSR, DCRDR, DEMCR, AIRCR } = DEBUG_REGISTERS;
    const isHalted = (): boolean => ((mcu.readWord(DHCSR) as number) & (1 << 17)) !== 0;
    mcu.writeWord(DHCSR, 0x00000003);
    expect(isHalted()).toBe(false);
    mcu.writeWord(DHCSR, 0xa05f0003);
    expect(isHalted()).toBe(true);
    mcu.writeWord(DCRDR, 0xcafe);
    mcu.writeWord(DCRSR, 0x10005);
    mcu.writeWord(DCRDR, 0);
    mcu.writeWord(DCRSR, 5);
    expect(mcu.readWord(DCRDR)).toBe(0xcafe);
    mcu.writeWord(DHCSR, 0xa05f0001);
    expect(isHalted()).toBe(false);
    mcu.writeWord(DEMCR, 1);
    mcu.writeWord(AIRCR, 0x05fa0004);
    expect(isHalted()).toBe(true);
  });
});

function unlock(mcu: Stm32Mcu): void {
  mcu.writeWord(KEYR, FLASH_KEY1);
  mcu.writeWord(KEYR, FLASH_KEY2);
}

function unlockOptions(mcu: Stm32Mcu): void {
  unlock(mcu);
  mcu.writeWord(OPTKEYR, FLASH_KEY1);
  mcu.writeWord(OPTKEYR, FLASH_KEY2);
}

function start(mcu: Stm32Mcu, operation: number, offset: number): void {
  mcu.writeWord(CR, operation);
  mcu.writeWord(AR, FLASH_BASE + offset);
  mcu.writeWord(CR, operation | FLASH_CR.STRT);
}

function setRdp(mcu: Stm32Mcu, rdp: number): void {
  unlockOptions(mcu);
  start(mcu, FLASH_CR.OPTER | FLASH_CR.OPTWRE, 0);
  mcu.writeWord(CR, FLASH_CR.OPTPG | FLASH_CR.OPTWRE);
  mcu.writePart(OPTION_BYTES_BASE, rdp, 2);
}

function status(mcu: Stm32Mcu): number {
  return mcu.readWord(SR) as number;
}

function control(mcu: Stm32Mcu): number {
  return mcu.readWord(CR) as number;
}
