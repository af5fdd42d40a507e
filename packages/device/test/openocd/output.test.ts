// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHex } from '@witnessmark/core';
import { OpenocdOutput } from '../../src/openocd/output.ts';

/** What a run of the write script says, shortened. */
const WRITTEN = `Info : Connecting to 127.0.0.1:27123
witnessmark: taps 3ba00477 16412041
witnessmark: part 20030412 16
witnessmark: id 066bff343834554e43171424
witnessmark: id 066bff343834554e43171424
Warn : couldn't use block writes, falling back to single memory accesses
witnessmark: erased 1024
witnessmark: written 512
witnessmark: id 066bff343834554e43171424
witnessmark: end
`;

describe('OpenocdOutput', () => {
  it('takes the same from every way of cutting the output', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(WRITTEN.length), { maxLength: 6 }), (cuts) => {
        const output = new OpenocdOutput();
        const borders = [0, ...cuts.toSorted((left, right) => left - right), WRITTEN.length];
        const milestones = borders.slice(1).flatMap((end, index) => output.receive(WRITTEN.slice(borders[index], end)));
        expect(milestones).toEqual([
          { kind: 'erased', address: 1024 },
          { kind: 'written', address: 512 },
        ]);
        expect(output.ids.map(encodeHex)).toEqual(Array.from({ length: 3 }, () => '066bff343834554e43171424'));
        expect(output.part).toEqual({ idcode: '20030412', sizeBytes: 16384 });
        expect(output.ended).toBe(true);
      }),
    );
  });

  it.each([
    ['witnessmark: id 066bff3', 'half a byte'],
    ['witnessmark: id 066BFF343834554E43171424', 'capitals'],
    ['witnessmark: end of the line', 'more than the script says'],
    ['witnessmark: refused taps 3ba00477; shutdown', 'punctuation'],
    ['witnessmark: ', 'nothing'],
  ])('refuses a line of ours with %s: %s', (line) => {
    expect(() => new OpenocdOutput().receive(`${line}\n`)).toThrow(
      expect.objectContaining({ code: 'ERR_DEVICE_TOOL' }),
    );
  });

  it.each([
    ['refused taps 00000000 00000000', 'UF-01', 'no part answers'],
    ['refused taps 3ba00477 16414041', 'UF-01', '16414041'],
    ['refused protected', 'UF-02', 'protected'],
    ['refused not_erased 000000 ffff5555', 'UF-02', 'ffff5555'],
    ['refused failed erase', 'UF-02', 'erased'],
    ['refused failed write', 'UF-02', 'written'],
    ['refused failed read', 'UF-02', 'read'],
    ['refused failed unlock', 'UF-02', 'unlocked'],
    ['refused failed lock', 'UF-04', 'lock'],
    ['refused not_locked a5', 'UF-04', 'a5'],
    ['refused exchanged 066bff343834554e43171424', 'UF-07', '066bff343834554e43171424'],
    ['refused failed something', 'ERR_DEVICE_TOOL', ''],
  ])('%s is %s', (statement, code, remark) => {
    const output = new OpenocdOutput();
    output.receive(`witnessmark: taps 3ba00477 16412041\nwitnessmark: ${statement}\n`);
    const error = output.toError(1);
    expect(error.code).toBe(code);
    expect(error.message).toContain(remark);
  });

  it('says LS-403 when nothing was connected, and knows nothing when the link was lost later', () => {
    const gone = new OpenocdOutput();
    gone.receive("Error: Error on socket 'Failed to connect': errno==111, message: Connection refused.\n");
    expect(gone.toError(1).code).toBe('LS-403');
    const lost = new OpenocdOutput();
    lost.receive(`${WRITTEN.slice(0, 200)}\nError: Invalid ACK (7) in DAP response\n`);
    expect(lost.toError(1)).toMatchObject({ code: 'ERR_DEVICE_LINK' });
    expect(lost.toError(1).message).toContain('Invalid ACK');
  });

  it('never repeats more than a bounded, printable remark', () => {
    const output = new OpenocdOutput();
    output.receive(`Error: \u001b[31m${'\u0007x'.repeat(100_000)}\n${'y'.repeat(100_000)}`);
    const { message } = output.toError(1);
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/^[\x20-\x7e]+$/);
  });
});
