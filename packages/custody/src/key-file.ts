// SPDX-License-Identifier: Apache-2.0
/** Reading a private key file that nobody but its owner may read. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { CustodyError } from './error.ts';

const GROUP_AND_OTHERS = 0o077;

/** The text of a key file; throws `ERR_CUSTODY_KEY_FILE`, or `ERR_CUSTODY_KEY_MODE` when others may read it. */
export function readKeyFile(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      if ((fstatSync(file).mode & GROUP_AND_OTHERS) !== 0) {
        throw new CustodyError('ERR_CUSTODY_KEY_MODE', `${path} can be read by others; its mode must be 0600`);
      }
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof CustodyError) throw cause;
    throw new CustodyError('ERR_CUSTODY_KEY_FILE', `${path} is not a readable private key`, { cause });
  }
}
