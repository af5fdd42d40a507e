// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8, isSignedBy, RefusedError } from '@witnessmark/core';
import { KeyAccess, parseKeyReference, type KeyAccessPorts, type Signer } from '@witnessmark/custody';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSoftHsm, hasProgram, hasSoftHsm, PIN, SOFTHSM_MODULE, type SoftHsm } from '../support/soft-hsm.ts';

const MESSAGE = encodeUtf8('a checkpoint');

describe.skipIf(!hasSoftHsm || !hasProgram('pkcs11-tool'))('a token that goes away', () => {
  let hsm: SoftHsm;
  let serial: string;
  let access: KeyAccess;
  const clock = { now: 0, monotonic: () => (clock.now += 1_000) };
  const ports: KeyAccessPorts = { clock, newId: () => '', askPin: () => Promise.resolve(PIN) };

  beforeAll(() => {
    hsm = createSoftHsm();
    serial = hsm.createToken('going-away');
    makeKey('signer');
  });
  afterEach(() => {
    access.close();
  });
  afterAll(() => {
    hsm.remove();
  });

  function makeKey(label: string): void {
    const key = ['--keypairgen', '--key-type', 'EC:prime256v1', '--id', '01', '--label', label];
    execFileSync(
      'pkcs11-tool',
      ['--module', SOFTHSM_MODULE, '--token-label', 'going-away', '--login', '--pin', PIN, ...key],
      {
        env: hsm.env,
        stdio: 'pipe',
      },
    );
  }

  function deleteKey(label: string): void {
    for (const type of ['privkey', 'pubkey']) {
      const object = ['--delete-object', '--type', type, '--label', label];
      execFileSync(
        'pkcs11-tool',
        ['--module', SOFTHSM_MODULE, '--token-label', 'going-away', '--login', '--pin', PIN, ...object],
        {
          env: hsm.env,
          stdio: 'pipe',
        },
      );
    }
  }

  async function open(): Promise<Signer> {
    access = new KeyAccess(ports);
    const uri = `pkcs11:token=going-away;serial=${serial};object=signer?module-path=${SOFTHSM_MODULE}`;
    return access.open(parseKeyReference(uri), 'checkpoint');
  }

  const tokens = (): string => join(hsm.dir, 'tokens');

  it('is refused while it is away, and signs again when it is back', async () => {
    const signer = await open();
    expect(isSignedBy(signer.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true);
    renameSync(tokens(), `${tokens()}.away`);
    try {
      for (let tries = 0; tries < 3; tries += 1)
        await expect(signer.sign(MESSAGE)).rejects.toBeInstanceOf(RefusedError);
    } finally {
      renameSync(`${tokens()}.away`, tokens());
    }
    const signature = await eventually(() => signer.sign(MESSAGE));
    expect(isSignedBy(signer.publicKey, MESSAGE, signature)).toBe(true);
  });

  it('CU-205: does not sign with a key that took the place of the first one', async () => {
    const signer = await open();
    renameSync(tokens(), `${tokens()}.away`);
    await expect(signer.sign(MESSAGE)).rejects.toBeInstanceOf(RefusedError);
    renameSync(`${tokens()}.away`, tokens());
    deleteKey('signer');
    makeKey('signer');
    const refusal = await eventually(async () => {
      const error = await signer.sign(MESSAGE).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error instanceof RefusedError && error.code !== 'CU-205') throw error;
      return error;
    });
    expect(refusal).toMatchObject({ code: 'CU-205' });
  });
});

/** Repeats what may have to wait for the token to be seen again. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}
