// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

/** Why nothing could be done. A "no" at the boundary is a `RefusedError` with a `BX-` code instead. */
export type BoundaryErrorCode =
  'ERR_BOUNDARY_FILE' | 'ERR_BOUNDARY_LIST' | 'ERR_BOUNDARY_RECIPIENT' | 'ERR_BOUNDARY_SIGNATURE';

export class BoundaryError extends WitnessmarkError<BoundaryErrorCode> {}
