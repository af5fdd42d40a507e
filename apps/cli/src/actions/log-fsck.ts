// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { encodeBase64 } from '@witnessmark/core';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { logFsckOptions } from '../options/log.ts';
import { DataDirectory } from '../data-directory.ts';
import { EXIT } from '../exit-codes.ts';
import { checkLog } from '../log-check.ts';
import { Progress } from '../progress.ts';
import { findLog } from '../public-log.ts';

export async function logFsck({ options, session }: CommandInput<typeof logFsckOptions>): Promise<CommandResult> {
  const { output, terminal, clock } = session;
  const progress = new Progress({ terminal, output, clock });
  const place = findLog(options);
  const database = options.database ?? (await configuredDatabase(options));
  progress.begin('check');
  const { checkpoint, findings, omitted } = await checkLog({
    ...place,
    database,
    hashesOnly: options.hashesOnly,
    onProgress: (entries, treeSize) => {
      progress.count(entries, treeSize, 'entries');
    },
  });
  progress.end(findings.length === 0 ? 'done' : 'failed');

  const head =
    checkpoint === undefined
      ? null
      : { origin: checkpoint.origin, treeSize: checkpoint.treeSize, rootHash: encodeBase64(checkpoint.rootHash) };
  for (const { code, object, detail } of findings) output.data(`${code}  ${object}: ${detail}`);
  if (omitted > 0) output.data(`and ${omitted} more`);
  const what = [
    'tiles',
    'root hash',
    ...(options.hashesOnly ? [] : ['signatures of all entries']),
    ...(database === undefined ? [] : ['database']),
  ];
  const size = head === null ? 'no signed head' : `${head.treeSize} entries of ${head.origin}`;
  const checked = `${size}; checked: ${what.join(', ')}`;
  output.verdict(findings.length === 0 ? `clean: ${checked}` : `${findings.length + omitted} findings: ${checked}`);
  return { exit: findings.length === 0 ? EXIT.yes : EXIT.no, document: { head, findings, omitted, checked: what } };
}

/** The line's database, when the log that is checked is the line's own. */
async function configuredDatabase({ data, log }: OptionValues<typeof logFsckOptions>): Promise<string | undefined> {
  if (data === undefined || log !== undefined) return undefined;
  const { lineConfig } = DataDirectory.open(data);
  if (!existsSync(lineConfig)) return undefined;
  // Configurations know the rules of every service; the check of a copy needs none of that.
  const { lineConfigSchema, loadConfig } = await import('../config.ts');
  const { values, pathOf } = loadConfig(lineConfig, lineConfigSchema);
  const database = pathOf(values.database);
  return existsSync(database) ? database : undefined;
}
