// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type AttestationErrorCode =
  | 'ERR_STATEMENT_FORMAT'
  | 'ERR_STATEMENT_PREDICATE_TYPE'
  | 'ERR_DOCUMENT_FORMAT'
  | 'ERR_HARDWARE_ID'
  | 'ERR_LABEL_FORMAT';

export class AttestationError extends WitnessmarkError<AttestationErrorCode> {}
