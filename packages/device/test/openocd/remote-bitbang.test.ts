// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import { McuBay } from '../../src/index.ts';
import { RemoteBitbangAdapter } from '../../src/openocd/remote-bitbang.ts';
import { MCU_KIT, newMcu } from '../stm32/kit.ts';

const ID_BITS = 64;

describe('RemoteBitbangAdapter', () => {
  it('shifts out both IDCODEs after a test reset, the debug port first', () => {
    expect(readIds(new RemoteBitbangAdapter(new McuBay(newMcu(MCU_KIT.uniqueId('bits', 0)))))).toEqual([
      0x3ba00477, 0x16412041,
    ]);
  });

  it('reads ones from an empty bay and from a part without power', () => {
    const bay = new McuBay();
    expect(readIds(new RemoteBitbangAdapter(bay))).toEqual([0xffffffff, 0xffffffff]);
    bay.insert(newMcu(MCU_KIT.uniqueId('bits', 1)));
    bay.powerOff();
    expect(readIds(new RemoteBitbangAdapter(bay))).toEqual([0xffffffff, 0xffffffff]);
    bay.powerOn();
    expect(readIds(new RemoteBitbangAdapter(bay))).toEqual([0x3ba00477, 0x16412041]);
  });

  it('answers reads only, ends when it is told to, and takes no other characters', () => {
    const adapter = new RemoteBitbangAdapter(new McuBay());
    expect(text(adapter.receive(encodeUtf8('BbrstuR0R')).output)).toBe('11');
    expect(adapter.receive(encodeUtf8('RQR'))).toEqual({ output: encodeUtf8('1'), ended: true });
    for (const character of ['8', '/', 'v', 'x', '\n', 'é']) {
      expect(() => adapter.receive(encodeUtf8(character))).toThrow(
        expect.objectContaining({ code: 'ERR_DEVICE_PROTOCOL' }),
      );
    }
  });

  it('breaks once where it is told to, and falls silent until the next client', () => {
    const bay = new McuBay(newMcu(MCU_KIT.uniqueId('bits', 2)));
    const adapter = new RemoteBitbangAdapter(bay);
    bay.dropLinkAfter(2);
    expect(() => adapter.receive(encodeUtf8('040404'))).toThrow(expect.objectContaining({ code: 'ERR_DEVICE_LINK' }));
    expect(text(adapter.receive(encodeUtf8('0404R')).output)).toHaveLength(1);
    bay.stallAfter(1);
    expect(text(adapter.receive(encodeUtf8('R04R')).output)).toHaveLength(1);
    expect(text(new RemoteBitbangAdapter(bay).receive(encodeUtf8('R')).output)).toHaveLength(1);
  });
});

/** From Test-Logic-Reset to Shift-DR, then 64 bits. */
function readIds(adapter: RemoteBitbangAdapter): number[] {
  const edge = (tms: 0 | 1): string => (tms === 1 ? '26' : '04');
  const walk = [1, 1, 1, 1, 1, 0, 1, 0, 0].map((tms) => edge(tms as 0 | 1)).join('');
  const bits = text(adapter.receive(encodeUtf8(walk + `R${edge(0)}`.repeat(ID_BITS))).output);
  return [bits.slice(0, 32), bits.slice(32)].map((word) => Number.parseInt(Array.from(word).reverse().join(''), 2));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
