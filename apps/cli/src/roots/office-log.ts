// SPDX-License-Identifier: Apache-2.0
/** The office's evidence log for one statement: opened, appended to, published, let go. */
import { join } from 'node:path';
import type { Envelope } from '@witnessmark/core';
import { NoteSigner } from '@witnessmark/custody';
import { OfficeLog } from '@witnessmark/gate';
import { formatLogProof } from '@witnessmark/tlog';
import type { LoadedConfig, OfficeConfig } from '../config.ts';
import type { Session } from '../session.ts';
import { openSigner } from '../signer-reference.ts';

/** Logs an envelope and returns its tlog-proof; throws the `LG-` codes of the log, LG-110 when another process writes it. */
export function proveInOfficeLog(
  { values, pathOf }: LoadedConfig<OfficeConfig>,
  session: Session,
): (envelope: Envelope) => Promise<string> {
  return async (envelope) => {
    const key = await openSigner(values.log.key, { session, purpose: 'checkpoint', pathOf });
    try {
      const signer = new NoteSigner(values.log.name, key.signer);
      const log = await OfficeLog.open({
        directory: join(pathOf(values.directory), 'evidence'),
        signer,
        clock: session.clock,
      });
      try {
        return formatLogProof(await log.record(envelope));
      } finally {
        await log.close();
      }
    } finally {
      key.close();
    }
  };
}
