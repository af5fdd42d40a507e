// SPDX-License-Identifier: Apache-2.0
/** The grades of custody claims; the trusted root and the policies of verifiers use the same ones. */
export { CUSTODY_GRADES, isCustodyGradeAtLeast as isGradeAtLeast, type CustodyGrade } from '@witnessmark/core';
