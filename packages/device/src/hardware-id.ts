// SPDX-License-Identifier: Apache-2.0
/** Which answers to "read unique id" cannot name one part (spec/device-id.md). */
import type { Bytes } from '@witnessmark/core';

/**
 * Whether the value is one that many parts give: every byte equal (an empty socket, an erased or unsupported
 * identifier) or each byte one more than the one before (test patterns such as 01 02 03 …).
 */
export function isPlaceholderId(value: Bytes): boolean {
  const first = value[0];
  if (first === undefined) return true;
  const step = (value[1] ?? first) - first;
  return (step === 0 || step === 1) && value.every((byte, index) => byte === first + index * step);
}
