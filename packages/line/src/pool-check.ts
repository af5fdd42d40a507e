// SPDX-License-Identifier: Apache-2.0
/** Checks signatures in the log's verifying threads; a key that was enrolled after they started is checked here. */
import { formatEnvelope, type Bytes, type PublicKey } from '@witnessmark/core';
import { systemScheduler, type Scheduler, type VerifiedEntry, type VerifyPool } from '@witnessmark/log';
import { checkSignatureHere, type SignatureCheck } from './key-ring.ts';

/** `keys` are the ones the pool was started with. */
export function checkSignatureIn(
  pool: VerifyPool,
  keys: readonly PublicKey[],
  scheduler: Scheduler = systemScheduler,
): SignatureCheck {
  const pooled = new Set(keys.map(({ keyid }) => keyid));
  const verify = gather(pool, scheduler);
  return async (envelope, key) => {
    if (!pooled.has(key.keyid)) return checkSignatureHere(envelope, key);
    const { signers } = await verify(formatEnvelope(envelope));
    return signers.some(({ keyid }) => keyid === key.keyid);
  };
}

/** Hands over together what arrives from different connections in one turn: a message to a thread costs as much as ten entries in it. */
function gather(pool: VerifyPool, scheduler: Scheduler): (entry: Bytes) => Promise<VerifiedEntry> {
  let waiting: (() => void)[] = [];
  const release = (): void => {
    const released = waiting;
    waiting = [];
    for (const begin of released) begin();
  };
  return (entry) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) scheduler.soon(release);
      waiting.push(() => {
        pool.verify(entry).then(resolve, reject);
      });
    });
}
