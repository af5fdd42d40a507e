// SPDX-License-Identifier: Apache-2.0
import type { CommandInput, CommandResult } from '../command.ts';
import type { doctorOptions } from '../options/doctor.ts';
import { DataDirectory } from '../data-directory.ts';
import { reportFindings } from '../finding-text.ts';
import { examine } from '../health.ts';

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
  return reportFindings(output, findings);
}
