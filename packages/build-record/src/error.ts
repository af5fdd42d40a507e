// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

/**
 * `ERR_BUILD_RECORD_FORMAT`: bytes that are not a build manifest.
 * `ERR_BUILD_RECORD_UNREADABLE`: part of this machine cannot be read, so what it is made of cannot be told.
 * `ERR_BUILD_RECORD_DIRECTORY`: a directory that must be new or empty is not.
 */
export type BuildRecordErrorCode =
  'ERR_BUILD_RECORD_FORMAT' | 'ERR_BUILD_RECORD_UNREADABLE' | 'ERR_BUILD_RECORD_DIRECTORY';

export class BuildRecordError extends WitnessmarkError<BuildRecordErrorCode> {}
