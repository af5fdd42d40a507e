// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

/** Why nothing could be done. A "no" of the gate is a `RefusedError` with a `PL-` code instead. */
export type GateErrorCode = 'ERR_GATE_BUSY' | 'ERR_GATE_FILE' | 'ERR_GATE_SIGNATURE';

export class GateError extends WitnessmarkError<GateErrorCode> {}
