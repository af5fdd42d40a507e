// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlashromOutput } from '../../src/flashrom/output.ts';

/** What flashrom 1.3 prints, shortened. */
const WRITTEN = `Reading old flash chip contents... done.
Erasing and writing flash chip... Trying erase function 0... 0x000000-0x000fff:EW, 0x001000-0x001fff:S, 0x002000-0x002fff:RREWW
Erase/write done.
serprog: Output drivers disabled
`;

describe('FlashromOutput', () => {
  it('recognises progress and the claim, however the output is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WRITTEN.length), { maxLength: 6 }), (cuts) => {
        const output = new FlashromOutput();
        const borders = [0, ...cuts.toSorted((left, right) => left - right), WRITTEN.length];
        const addresses = new Set<number>();
        let hasRead = false;
        for (const [index, end] of borders.slice(1).entries()) {
          for (const milestone of output.receive(WRITTEN.slice(borders[index], end))) {
            if (milestone.kind === 'read') hasRead = true;
            else addresses.add(milestone.address);
          }
        }
        expect([...addresses]).toEqual([0x1000, 0x2000, 0x3000]);
        expect(hasRead && output.claimsWritten).toBe(true);
        expect(output.claimsRead).toBe(false);
      }),
    );
  });

  it('does not take the claim of a run that could not remove a write protection', () => {
    const output = new FlashromOutput();
    output.receive('Some block protection in effect, disabling... Block protection could not be disabled!\n');
    output.receive(`${'x'.repeat(100_000)}\n`);
    output.receive(WRITTEN);
    expect(output.claimsWritten).toBe(false);
  });

  it.each([
    [
      'UF-01',
      'Probing...\nNo EEPROM/flash device found.\nserprog: Output drivers disabled\n',
      'No EEPROM/flash device found.',
    ],
    [
      'LS-403',
      'Error: serprog cannot connect: Connection refused\nError: Programmer initialization failed.\n',
      'refused',
    ],
    [
      'UF-02',
      'serprog: connected\n0x000000-0x000fff:EFAILED at 0x00000000! Expected=0xff, Found=0x55\nUh oh.\n',
      '0x55',
    ],
    ['UF-02', "Error: Image size (100 B) doesn't match the expected size (1048576 B)!\nend\n", 'Image size'],
    ['UF-02', '', 'it said nothing'],
  ])('says %s with the line that carries it', (code, text, remark) => {
    const output = new FlashromOutput();
    output.receive(text);
    const refusal = output.toError(2);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(remark);
    expect(refusal.message).toContain('status 2');
  });

  it.each([
    'Error: cannot read from device: Connection reset by peer',
    'Error: cannot write parameters: Broken pipe',
    'Error: cannot read return parameters: Connection reset by peer',
  ])('does not call it a refusal when the link was lost on the way: %s', (line) => {
    const output = new FlashromOutput();
    output.receive(`${WRITTEN.slice(0, 150)}\n${line}\nUh oh. Erase/write failed.\n`);
    expect(output.toError(2)).toMatchObject({ code: 'ERR_DEVICE_LINK' });
  });

  it('never repeats more than a bounded, printable remark', () => {
    const output = new FlashromOutput();
    output.receive(`Error: \u001b[31m${'\u0007x'.repeat(100_000)}\n`);
    const { message } = output.toError(1);
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/^[\x20-\x7e]+$/);
  });
});
