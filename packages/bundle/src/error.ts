// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type BundleErrorCode = 'ERR_BUNDLE_TOO_LARGE' | 'ERR_BUNDLE_FORMAT';

/** A file that is no unit evidence. */
export class BundleError extends WitnessmarkError<BundleErrorCode> {}
