// SPDX-License-Identifier: Apache-2.0
/** TPM quotes: ours against tpm2_checkquote, good and damaged, from a TPM that really signs. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64, encodeHex, sha256, type Bytes } from '@witnessmark/core';
import { openTpmQuoter, verifyQuote, type QuoteEvidence, type Quoter } from '@witnessmark/enrolment';
import { newKey } from './support/station.ts';
import { hasTpm, makeAttestationKey, startTpm, type TestTpm } from './support/tpm.ts';

const HANDLE = '0x81010002';
const REGISTERS = [0, 2, 7, 23];
const MEASUREMENT = sha256(new TextEncoder().encode('a measurement'));

describe.skipIf(!hasTpm)('a quote', () => {
  let tpm: TestTpm;
  let quoter: Quoter;
  let good: QuoteEvidence;

  beforeAll(async () => {
    tpm = await startTpm();
    makeAttestationKey(tpm, HANDLE);
    tpm.run('tpm2_pcrextend', `23:sha256=${'5a'.repeat(32)}`);
    quoter = await openTpmQuoter({ attestationKey: HANDLE, registers: REGISTERS, tcti: tpm.tcti });
    good = await quoter.quote(MEASUREMENT);
  }, 60_000);
  afterAll(() => tpm.end());

  function verify(evidence: QuoteEvidence, extraData: Bytes = MEASUREMENT): ReturnType<typeof verifyQuote> {
    return verifyQuote(evidence, { attestationKey: quoter.attestationKey, extraData, registers: REGISTERS });
  }

  /** What tpm2_checkquote says of the same bytes. */
  function checksOut({ quoted, signature }: QuoteEvidence, extraData: Bytes = MEASUREMENT): boolean {
    const [message, mark] = [join(tpm.folder, 'q.msg'), join(tpm.folder, 'q.sig')];
    writeFileSync(message, decodeBase64(quoted));
    writeFileSync(mark, decodeBase64(signature));
    const args = [
      '-u',
      join(tpm.folder, 'ak.pem'),
      '-m',
      message,
      '-s',
      mark,
      '-g',
      'sha256',
      '-q',
      encodeHex(extraData),
    ];
    return spawnSync('tpm2_checkquote', args, { stdio: 'ignore' }).status === 0;
  }

  function flip(text: string, at: number): string {
    const bytes = decodeBase64(text);
    return encodeBase64(bytes.with(at, (bytes.at(at) as number) ^ 1));
  }

  it('holds for the registers, the key and the data it was made for, as tpm2_checkquote says too', () => {
    const { registers, isClockSafe } = verify(good);
    expect([...registers.keys()]).toEqual(REGISTERS);
    expect(registers.get(0)).toBe('0'.repeat(64));
    expect(registers.get(23)).not.toBe('0'.repeat(64));
    expect(isClockSafe).toBeTypeOf('boolean');
    expect(checksOut(good)).toBe(true);
  });

  it('is not good for other data: one that was kept is found', () => {
    const other = sha256(MEASUREMENT);
    expect(() => verify(good, other)).toThrow(expect.objectContaining({ code: 'ID-132' }));
    expect(checksOut(good, other)).toBe(false);
  });

  it('is not good with one bit changed, wherever it is', () => {
    const length = decodeBase64(good.quoted).length;
    for (const at of [0, 5, 20, 50, length - 40, length - 1]) {
      const damaged = { ...good, quoted: flip(good.quoted, at) };
      expect(() => verify(damaged)).toThrow(expect.objectContaining({ code: 'ID-131' }));
      expect(checksOut(damaged)).toBe(false);
    }
    const damaged = { ...good, signature: flip(good.signature, -1) };
    expect(() => verify(damaged)).toThrow(expect.objectContaining({ code: 'ID-131' }));
    expect(checksOut(damaged)).toBe(false);
  });

  it('is not good from another TPM', () => {
    const { publicKey: attestationKey } = newKey();
    expect(() => verifyQuote(good, { attestationKey, extraData: MEASUREMENT })).toThrow(
      expect.objectContaining({ code: 'ID-131' }),
    );
  });

  it('shows the registers that were signed, all of them, in their order, with their values', () => {
    const refused = expect.objectContaining({ code: 'ID-133' }) as Error;
    const [first, second, ...others] = good.registers as [never, never, ...never[]];
    const changed = { index: 0, value: '1'.padStart(64, '0') };
    expect(() => verify({ ...good, registers: [second, first, ...others] })).toThrow(refused);
    expect(() => verify({ ...good, registers: [second, ...others] })).toThrow(refused);
    expect(() => verify({ ...good, registers: [changed, second, ...others] })).toThrow(refused);
    const wanted = { attestationKey: quoter.attestationKey, extraData: MEASUREMENT, registers: [4] };
    expect(() => verifyQuote(good, wanted)).toThrow(refused);
  });

  it('is read strictly', () => {
    const format = expect.objectContaining({ code: 'ERR_ENROLMENT_FORMAT' }) as Error;
    expect(() => verify({ ...good, signature: encodeBase64(new Uint8Array(513)) })).toThrow(format);
    expect(() =>
      verify({ ...good, signature: encodeBase64(Uint8Array.of(...decodeBase64(good.signature), 0)) }),
    ).toThrow(format);
    expect(() => verify({ ...good, signature: encodeBase64(decodeBase64(good.signature).subarray(0, -1)) })).toThrow(
      format,
    );
    expect(() => verify({ ...good, quoted: '*' })).toThrow(format);
    expect(() => verify({ ...good, quoted: encodeBase64(new Uint8Array(1025)) })).toThrow(format);
  });

  it('refuses what a TPM signed that is no quote', async () => {
    // The same key certifies itself: another structure, rightly signed.
    tpm.run(
      'tpm2_certify',
      '-Q',
      '-c',
      HANDLE,
      '-C',
      HANDLE,
      '-g',
      'sha256',
      '-o',
      'c.msg',
      '-s',
      'c.sig',
      '-f',
      'tss',
    );
    const { readFile } = await import('node:fs/promises');
    const read = async (name: string): Promise<string> =>
      encodeBase64(Uint8Array.from(await readFile(join(tpm.folder, name))));
    const evidence = { ...good, quoted: await read('c.msg'), signature: await read('c.sig') };
    expect(() => verify(evidence)).toThrow(expect.objectContaining({ code: 'ERR_ENROLMENT_FORMAT' }));
  });

  it('says that there is no answer when the handle names nothing, or the program is not there', async () => {
    const settings = { registers: REGISTERS, tcti: tpm.tcti };
    const failed = { code: 'ERR_ENROLMENT_TPM' };
    await expect(openTpmQuoter({ ...settings, attestationKey: '0x81010009' })).rejects.toMatchObject(failed);
    await expect(openTpmQuoter({ ...settings, attestationKey: '-u' })).rejects.toThrow(TypeError);
    await expect(openTpmQuoter({ ...settings, attestationKey: HANDLE, registers: [7, 0] })).rejects.toThrow(TypeError);
    await expect(openTpmQuoter({ ...settings, attestationKey: HANDLE, tcti: 'no-such-tcti' })).rejects.toMatchObject(
      failed,
    );
  });
});
