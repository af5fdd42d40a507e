// SPDX-License-Identifier: Apache-2.0
/** A verification report as people read it: what was judged, each check, what was not checked; the verdict comes last and alone. */
import { describeReasonCode } from '@witnessmark/core';
import type { CheckResult, Verdict, VerificationReport } from '@witnessmark/verify';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Four characters each, so that a column of them is read at a glance. */
const OUTCOME_WORDS = { pass: 'pass', fail: 'FAIL', unknown: '????', skip: 'skip' } as const;
const OUTCOME_STYLES = { pass: 'green', fail: 'red', unknown: 'yellow', skip: 'dim' } as const;
const VERDICT_STYLES = { VERIFIED: 'green', FAILED: 'red', 'NOT VERIFIED': 'yellow' } as const;

export const VERDICT_EXITS: Readonly<Record<Verdict, ExitCode>> = {
  VERIFIED: EXIT.yes,
  FAILED: EXIT.no,
  'NOT VERIFIED': EXIT.unknown,
};

/** Everything but the verdict. */
export function printReport(output: Output, report: VerificationReport): void {
  const { serial, deviceId, release, trustedRoot, policy, checkedAt } = report;
  output.data(`Unit      ${serial ?? 'not known'}      device ${deviceId ?? 'not known'}`);
  if (release !== null) output.data(`Release   ${release.id} version ${release.version}`);
  for (const { name, version, sha256 } of report.components) {
    output.data(`Content   ${name} ${version}      sha256:${sha256}`);
  }
  if (trustedRoot !== null) output.data(`Trust     ${trustedRoot.name} version ${trustedRoot.version}`);
  if (policy !== null) output.data(`Policy    ${policy.name} version ${policy.version}`);
  output.data(`Judged    as of ${checkedAt}`);
  const width = Math.max(...report.checks.map(({ name }) => name.length));
  for (const check of report.checks) printCheck(output, check, width);
  output.data('not checked:');
  for (const line of report.notChecked) output.data(`  ${line}`);
}

/** For example `FAILED  GW-210-7Q3K-9ZD2-M4XT  EV-104 A proof does not verify`. */
export function formatVerdict(output: Output, report: Pick<VerificationReport, 'verdict' | 'serial' | 'code'>): string {
  const { verdict, serial, code } = report;
  const words = [output.style(VERDICT_STYLES[verdict], verdict), serial ?? 'unit not known'];
  if (code !== null) words.push(`${code} ${describeReasonCode(code).operatorText}`);
  return words.join('  ');
}

function printCheck(output: Output, check: CheckResult, width: number): void {
  const word = output.style(OUTCOME_STYLES[check.outcome], OUTCOME_WORDS[check.outcome]);
  const code = check.code === undefined ? '' : `${check.code} `;
  const grade = check.grade === undefined ? '' : ` (${check.grade})`;
  output.data(`  ${word}  ${check.name.padEnd(width)}  ${code}${check.detail}${grade}`);
  if (check.whyItMatters !== undefined) output.data(`        why it matters: ${check.whyItMatters}`);
  if (check.next !== undefined) output.data(`        next: ${check.next}`);
}
