// SPDX-License-Identifier: Apache-2.0
/** A signing thread (see sign-thread.ts): makes signatures in the order in which it is asked, in one session. */
import { parentPort, workerData } from 'node:worker_threads';
import pkcs11js from 'pkcs11js';
import type { SignAnswer, SignOrder, SignWorkerData } from './sign-thread.ts';

const port = parentPort;
if (port === null) throw new TypeError('this file runs as a worker thread');

const { library, session } = workerData as SignWorkerData;
const cryptoki = new pkcs11js.PKCS11();
// The library is loaded and initialised once in a process; sessions and logins are the process's.
cryptoki.load(library);
const own = Buffer.from(session);

port.on('message', (orders: readonly SignOrder[]) => {
  port.postMessage(orders.map(sign));
});

function sign({ mechanism, key, data, signatureBytes }: SignOrder): SignAnswer {
  try {
    cryptoki.C_SignInit(own, { mechanism }, Buffer.from(key, 'latin1'));
    const signature = cryptoki.C_Sign(own, Buffer.from(data, 'latin1'), Buffer.alloc(signatureBytes));
    return { signature: signature.toString('latin1') };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error), code: codeOf(error) };
  }
}

function codeOf(error: unknown): number | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null;
}
