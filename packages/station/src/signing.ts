// SPDX-License-Identifier: Apache-2.0
import { RefusedError, STATEMENT_PAYLOAD_TYPE, type Bytes, type Envelope } from '@witnessmark/core';
import { CustodyError, signEnvelope, type Signer } from '@witnessmark/custody';
import { StationRefusal } from './error.ts';

/** Signs a statement with the station's key. Throws LS-304 when the key cannot be reached. */
export async function signStatement(signer: Signer, payload: Bytes): Promise<Envelope> {
  return signWithStation(signer, STATEMENT_PAYLOAD_TYPE, payload);
}

/** The same for a payload of another type. */
export async function signWithStation(signer: Signer, payloadType: string, payload: Bytes): Promise<Envelope> {
  try {
    return await signEnvelope(payloadType, payload, [signer]);
  } catch (cause) {
    // Whatever its token or custody says, a key that does not sign now may sign later.
    const isSilent = cause instanceof CustodyError || (cause instanceof RefusedError && cause.code.startsWith('CU-'));
    if (!isSilent) throw cause;
    throw new StationRefusal('LS-304', {
      expected: "the station's signing key",
      observed: `${cause.code}: ${cause.message}`,
      cause,
    });
  }
}
