// SPDX-License-Identifier: Apache-2.0
/** The verdict and the findings behind it: data, because evidence must show failures too. */
import { describeReasonCode, formatInstant, type Instant, type ReasonCode } from '@witnessmark/core';
import type { Grade } from '@witnessmark/attestation';
import type { Check, Finding } from './check.ts';

/** Yes, no, could not tell. */
export type Verdict = 'VERIFIED' | 'FAILED' | 'NOT VERIFIED';

/** One check, as a report shows it. */
export interface CheckResult {
  readonly name: string;
  /** `unknown` could not be told; `skip` was not demanded, or not reached because an earlier check did not pass. */
  readonly outcome: 'pass' | 'fail' | 'unknown' | 'skip';
  readonly code?: ReasonCode;
  /** How the claim came to be known; the weakest observation counts. */
  readonly grade?: Grade;
  readonly detail: string;
  readonly whyItMatters?: string;
  readonly next?: string;
  /** The earlier check for whose sake this one was not reached. */
  readonly blockedBy?: string;
}

/** What a file says it is about; to be believed only under VERIFIED. */
export interface UnitSummary {
  readonly serial: string;
  readonly deviceId: string;
  readonly sku: string | null;
  readonly release: { readonly id: string; readonly version: string; readonly candidateDigest: string } | null;
  readonly components: readonly { readonly name: string; readonly version: string; readonly sha256: string }[];
  /** When the last event was signed. */
  readonly signedAt: string | null;
  readonly logEntries: readonly { readonly origin: string; readonly index: number }[];
}

/** Nothing is known about the unit when the file could not be read. */
export const UNREADABLE_UNIT: UnreadableUnit = {
  serial: null,
  deviceId: null,
  sku: null,
  release: null,
  components: [],
  signedAt: null,
  logEntries: [],
};

type UnreadableUnit = Omit<UnitSummary, 'serial' | 'deviceId'> & { readonly serial: null; readonly deviceId: null };

/** Everything that a verifier has to say about one file. */
export interface VerificationReport extends Omit<UnitSummary, 'serial' | 'deviceId'> {
  readonly verdict: Verdict;
  /** The code of the first check that failed or, when none did, of the first that could not be told. */
  readonly code: ReasonCode | null;
  /** Null when the file could not be read. */
  readonly serial: string | null;
  readonly deviceId: string | null;
  /** SHA-256 of the file's bytes. */
  readonly evidenceDigest: string;
  readonly trustedRoot: { readonly name: string; readonly version: number } | null;
  readonly policy: { readonly name: string; readonly version: number } | null;
  /** The stated time of checking. */
  readonly checkedAt: string;
  readonly checks: readonly CheckResult[];
  /** What a reader might expect and this verdict does not cover. */
  readonly notChecked: readonly string[];
}

/** True of every unit evidence file, whatever the policy. */
const NEVER_COVERED = [
  'what the log recorded after the newest entry of this file',
  'whether every refusal about the unit is in the file: refusals are no links of its chain',
  'whether the release was withdrawn later',
];

/** Runs checks in order; one that builds on a check that did not pass is not reached. */
export function runChecks(checks: readonly Check[], run: (check: Check) => Finding): readonly CheckResult[] {
  const results: CheckResult[] = [];
  const blocked = new Set<string>();
  for (const check of checks) {
    const blocker = blocked.size === 0 ? undefined : check.after.find((name) => blocked.has(name));
    if (blocker !== undefined) {
      blocked.add(check.name);
      results.push(toBlockedResult(check.name, blocker));
      continue;
    }
    const finding = run(check);
    if (finding.outcome === 'fail' || finding.outcome === 'unknown') blocked.add(check.name);
    results.push(toCheckResult(check, finding));
  }
  return results;
}

/** A finding, with the words that belong to its check and its code. */
export function toCheckResult(check: Pick<Check, 'name' | 'whyItMatters'>, finding: Finding): CheckResult {
  const { name, whyItMatters } = check;
  if (finding.outcome === 'skip' || (finding.outcome === 'pass' && finding.grade === undefined)) {
    return { name, outcome: finding.outcome, detail: finding.detail };
  }
  if (finding.outcome === 'pass') return { name, ...finding };
  return { name, ...finding, whyItMatters, next: describeReasonCode(finding.code).nextStep };
}

/** The result of a check that an earlier one made pointless. */
export function toBlockedResult(name: string, blockedBy: string): CheckResult {
  return { name, outcome: 'skip', detail: `not reached: ${blockedBy}`, blockedBy };
}

/** A finding that can decide against a unit always has a code. */
type DecisiveResult = CheckResult & { readonly code: ReasonCode };

type Decision =
  { readonly verdict: 'VERIFIED' } | { readonly verdict: 'FAILED' | 'NOT VERIFIED'; readonly decisive: DecisiveResult };

/** A failure beats what could not be told, which beats a pass; the first of its kind names the code. */
export function decide(results: readonly CheckResult[]): Decision {
  const decisive = results.filter((result): result is DecisiveResult => result.code !== undefined);
  const failed = decisive.find(({ outcome }) => outcome === 'fail');
  if (failed !== undefined) return { verdict: 'FAILED', decisive: failed };
  const [unknown] = decisive;
  return unknown === undefined ? { verdict: 'VERIFIED' } : { verdict: 'NOT VERIFIED', decisive: unknown };
}

interface ReportInput {
  readonly results: readonly CheckResult[];
  readonly unit: UnitSummary | UnreadableUnit;
  readonly evidenceDigest: string;
  readonly trustedRoot: VerificationReport['trustedRoot'];
  readonly policy: VerificationReport['policy'];
  readonly time: Instant;
}

/** Puts the report together; the verdict follows from the results alone. */
export function toReport({
  results,
  unit,
  evidenceDigest,
  trustedRoot,
  policy,
  time,
}: ReportInput): VerificationReport {
  const decision = decide(results);
  const notRequired = results.filter(({ outcome, blockedBy }) => outcome === 'skip' && blockedBy === undefined);
  return {
    verdict: decision.verdict,
    code: decision.verdict === 'VERIFIED' ? null : decision.decisive.code,
    ...unit,
    evidenceDigest,
    trustedRoot,
    policy,
    checkedAt: formatInstant(time),
    checks: results,
    notChecked: [...notRequired.map(({ name, detail }) => `${name}: ${detail}`), ...NEVER_COVERED],
  };
}
