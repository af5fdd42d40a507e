// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { doctorOptions } from '../options/doctor.ts';
import { DataDirectory } from '../data-directory.ts';
import { EXIT } from '../exit-codes.ts';
import { examine, type Finding } from '../health.ts';
import type { Style } from '../terminal.ts';

const STYLES: Readonly<Record<Finding['outcome'], Style>> = { ok: 'green', warn: 'yellow', FAIL: 'red', skip: 'dim' };

export async function doctor({ options, session }: CommandInput<typeof doctorOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const directory = options.data === undefined ? undefined : DataDirectory.open(options.data);
  const findings = await examine({
    directory,
    lineUrl: options.line,
    device: options.device,
    profile: options.profile,
    clock,
  });
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
