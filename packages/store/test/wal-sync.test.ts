// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WalSync } from '../src/wal-sync.ts';
import { withTemporaryDirectory } from './fixtures.ts';

describe('WalSync', () => {
  it(
    'I3: says ERR_STORE_IO where there is no log to sync',
    withTemporaryDirectory((directory) => {
      expect(() => WalSync.open(join(directory, 'line.db'))).toThrow(
        expect.objectContaining({ code: 'ERR_STORE_IO' }) as Error,
      );
      return Promise.resolve();
    }),
  );
});
