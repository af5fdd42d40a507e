// SPDX-License-Identifier: Apache-2.0
import { decodeHex, encodeHex, type Bytes } from '@witnessmark/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankChip, SpiNorChip, W25Q80_BOARD, type ChipOptions, type ChipState } from '../../src/index.ts';

const UNIQUE_ID = decodeHex('d2651c0b1f3a7788');
const BLANK = blankChip({ ...W25Q80_BOARD, uniqueId: UNIQUE_ID });

describe('SpiNorChip', () => {
  it('answers RDID, manufacturer and device id, and RDUID', () => {
    const chip = newChip();
    expect(encodeHex(chip.transfer(decodeHex('9f'), 3))).toBe('ef4014');
    expect(encodeHex(chip.transfer(decodeHex('90000000'), 2))).toBe('ef13');
    expect(chip.transfer(decodeHex('4b00000000'), 8)).toEqual(UNIQUE_ID);
  });

  it('programs only with the write enable latch, and drops the latch afterwards', () => {
    const chip = newChip();
    send(chip, '02 000000 5a');
    expect(read(chip, 0, 1)).toBe('ff');
    send(chip, '06');
    expect(status(chip)).toBe(0x02);
    send(chip, '02 000000 5a');
    expect(read(chip, 0, 1)).toBe('5a');
    expect(status(chip)).toBe(0x00);
    send(chip, '02 000000 00');
    expect(read(chip, 0, 1)).toBe('5a');
  });

  it('drops the latch on write disable, and keeps it over an instruction it does not know', () => {
    const chip = newChip();
    send(chip, '06', 'e7 000000');
    expect(status(chip)).toBe(0x02);
    send(chip, '04');
    expect(status(chip)).toBe(0x00);
  });

  it('clears bits when it programs and never sets one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 32 }), { minLength: 1, maxLength: 5 }),
        (writes) => {
          const chip = newChip();
          const wanted = new Uint8Array(32).fill(0xff);
          for (const bytes of writes) {
            write(chip, 0x1000, bytes);
            for (const [at, byte] of bytes.entries()) wanted[at] = (wanted[at] as number) & byte;
          }
          expect(read(chip, 0x1000, 32)).toBe(encodeHex(wanted));
        },
      ),
    );
  });

  it('wraps within the page, and keeps the last 256 bytes of a longer write', () => {
    const chip = newChip();
    write(chip, 0x10fe, Uint8Array.of(1, 2, 3));
    expect(read(chip, 0x10fe, 2)).toBe('0102');
    expect(read(chip, 0x1000, 1)).toBe('03');
    expect(read(chip, 0x1100, 1)).toBe('ff');
    const long = Uint8Array.from({ length: 258 }, (_, index) => (index < 2 ? 0 : index & 0xff));
    write(chip, 0x2000, long);
    expect(read(chip, 0x2000, 3)).toBe('000102');
    expect(read(chip, 0x2002, 1)).toBe('02');
  });

  it.each([
    ['20', 0x1000],
    ['52', 0x8000],
    ['d8', 0x10000],
    ['60', 0x100000],
    ['c7', 0x100000],
  ])('erases with %s the block of %i bytes around the address', (opcode, length) => {
    const chip = newChip({ memory: new Uint8Array(W25Q80_BOARD.sizeBytes) });
    const inside = 0x2abcd;
    send(chip, '06', opcode + (length === 0x100000 ? '' : '02abcd'));
    const start = inside - (inside % length);
    const erasedBytes = chip.snapshot().memory.reduce((count, byte) => count + (byte === 0xff ? 1 : 0), 0);
    expect(erasedBytes).toBe(length);
    expect(read(chip, start, 1) + read(chip, start + length - 1, 1)).toBe('ffff');
  });

  it('reads on at address 0 after the last byte, and ignores address bits it does not have', () => {
    const chip = newChip();
    write(chip, 0, Uint8Array.of(0x11));
    write(chip, 0xfffff, Uint8Array.of(0x22));
    expect(read(chip, 0xfffff, 2)).toBe('2211');
    expect(read(chip, 0xf00000, 1)).toBe('11');
    expect(encodeHex(chip.transfer(decodeHex('0b0fffff00'), 2))).toBe('2211');
  });

  it('hears nothing but status reads while busy', () => {
    const chip = newChip({}, { busyReads: 2 });
    write(chip, 0, Uint8Array.of(0x00));
    expect(read(chip, 0, 1)).toBe('ff');
    expect([status(chip), status(chip), status(chip)]).toEqual([0x01, 0x01, 0x00]);
    expect(read(chip, 0, 1)).toBe('00');
  });

  describe('write protection', () => {
    it('refuses programming and erasing in the protected range only', () => {
      const chip = newChip();
      // BP = 001: the upper 64 KiB.
      send(chip, '06', '01 04 00');
      write(chip, 0xf0000, Uint8Array.of(0));
      write(chip, 0xeffff, Uint8Array.of(0));
      send(chip, '06', 'd8 0f0000', '06', 'c7');
      expect(read(chip, 0xeffff, 2)).toBe('00ff');
    });

    it.each([
      { name: 'SRP 00 never holds', srp: '01 1c 00', pin: 'low', held: false },
      { name: 'SRP0 holds while WP# is low', srp: '01 9c 00', pin: 'low', held: true },
      { name: 'SRP0 does not hold while WP# is high', srp: '01 9c 00', pin: 'high', held: false },
      { name: 'SRP1 holds', srp: '01 1c 01', pin: 'high', held: true },
      { name: 'SRP1 and SRP0 hold', srp: '01 9c 01', pin: 'high', held: true },
    ] as const)('$name', ({ srp, pin, held }) => {
      const chip = newChip({}, { writeProtectPin: pin });
      send(chip, '06', srp, '06', '01 00 00', '50', '01 00 00');
      expect(status(chip) & 0x1c).toBe(held ? 0x1c : 0);
    });

    it('ends the power lock-down with the power, and the permanent one never', () => {
      for (const [registers, after] of [
        ['01 1c 01', 0x00],
        ['01 9c 01', 0x01],
      ] as const) {
        const chip = newChip({}, { writeProtectPin: 'high' });
        send(chip, '06', registers);
        chip.powerOff();
        chip.powerOn();
        expect(chip.snapshot().statusRegister2).toBe(after);
      }
    });

    it('needs the latch or the volatile write enable for its registers', () => {
      const chip = newChip();
      send(chip, '01 1c 00');
      expect(status(chip)).toBe(0);
      send(chip, '06', '04', '01 1c 00');
      expect(status(chip)).toBe(0);
    });

    it('forgets volatile settings at a reset instruction and at power-up', () => {
      const chip = newChip();
      for (const restart of [
        () => {
          send(chip, '66', '99');
        },
        () => {
          chip.powerOff();
          chip.powerOn();
        },
      ]) {
        send(chip, '50', '01 1c 00');
        expect(status(chip)).toBe(0x1c);
        restart();
        expect(status(chip)).toBe(0);
      }
    });

    it('resets only right after reset was enabled', () => {
      const chip = newChip();
      send(chip, '50', '01 1c 00', '99', '66', '9f', '99');
      expect(status(chip)).toBe(0x1c);
    });
  });

  describe('security registers', () => {
    it('are programmed, erased, and locked for ever', () => {
      const chip = newChip();
      send(chip, '06', '42 001000 abcd');
      expect(securityRegister(chip, '1000')).toBe('abcd');
      send(chip, '06', '44 001000');
      expect(securityRegister(chip, '1000')).toBe('ffff');
      send(chip, '06', '42 002000 abcd', '06', '01 00 10');
      send(chip, '06', '44 002000', '06', '42 002000 0000', '06', '01 00 00');
      expect(securityRegister(chip, '2000')).toBe('abcd');
      expect(chip.snapshot().statusRegister2).toBe(0x10);
      expect(securityRegister(chip, '4000')).toBe('ffff');
    });
  });

  describe('faults', () => {
    it('keeps a stuck bit through programming and erasing', () => {
      const chip = newChip();
      chip.inject({ stuckBits: [{ address: 5, bit: 3, value: 0 }] });
      expect(read(chip, 5, 1)).toBe('f7');
      send(chip, '06', '20 000000');
      expect(read(chip, 5, 1)).toBe('f7');
      chip.inject({ stuckBits: [{ address: 6, bit: 0, value: 1 }] });
      write(chip, 6, Uint8Array.of(0));
      expect(read(chip, 6, 1)).toBe('01');
    });

    it('loses power inside a page: bytes before are written, the rest is not, and it answers with ones', () => {
      const chip = newChip();
      chip.inject({ powerCut: { during: 'program', afterBytes: 3 } });
      write(chip, 0, Uint8Array.of(1, 2, 3, 4, 5));
      expect(chip.isPowered).toBe(false);
      expect(encodeHex(chip.transfer(decodeHex('9f'), 3))).toBe('ffffff');
      chip.powerOn();
      expect(read(chip, 0, 5)).toBe('010203ffff');
      write(chip, 0, Uint8Array.of(0, 0, 0, 0, 0));
      expect(read(chip, 0, 5)).toBe('0000000000');
    });

    it('loses power inside an erase', () => {
      const chip = newChip({ memory: new Uint8Array(W25Q80_BOARD.sizeBytes) });
      chip.inject({ powerCut: { during: 'erase', afterBytes: 100 } });
      send(chip, '06', '20 000000');
      chip.powerOn();
      expect(read(chip, 99, 2)).toBe('ff00');
    });
  });

  it('is the same again from its snapshot', () => {
    const chip = newChip();
    write(chip, 0x500, Uint8Array.of(1, 2, 3));
    send(chip, '06', '42 003000 77', '06', '01 9c 40');
    const again = new SpiNorChip(chip.snapshot());
    expect(again.snapshot()).toEqual(chip.snapshot());
    expect(status(again)).toBe(0x9c);
  });

  it('gives away no reference to its inside', () => {
    const chip = newChip();
    chip.snapshot().memory.fill(0);
    chip.transfer(decodeHex('03000000'), 4).fill(0);
    expect(read(chip, 0, 1)).toBe('ff');
  });

  it.each([0, 1000, 3 * 64 * 1024, 32 * 1024, 32 * 1024 * 1024])('has no size of %i bytes', (size) => {
    expect(() => newChip({ memory: new Uint8Array(size) })).toThrow(RangeError);
  });

  it('survives any bytes on the wire', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), fc.nat(600), (writes, readLength) => {
        const chip = newChip();
        for (const bytes of writes) expect(chip.transfer(bytes, readLength).length).toBe(readLength);
        expect(chip.snapshot().memory.length).toBe(W25Q80_BOARD.sizeBytes);
      }),
      { numRuns: 50 },
    );
  });
});

function newChip(state: Partial<ChipState> = {}, options: ChipOptions = {}): SpiNorChip {
  return new SpiNorChip({ ...BLANK, ...state }, options);
}

function send(chip: SpiNorChip, ...instructions: readonly string[]): void {
  for (const instruction of instructions) chip.transfer(decodeHex(instruction.replaceAll(' ', '')), 0);
}

function write(chip: SpiNorChip, address: number, bytes: Bytes): void {
  send(chip, '06', `02${address.toString(16).padStart(6, '0')}${encodeHex(bytes)}`);
}

function read(chip: SpiNorChip, address: number, length: number): string {
  return encodeHex(chip.transfer(decodeHex(`03${address.toString(16).padStart(6, '0')}`), length));
}

function status(chip: SpiNorChip): number {
  return chip.transfer(Uint8Array.of(0x05), 1)[0] as number;
}

function securityRegister(chip: SpiNorChip, address: string): string {
  return encodeHex(chip.transfer(decodeHex(`4800${address}00`), 2));
}
