// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustExportOptions } from '../options/trust.ts';
import { EXIT } from '../exit-codes.ts';
import { writeFile } from '../files.ts';
import { lookAtOffice } from '../office-work.ts';

export async function trustExport({
  options,
  session,
}: CommandInput<typeof trustExportOptions>): Promise<CommandResult> {
  return lookAtOffice(session, options, async (_gate, _config, { changes }) => {
    const bytes = await changes.trustedRootBytes();
    writeFile(options.to, bytes);
    const digest = sha256Hex(bytes);
    session.output.verdict(`${options.to} is the trusted root in force, sha256:${digest}`);
    return { exit: EXIT.yes, document: { to: options.to, sha256: digest } };
  });
}
