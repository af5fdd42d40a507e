// SPDX-License-Identifier: Apache-2.0
/** Puts purges of the release cache on record; what cannot be delivered now waits in the cache's index. */
import { RefusedError, type PublicKey } from '@witnessmark/core';
import { buildStatement, cachePurge } from '@witnessmark/attestation';
import { ApiError } from '@witnessmark/api';
import type { StationPorts } from '../ports.ts';
import { verifyReceipt } from '../receipt.ts';
import { signStatement } from '../signing.ts';
import type { SealedCache } from './sealed-cache.ts';

type ReportPorts = Pick<StationPorts, 'clock' | 'line' | 'lineTrust' | 'signer'> & {
  readonly identity: Pick<StationPorts['identity'], 'id' | 'line' | 'plant'>;
};

/** Returns how many purges are on record now. A line that does not answer, or says no, is asked again later. */
export async function reportPurges(cache: SealedCache, ports: ReportPorts): Promise<number> {
  let reported = 0;
  for (const purge of [...cache.purges]) {
    const { id, line, plant } = ports.identity;
    const payload = buildStatement(cachePurge, subjectOf(ports.signer.publicKey), {
      ...{ id: purge.id, station: { id, line, plant }, reason: purge.reason },
      ...{ entries: purge.entries, purgedAt: purge.purgedAt },
    });
    try {
      const envelope = await signStatement(ports.signer, payload);
      const entry = await ports.line.submit(envelope);
      const author = ports.signer.publicKey;
      verifyReceipt(entry, { sent: envelope, trust: ports.lineTrust, author, lastHead: null, at: ports.clock.now() });
    } catch (error) {
      if (error instanceof ApiError || error instanceof RefusedError) return reported;
      throw error;
    }
    await cache.forgetPurge(purge.id);
    reported += 1;
  }
  return reported;
}

function subjectOf({ keyid }: PublicKey): { name: string; digest: { sha256: string } } {
  return { name: 'station', digest: { sha256: keyid } };
}
