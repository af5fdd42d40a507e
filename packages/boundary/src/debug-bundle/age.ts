// SPDX-License-Identifier: Apache-2.0
/** Encryption to a recipient with age (https://c2sp.org/age), X25519 or hybrid post-quantum. Nothing comes out before all of it verified. */
import { Decrypter, Encrypter } from 'age-encryption';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { BoundaryError } from '../error.ts';

/** What the library says when no stanza of the header is for the identity. */
const NO_MATCH = 'no identity matched';

/** Throws `ERR_BOUNDARY_RECIPIENT` for what is no recipient. */
export async function encryptFor(recipient: string, content: Bytes): Promise<Bytes> {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new BoundaryError('ERR_BOUNDARY_RECIPIENT', 'not an age recipient (age1…)', { cause });
  }
  return encrypter.encrypt(content);
}

/** The whole plaintext. Throws BX-142 for another key, BX-143 for damage, `ERR_BOUNDARY_RECIPIENT` for what is no identity. */
export async function decryptWith(identity: string, sealed: Bytes): Promise<Bytes> {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity);
  } catch (cause) {
    // The cause may hold the identity itself.
    throw new BoundaryError('ERR_BOUNDARY_RECIPIENT', 'not an age identity (AGE-SECRET-KEY-1…)', {
      cause: (cause as Error).name,
    });
  }
  try {
    return await decrypter.decrypt(sealed);
  } catch (cause) {
    if ((cause as Error).message.includes(NO_MATCH)) {
      throw new RefusedError('BX-142', 'the file was not encrypted to this key', { cause });
    }
    throw new RefusedError('BX-143', 'the file does not decrypt: it was changed or cut off', { cause });
  }
}

/** The identity in a key file as age-keygen writes it; throws `ERR_BOUNDARY_RECIPIENT`. */
export function parseIdentityFile(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const [identity, ...others] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identity?.startsWith('AGE-SECRET-KEY-') === true && others.length === 0) return identity;
  throw new BoundaryError('ERR_BOUNDARY_RECIPIENT', 'not a file with one age identity');
}
