// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type CustodyErrorCode =
  | 'ERR_CUSTODY_KEY_REFERENCE'
  | 'ERR_CUSTODY_KEY_FILE'
  | 'ERR_CUSTODY_KEY_EXISTS'
  | 'ERR_CUSTODY_KEY_MODE'
  | 'ERR_CUSTODY_SIGN';

export class CustodyError extends WitnessmarkError<CustodyErrorCode> {}
