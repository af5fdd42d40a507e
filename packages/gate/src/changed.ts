// SPDX-License-Identifier: Apache-2.0
/** PL-103: what lies here is not what people were shown and signed. */
import { RefusedError, WitnessmarkError } from '@witnessmark/core';

export function changed(id: string, what: string, cause?: unknown): RefusedError {
  return new RefusedError('PL-103', `${id} is not what was proposed: ${what}`, { cause });
}

/** What `read` makes of a stored part; throws PL-103 for one that cannot be read, which `what` names. */
export function recompute<T>(id: string, what: string | null, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw changed(id, what === null ? cause.message : `${what} cannot be read: ${cause.message}`, cause);
  }
}
