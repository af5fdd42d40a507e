// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8, isSignedBy } from '@witnessmark/core';
import { generateSoftwareKey, saveSoftwareKey, type PinRequest } from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKPOINT_PURPOSE, LOGGED_PURPOSES, purposeOfStatement } from '../src/purpose.ts';
import { openSigner, promptForPin } from '../src/signer-reference.ts';
import type { Session } from '../src/session.ts';
import { CustodySite, hasSoftHsm } from './custody-site.ts';
import { OnTerminal } from './pseudo-terminal.ts';
import { TestSite } from './site.ts';

const REQUEST: PinRequest = {
  expected: { label: 'officer-A', serial: '1f2e' },
  found: {
    label: 'officer-A',
    serial: '1f2e',
    manufacturer: 'SoftHSM',
    model: 'v2',
    firmware: '2.6',
    slot: 'reader 1',
  },
  purpose: 'login',
  keyLabel: null,
  tries: 'last',
};

function sessionThat(answers: readonly string[] | null): { readonly session: Session; readonly seen: string[] } {
  const seen: string[] = [];
  const left = [...(answers ?? [])];
  const terminal = {
    isInteractive: answers !== null,
    askSecret: (question: string) => {
      seen.push(question);
      return Promise.resolve(left.shift() ?? '');
    },
  };
  const output = { note: (line: string) => seen.push(line) };
  return { session: { terminal, output, newId: () => '', clock: { monotonic: () => 0 } } as unknown as Session, seen };
}

describe('a PIN prompt', () => {
  it('names the card expected and the card found, and how the tries stand, before it asks', async () => {
    const { session, seen } = sessionThat(['1234']);
    expect(await promptForPin(session)(REQUEST)).toBe('1234');
    expect(seen.join('\n')).toMatch(/expected token "officer-A".*found {4}token "officer-A".*last try.*PIN: $/s);
  });

  it('says for which key when it is for one signature', async () => {
    const { session, seen } = sessionThat(['1234']);
    await promptForPin(session)({ ...REQUEST, purpose: 'signature', keyLabel: 'SIGN key' });
    expect(seen.join('\n')).toMatch(/one signature with "SIGN key".*PIN for this signature: $/s);
  });

  it('without a terminal names what answers instead', async () => {
    const { session, seen } = sessionThat(null);
    await expect(promptForPin(session)(REQUEST)).rejects.toMatchObject({ code: 'ERR_CLI_ANSWER_MISSING' });
    expect(seen).toEqual([]);
  });
});

describe('the purpose of a message', () => {
  it('is the type of its statement, and nothing that a name in it can fake', () => {
    const of = (text: string): string => purposeOfStatement(encodeUtf8(text));
    const type = 'https://witnessmark.dev/spec/permit/v1';
    expect(of(`DSSEv1 …{"_type":"x","predicateType":"${type}","predicate":{}}`)).toBe('permit');
    const name = JSON.stringify(`,"predicateType":"https://witnessmark.dev/spec/refusal/v1"`);
    expect(of(`{"subject":[{"name":${name}}],"predicateType":"${type}"}`)).toBe('permit');
    expect(of('{"predicate":{},"predicateType":"https://elsewhere.example/permit/v1"}')).toBe('other');
    expect(of('a note\n')).toBe('other');
    expect(LOGGED_PURPOSES.has('permit')).toBe(false);
    expect(LOGGED_PURPOSES.has('provisioning-event')).toBe(true);
    expect(LOGGED_PURPOSES.has(CHECKPOINT_PURPOSE)).toBe(false);
  });
});

describe('openSigner', () => {
  it('opens a key file relative to where it was named', async () => {
    const site = new TestSite();
    try {
      const key = generateSoftwareKey('ecdsa-sha2-nistp256');
      saveSoftwareKey(site.path('own.pem'), key);
      const { session } = sessionThat(null);
      const pathOf = (path: string): string => join(site.folder, path);
      const { signer, close } = await openSigner('own.pem', { session, purpose: 'event', pathOf });
      const message = encodeUtf8('x');
      expect(isSignedBy(key.publicKey, message, await signer.sign(message))).toBe(true);
      expect(signer.custody).toBe('software');
      close();
      await expect(openSigner('pkcs11:', { session, purpose: 'event' })).rejects.toMatchObject({
        code: 'ERR_CUSTODY_KEY_REFERENCE',
      });
    } finally {
      site.remove();
    }
  });
});

describe.skipIf(!hasSoftHsm())('a PIN on a real terminal', () => {
  let site: CustodySite;
  beforeAll(async () => {
    site = await CustodySite.make();
    process.env['SOFTHSM2_CONF'] = site.inCustody('softhsm2.conf');
  }, 60_000);
  afterAll(() => {
    delete process.env['SOFTHSM2_CONF'];
    site.remove();
  });

  it('A47: is typed unseen', async () => {
    const { label, serial } = site.token;
    const uri = `pkcs11:token=${label};serial=${serial};object=line-evidence?module-path=/usr/lib/softhsm/libsofthsm2.so`;
    const terminal = new OnTerminal([
      'keys',
      'qualify',
      '--key',
      uri,
      '--signatures',
      '10',
      '--acceptable-ms',
      '60000',
    ]);
    await terminal.answer((question) => (question.startsWith('PIN') ? site.pin : null));
    expect(`${await terminal.exit} ${terminal.seen}`).toMatch(/^0 .*expected token "service".*PIN: .*QUALIFIED/s);
    expect(terminal.seen).not.toContain(site.pin);
    expect(readFileSync(site.inCustody('pin'), 'utf8').trim()).toBe(site.pin);
  }, 60_000);
});
