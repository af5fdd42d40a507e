// SPDX-License-Identifier: Apache-2.0
/** A verifying thread (see verify-pool.ts): takes batches from its mailbox for as long as it lives. */
import { parentPort, workerData } from 'node:worker_threads';
import { MAX_ENVELOPE_BYTES, WitnessmarkError, type Bytes, type PublicKey } from '@witnessmark/core';
import { hashLeaf } from '@witnessmark/tlog';
import { EnvelopeVerifier } from './envelope-verifier.ts';
import { Mailbox, type MailboxMemory, type Verdict } from './verify-mailbox.ts';

/** What a thread is started with. */
export interface VerifyWorkerData {
  readonly keys: readonly PublicKey[];
  readonly memory: MailboxMemory;
}

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const { keys, memory } = workerData as VerifyWorkerData;
const verifier = new EnvelopeVerifier(keys);
const mailbox = new Mailbox(memory);
const own = new Uint8Array(MAX_ENVELOPE_BYTES);

for (;;) {
  const batch = mailbox.waitForBatch();
  batch.forEach(own, (position, entry) => {
    batch.write(position, judge(entry));
  });
  mailbox.finishBatch();
  // Says only that there is something to read.
  port.postMessage(null);
}

function judge(entry: Bytes): Verdict {
  const leafHash = hashLeaf(entry);
  try {
    return { leafHash, ...verifier.verify(entry) };
  } catch (error) {
    if (error instanceof WitnessmarkError) return { leafHash, signers: undefined, signatures: 0 };
    throw error;
  }
}
