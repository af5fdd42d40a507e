// SPDX-License-Identifier: Apache-2.0
/** What was examined, as `doctor` and `station selftest` print it. */
import type { CommandResult } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Finding } from './examination.ts';
import type { Output } from './output.ts';
import type { Style } from './terminal.ts';

const STYLES: Readonly<Record<Finding['outcome'], Style>> = { ok: 'green', warn: 'yellow', FAIL: 'red', skip: 'dim' };

export function reportFindings(output: Output, findings: readonly Finding[]): CommandResult {
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, outcome, detail, next } of findings) {
    output.data(`  ${output.style(STYLES[outcome], outcome.padEnd(4))}  ${name.padEnd(width)}  ${detail}`);
    if (next !== undefined) output.data(`        next: ${next}`);
  }
  const count = (outcome: Finding['outcome']): number =>
    findings.filter((finding) => finding.outcome === outcome).length;
  output.verdict(`${findings.length} examined, ${count('FAIL')} failed, ${count('warn')} warnings`);
  return { exit: count('FAIL') > 0 ? EXIT.no : EXIT.yes, document: { findings } };
}
