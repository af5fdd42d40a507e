// SPDX-License-Identifier: Apache-2.0
import { RefusedError } from '@witnessmark/core';
import { CustodyError } from '@witnessmark/custody';
import { LineRefusal } from './error.ts';

/**
 * LS-304 for a token or custody that cannot sign: nothing was countersigned or committed, and the same statement may be
 * asked again. Null for any other error.
 */
export function toSilentKey(error: unknown): LineRefusal | null {
  const isSilent = error instanceof CustodyError || (error instanceof RefusedError && error.code.startsWith('CU-'));
  if (!isSilent) return null;
  return new LineRefusal('LS-304', 'a signature by a key of the line', `${error.code}: ${error.message}`, error);
}
