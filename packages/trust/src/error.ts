// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

/** Why nothing could be told. A "no" with a name is a `RefusedError` with a `TR-` code instead. */
export type TrustErrorCode =
  | 'ERR_TRUST_UNREACHABLE'
  | 'ERR_TRUST_MEMORY'
  | 'ERR_TRUST_FILE'
  | 'ERR_TRUST_FILE_TOO_LARGE'
  | 'ERR_TRUST_EXISTS'
  | 'ERR_TRUST_NOT_UPDATED';

export class TrustError extends WitnessmarkError<TrustErrorCode> {}
