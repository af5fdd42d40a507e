// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@witnessmark/core';

/** UUIDs of version 7 (RFC 9562 section 5.7) whose random part counts, so that a run is the same each time. */
export function simIds(clock: Clock): () => string {
  let count = 0;
  return () => {
    count += 1;
    const time = clock.now().toString(16).padStart(12, '0');
    const tail = count.toString(16).padStart(12, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`;
  };
}
