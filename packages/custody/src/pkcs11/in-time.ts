// SPDX-License-Identifier: Apache-2.0
/** A limit for what a token does in its own time: it may wait for a touch, and it may never answer. */
import { RefusedError } from '@witnessmark/core';
import type { Pkcs11Token } from './token.ts';

/** Says so when the token seems to wait for a person; after the limit the token is lost. Throws CU-110. */
export async function inTime<T>(
  token: Pkcs11Token,
  keyLabel: string,
  { work, late: message }: { readonly work: Promise<T>; readonly late: string },
): Promise<T> {
  const { signTimeoutMs, waitingAfterMs, onWaiting, identity } = token;
  const waiting = setTimeout(() => onWaiting(identity, keyLabel), waitingAfterMs);
  const late = Promise.withResolvers<never>();
  const timeout = setTimeout(() => {
    late.reject(token.lose(new RefusedError('CU-110', `${message} within ${signTimeoutMs} ms`)));
  }, signTimeoutMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(waiting);
    clearTimeout(timeout);
  }
}
