// SPDX-License-Identifier: Apache-2.0
/** How a claim about the custody of a key came to be known. */

/** Strongest first: signed by the token's vendor; certified by a TPM; the token says so; somebody says so. */
export const CUSTODY_GRADES = ['vendorAttested', 'tpmCertified', 'selfReported', 'asserted'] as const;
export type CustodyGrade = (typeof CUSTODY_GRADES)[number];

/** Whether `grade` is `minimum` or stronger. */
export function isCustodyGradeAtLeast(grade: CustodyGrade, minimum: CustodyGrade): boolean {
  return CUSTODY_GRADES.indexOf(grade) <= CUSTODY_GRADES.indexOf(minimum);
}
