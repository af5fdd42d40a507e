// SPDX-License-Identifier: Apache-2.0
import { checkMedium, openMedium, type SecretPlace } from '@witnessmark/boundary';
import { formatFindings } from '../boundary-text.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { mediaCheckOptions } from '../options/boundary.ts';
import { readMarkers, readSecretClasses } from '../roots/boundary.ts';

export async function mediaCheck({
  args,
  options,
  session,
}: CommandInput<typeof mediaCheckOptions>): Promise<CommandResult> {
  const path = args[0] as string;
  const medium = await openMedium(path);
  try {
    const { tree, findings } = await checkMedium(medium, {
      classes: readSecretClasses(options),
      markers: readMarkers(options),
      place: options.place as SecretPlace,
    });
    for (const line of formatFindings(findings)) session.output.data(line);
    session.output.verdict(`${tree.files.length} files, ${findings.length} findings`);
    const document = { path, place: options.place, treeDigest: tree.digest, files: tree.files.length, findings };
    return { exit: findings.length === 0 ? EXIT.yes : EXIT.no, document };
  } finally {
    await medium.close();
  }
}
