// SPDX-License-Identifier: Apache-2.0
import { mirror } from '@witnessmark/trust';
import type { CommandInput, CommandResult } from '../command.ts';
import type { releaseMirrorOptions } from '../options/release.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { lookAtOffice } from '../office-work.ts';

export async function releaseMirror({
  options,
  session,
}: CommandInput<typeof releaseMirrorOptions>): Promise<CommandResult> {
  return lookAtOffice(session, options, async (_gate, { values, pathOf }) => {
    const initialRoot = readFile(pathOf(values.trust.root), DOCUMENT_BYTES);
    const result = await mirror(pathOf(values.trust.repository), options.to, { initialRoot });
    const { state, metadataFiles, targets, targetBytes } = result;
    session.output.data(`${metadataFiles} metadata files, ${targets} targets, ${targetBytes} bytes`);
    session.output.data(`fresh until ${state.timestampExpiresAt}; stations refuse the copy after that`);
    session.output.verdict(`${options.to} holds targets version ${state.targetsVersion}, verified`);
    return { exit: EXIT.yes, document: { to: options.to, ...result } };
  });
}
