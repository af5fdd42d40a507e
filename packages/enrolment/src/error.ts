// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

/**
 * `ERR_ENROLMENT_FORMAT`: bytes that are not a request, an answer, a certificate or a quote we read.
 * `ERR_ENROLMENT_PAPER`: a fingerprint that was typed wrongly; the message names the group.
 * `ERR_ENROLMENT_MACHINE`: part of this machine cannot be read, so nobody can tell which machine it is.
 * `ERR_ENROLMENT_TPM`: the TPM or its tools gave no answer.
 * `ERR_ENROLMENT_TLS`: the key of the connection cannot be used as it is named.
 */
export type EnrolmentErrorCode =
  'ERR_ENROLMENT_FORMAT' | 'ERR_ENROLMENT_PAPER' | 'ERR_ENROLMENT_MACHINE' | 'ERR_ENROLMENT_TPM' | 'ERR_ENROLMENT_TLS';

export class EnrolmentError extends WitnessmarkError<EnrolmentErrorCode> {}
