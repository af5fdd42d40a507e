// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

/** The code with which work fails; null when it does not. Other errors pass through. */
export async function codeOf(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof WitnessmarkError) return error.code;
    throw error;
  }
}
