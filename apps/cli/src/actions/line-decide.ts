// SPDX-License-Identifier: Apache-2.0
import type { HttpLineService } from '@witnessmark/api';
import { parseTrustedRoot, type Disposition } from '@witnessmark/attestation';
import type { CommandInput, CommandResult } from '../command.ts';
import type { lineDecideOptions } from '../options/line.ts';
import { DataDirectory } from '../data-directory.ts';
import { matterOfStop, matterOfUnit, signDisposition, type Matter } from '../disposition.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { openLineClient } from '../line-client.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

export async function lineDecide({
  args,
  options,
  session,
}: CommandInput<typeof lineDecideOptions>): Promise<CommandResult> {
  const { output, clock, newId, signal } = session;
  const line = openLineClient(options, signal);
  const trust =
    options.trust ?? (options.data === undefined ? undefined : DataDirectory.open(options.data).trustedRoot);
  if (trust === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  const matter = await findMatter(line, args[0] as string);
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signDisposition({
      matter,
      action: options.action as Disposition['action'],
      reason,
      signer,
      trustedRoot: parseTrustedRoot(readFile(trust, DOCUMENT_BYTES)),
      id: newId(),
      now: clock.now(),
    }),
  );
  const { index } = await line.submit(envelope);
  output.verdict(`${options.action} about ${matter.code} is recorded, log entry ${index}`);
  return { exit: EXIT.yes, document: { code: matter.code, action: options.action, logIndex: index } };
}

async function findMatter(line: HttpLineService, name: string): Promise<Matter> {
  const stop = (await line.openStops()).find(({ refusalId }) => refusalId === name);
  if (stop !== undefined) return matterOfStop(stop);
  const evidence = await line.unitEvidence(name);
  const held = evidence === null ? null : matterOfUnit(evidence);
  if (held === null) throw new CliError('ERR_CLI_UNKNOWN_UNIT', `nothing of the name ${JSON.stringify(name)} waits`);
  return held;
}
