// SPDX-License-Identifier: Apache-2.0
import { RefusedError, type ReasonCode } from '@witnessmark/core';

/** A label that cannot be read or printed. The message never holds the whole scan: a scanner may read anything. */
export function refuseLabel(code: ReasonCode & `LB-${string}`, message: string): RefusedError {
  return new RefusedError(code, message);
}
