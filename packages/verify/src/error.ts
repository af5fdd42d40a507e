// SPDX-License-Identifier: Apache-2.0
import { RefusedError, type ReasonCode } from '@witnessmark/core';

/** What `verifyBundle` throws: the first check that did not pass, and whether that means "no" or "could not tell". */
export class VerifyError extends RefusedError {
  readonly check: string;
  readonly verdict: 'FAILED' | 'NOT VERIFIED';

  constructor(check: string, verdict: VerifyError['verdict'], code: ReasonCode, message: string) {
    super(code, message);
    this.check = check;
    this.verdict = verdict;
  }
}
