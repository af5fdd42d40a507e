// SPDX-License-Identifier: Apache-2.0
import { UnsealingAccount } from '@witnessmark/boundary';
import { parseEnvelope, WitnessmarkError } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { logUnsealingsOptions } from '../options/log.ts';
import { EXIT } from '../exit-codes.ts';
import { findLog, PublicLog } from '../public-log.ts';
import { readSealedReleases } from '../sealed-releases.ts';

export async function logUnsealings({
  options,
  session,
}: CommandInput<typeof logUnsealingsOptions>): Promise<CommandResult> {
  const { output } = session;
  const sealed = await readSealedReleases(options);
  const log = new PublicLog(findLog(options));
  const { origin, treeSize } = log.head;
  const account = new UnsealingAccount();
  for (let index = 0; index < treeSize; index += 1) observe(account, index, log);
  const { unsealings, units, findings } = account.reconcile((releaseId) => sealed.has(releaseId));

  for (const { code, object, detail } of findings) output.data(`${code}  ${object}: ${detail}`);
  const counts = `${unsealings} unsealings, ${units} units of ${sealed.size} sealed releases`;
  output.verdict(findings.length === 0 ? `balanced: ${counts}` : `${findings.length} findings: ${counts}`);
  const head = { origin, treeSize };
  return {
    exit: findings.length === 0 ? EXIT.yes : EXIT.no,
    document: { head, unsealings, units, sealedReleases: [...sealed], findings },
  };
}

/** An entry that is no envelope is for `log fsck` to find. */
function observe(account: UnsealingAccount, index: number, log: PublicLog): void {
  const entry = log.readEntry(index);
  try {
    account.observe(index, parseEnvelope(entry).payload);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
  }
}
