// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatKeyReference,
  generateSoftwareKey,
  KeyAccess,
  parseKeyReference,
  saveSoftwareKey,
} from '@witnessmark/custody';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const URI = 'pkcs11:token=officer-A;serial=1f2e3d4c;object=approver?module-path=/usr/lib/opensc-pkcs11.so';
const CUSTODY = 'custody:line-evidence?socket=/run/custody.sock&client=line&token-file=/etc/line.token';
const NOT_READ = { code: 'ERR_CUSTODY_KEY_REFERENCE' };

describe('a key reference', () => {
  it('is the path of a key file when it has no scheme', () => {
    expect(parseKeyReference('keys/a.pem', (path) => `/site/${path}`)).toEqual({
      kind: 'file',
      path: '/site/keys/a.pem',
    });
  });

  it('names a token by label and serial, and a key by label, id or both', () => {
    expect(parseKeyReference(URI)).toEqual({
      kind: 'pkcs11',
      token: { label: 'officer-A', serial: '1f2e3d4c' },
      key: { label: 'approver' },
      modulePath: '/usr/lib/opensc-pkcs11.so',
      pin: null,
    });
    const withId = parseKeyReference(URI.replace('object=approver', 'object=SIGN%20key;id=%02%A0;type=private'));
    expect(withId).toMatchObject({ key: { label: 'SIGN key', id: Uint8Array.of(2, 0xa0) } });
  });

  it.each([
    ['file:/run/pin', { file: '/run/pin' }],
    ['file:///run/pin', { file: '/run/pin' }],
    ['file:pin.txt', { file: '/site/pin.txt' }],
    ['fd:7', { descriptor: 7 }],
  ])('takes the PIN from %s', (source, pin) => {
    const pathOf = (path: string): string => (path.startsWith('/') ? path : `/site/${path}`);
    expect(parseKeyReference(`${URI}&pin-source=${source}`, pathOf)).toMatchObject({ pin });
  });

  it.each(['pin-value=314159', 'PIN-VALUE=314159', 'pin-value'])(
    'A47: refuses %s and does not repeat it',
    (attribute) => {
      for (const text of [`${URI}&${attribute}`, URI.replace(';object', `;${attribute};object`)]) {
        expect(() => parseKeyReference(text)).toThrow(expect.objectContaining({ code: 'CU-201' }));
        expect(() => parseKeyReference(text)).not.toThrow(/314159/);
      }
    },
  );

  it.each([
    ['a slot by its number', URI.replace('serial', 'slot-id=0;serial')],
    ['an attribute nobody defined', URI.replace('serial', 'colour=red;serial')],
    ['a vendor attribute', URI.replace('serial', 'x-vendor=1;serial')],
    ['an attribute in the wrong part', `${URI}&token=officer-A`],
    ['an attribute twice', URI.replace('serial', 'token=officer-B;serial')],
    ['no token', URI.replace('token=officer-A;', '')],
    ['no serial', URI.replace('serial=1f2e3d4c;', '')],
    ['neither label nor id', URI.replace(';object=approver', '')],
    ['no module', URI.replace(/\?.*/, '')],
    ['a public key', URI.replace('?', ';type=public?')],
    ['an empty value', URI.replace('officer-A', '')],
    ['an empty id', URI.replace('object=approver', 'id=')],
    ['a broken percent-encoding', URI.replace('approver', '%0')],
    ['bytes that are not UTF-8', URI.replace('approver', '%FF')],
    ['a control character', URI.replace('approver', 'a%0Ab')],
    ['an unencoded space', URI.replace('approver', 'SIGN key')],
    ['a program that tells the PIN', `${URI}&pin-source=|/bin/pin`],
    ['a PIN file without a name', `${URI}&pin-source=file:`],
    ['a PIN on another host', `${URI}&pin-source=file://host/pin`],
    ['a descriptor nobody has', `${URI}&pin-source=fd:1024`],
    ['a custody key without a name', 'custody:?socket=/s&client=line&token-file=/t'],
    ['custody without a socket', CUSTODY.replace('socket=/run/custody.sock&', '')],
    ['custody with a purpose of its own', `${CUSTODY}&purpose=permit`],
    ['custody with a member twice', `${CUSTODY}&client=line`],
    ['custody with a broken encoding', CUSTODY.replace('/run', '%GG')],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => {
    expect(() => parseKeyReference(text)).toThrow(expect.objectContaining(NOT_READ));
  });

  it.each([
    ['token', 32],
    ['serial', 16],
    ['object', 128],
  ])('takes a %s of %i bytes and not one more', (name, length) => {
    const of = (bytes: number): string => URI.replace(new RegExp(`${name}=[^;?]*`), `${name}=${'x'.repeat(bytes)}`);
    expect(parseKeyReference(of(length))).toMatchObject({ kind: 'pkcs11' });
    expect(() => parseKeyReference(of(length + 1))).toThrow(expect.objectContaining(NOT_READ));
  });

  it('takes 2048 characters and not one more', () => {
    expect(parseKeyReference('k'.repeat(2_048))).toMatchObject({ kind: 'file' });
    expect(() => parseKeyReference('k'.repeat(2_049))).toThrow(expect.objectContaining(NOT_READ));
  });

  it('is read as it was written, whatever the names hold', () => {
    const name = fc.string({ minLength: 1, maxLength: 10 }).filter((text) => /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text));
    fc.assert(
      fc.property(name, (text) => {
        const pkcs11 = {
          kind: 'pkcs11',
          token: { label: `t${text.at(0)}`, serial: '1f' },
          key: { label: text, id: Uint8Array.of(0, 1, 255) },
          modulePath: `/lib/${text}`,
          pin: { file: `/pins/${text}` },
        } as const;
        const custody = { kind: 'custody', key: 'log', socket: `/${text}`, client: 'line', tokenFile: text } as const;
        for (const reference of [pkcs11, custody]) {
          expect(parseKeyReference(formatKeyReference(reference))).toEqual(reference);
        }
      }),
    );
  });
});

describe('access to keys', () => {
  it('opens a key file, and says which one is missing', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'witnessmark-reference-'));
    const access = new KeyAccess({
      askPin: () => Promise.reject(new Error('nobody')),
      newId: () => '',
      clock: { monotonic: () => 0 },
    });
    try {
      const key = generateSoftwareKey('ed25519');
      saveSoftwareKey(join(dir, 'a.pem'), key);
      const signer = await access.open(
        parseKeyReference('a.pem', (path) => join(dir, path)),
        'event',
      );
      expect(signer.publicKey.keyid).toBe(key.publicKey.keyid);
      const missing = access.open(parseKeyReference(join(dir, 'b.pem')), 'event');
      await expect(missing).rejects.toMatchObject({ code: 'ERR_CUSTODY_KEY_FILE' });
    } finally {
      access.close();
      rmSync(dir, { recursive: true });
    }
  });

  it('asks again for a module that was missing: what failed is not remembered', async () => {
    const access = new KeyAccess({
      askPin: () => Promise.reject(new Error('nobody')),
      newId: () => '',
      clock: { monotonic: () => 0 },
    });
    const reference = parseKeyReference(URI.replace('/usr/lib/opensc-pkcs11.so', '/nowhere.so'));
    await expect(access.open(reference, 'event')).rejects.toMatchObject({ code: 'CU-101' });
    await expect(access.open(reference, 'event')).rejects.toMatchObject({ code: 'CU-101' });
  });
});
