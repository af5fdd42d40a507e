// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import { hashLeaf } from '@witnessmark/tlog';
import { VerifyPool } from '../src/index.ts';
import { refusal, stationKey, unitEntries, unitEntry } from './fixtures.ts';

describe('VerifyPool', () => {
  const pool = new VerifyPool({ keys: [generateSoftwareKey('ed25519').publicKey, stationKey.publicKey] });
  afterAll(() => pool.close());

  it('verifies many entries in threads, each with its own answer', async () => {
    const entries = await unitEntries(300);
    const stranger = await unitEntry('x', 'x', generateSoftwareKey('ecdsa-sha2-nistp256'));
    const [strange, ...verified] = await Promise.all([stranger, ...entries].map((entry) => pool.verify(entry)));
    expect(strange).toEqual({ leafHash: hashLeaf(stranger), signers: [], signatures: 1 });
    for (const [position, { leafHash, signers, signatures }] of verified.entries()) {
      expect(signers.map((key) => key.keyid)).toEqual([stationKey.publicKey.keyid]);
      expect(signatures).toBe(1);
      expect(leafHash).toEqual(hashLeaf(entries[position] as Uint8Array));
    }
  });

  it('tells why something is no envelope, and leaves its neighbours alone', async () => {
    const good = await unitEntry('a');
    const answers = await Promise.allSettled(
      [good, encodeUtf8('{'), new Uint8Array(70_000), good].map((e) => pool.verify(e)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect((answers[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'ERR_JSON_SYNTAX' });
    expect((answers[2] as PromiseRejectedResult).reason).toMatchObject({ code: 'ERR_DSSE_TOO_LARGE' });
  });

  it('refuses more than it takes on, and everything once it is closed', async () => {
    const small = new VerifyPool({ keys: [stationKey.publicKey], limits: { maxWaiting: 2, workers: 1 } });
    const entry = await unitEntry('a');
    // The first finds nobody waiting and is verified on the spot.
    const waiting = [small.verify(entry), small.verify(entry), small.verify(entry)];
    await expect(small.verify(entry)).rejects.toThrow(refusal('ERR_LOG_OVERLOADED'));
    await Promise.all(waiting);
    const [, unanswered] = [small.verify(entry), small.verify(entry)];
    await Promise.all([expect(unanswered).rejects.toThrow(refusal('ERR_LOG_CLOSED')), small.close()]);
    await expect(small.verify(entry)).rejects.toThrow(refusal('ERR_LOG_CLOSED'));
  });
});
