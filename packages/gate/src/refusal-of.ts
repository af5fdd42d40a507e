// SPDX-License-Identifier: Apache-2.0
import { RefusedError } from '@witnessmark/core';

/** What a check refuses with, as a value; null when it does not. */
export function refusalOf(check: () => void): RefusedError | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}
