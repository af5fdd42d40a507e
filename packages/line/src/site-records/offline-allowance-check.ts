// SPDX-License-Identifier: Apache-2.0
/** Only the line makes allowances; one that comes from outside is refused, whoever signed it. */
import { LineRefusal } from '../error.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { offlineAllowanceRule } from './offline-allowance.ts';

const refuse: SiteRecordCheck<unknown> = () => {
  throw new LineRefusal('LS-502', 'an allowance that the line made', 'one that was submitted');
};

export const OFFLINE_ALLOWANCE_CHECKS: readonly CheckedRule[] = [defineCheck(offlineAllowanceRule, refuse)];
