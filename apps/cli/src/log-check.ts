// SPDX-License-Identifier: Apache-2.0
/** Composition of a whole check: the public log, the keys of the trusted root, and the views that its entries must lead to. */
import { toTrustedKeys } from '@witnessmark/attestation';
import { formatEnvelope } from '@witnessmark/core';
import { fsck, type FsckReport, type Projection } from '@witnessmark/log';
import { openSqliteStore } from '@witnessmark/store';
import { findLogKey, type LogPlace } from './public-log.ts';

interface LogCheck extends LogPlace {
  /** Left out, only the public log is checked. */
  readonly database?: string | undefined;
  readonly hashesOnly: boolean;
  readonly onProgress?: (entries: number, treeSize: number) => void;
}

/** Throws EV-202 when the trusted root has no key for the log. */
export async function checkLog(options: LogCheck): Promise<FsckReport> {
  const { directory, trustedRoot, database, hashesOnly, onProgress } = options;
  return fsck({
    directory,
    logKey: findLogKey(options),
    ...(hashesOnly ? {} : { trustedKeys: toTrustedKeys(trustedRoot).map(({ key }) => key) }),
    ...(database === undefined
      ? {}
      : { openStore: () => openSqliteStore({ path: database, readOnly: true }), projection: await loadProjection() }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** The line's rules take as much memory as the check of a whole log, so they are loaded for a database only. */
async function loadProjection(): Promise<Projection> {
  const { projectEntry } = await import('@witnessmark/line');
  // fsck hands over what it parsed, the projection reads an entry as it was logged.
  return (index, envelope) => projectEntry(index, formatEnvelope(envelope));
}
