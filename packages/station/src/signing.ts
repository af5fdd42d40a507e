// SPDX-License-Identifier: Apache-2.0
import { STATEMENT_PAYLOAD_TYPE, type Bytes, type Envelope } from '@witnessmark/core';
import { CustodyError, signEnvelope, type Signer } from '@witnessmark/custody';
import { StationRefusal } from './error.ts';

/** Signs a statement with the station's key. Throws LS-304 when the key cannot be reached. */
export async function signStatement(signer: Signer, payload: Bytes): Promise<Envelope> {
  try {
    return await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  } catch (cause) {
    if (!(cause instanceof CustodyError)) throw cause;
    throw new StationRefusal('LS-304', {
      expected: "the station's signing key",
      observed: `${cause.code}: ${cause.message}`,
      cause,
    });
  }
}
