// SPDX-License-Identifier: Apache-2.0
/** What the station's time service says now, held against its policy and the time hierarchy of the line. */
import { parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { judgeTimeSource } from '@witnessmark/station';
import type { CommandInput, CommandResult } from '../command.ts';
import type { stationClockOptions } from '../options/time.ts';
import { CliError } from '../error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { openTimeService } from '../roots/time-service.ts';
import { describeHierarchy, describeJudgement } from '../time-text.ts';
import { openStationConfig } from './station.ts';

const EXITS = { SANE: EXIT.yes, DEGRADED: EXIT.no, INSANE: EXIT.refused } as const satisfies Record<string, ExitCode>;

export async function stationClock({
  options,
  session,
}: CommandInput<typeof stationClockOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const config = openStationConfig(options);
  const trustedRoot = parseTrustedRoot(readFile(config.pathOf(config.values.trustedRoot), DOCUMENT_BYTES));
  const service = openTimeService(config, toTrustedKeys(trustedRoot));
  if (service === null) throw new CliError('ERR_CLI_CONFIG', `${config.file}: the station has no "timeService"`);
  const { source, policy, hierarchy } = service;
  const inForce = hierarchy === null ? undefined : { document: hierarchy.document, now: clock.now() };
  const judgement = judgeTimeSource(source.name, await source.read(), policy, inForce);
  if (hierarchy === null) output.note('no time hierarchy is configured: any source of the service counts');
  else for (const line of describeHierarchy(hierarchy)) output.data(line);
  for (const line of describeJudgement(judgement)) output.data(line);
  const { verdict } = judgement.evidence;
  output.verdict(output.style(verdict === 'SANE' ? 'green' : verdict === 'DEGRADED' ? 'yellow' : 'red', verdict));
  const { evidence, reasons } = judgement;
  const document = { hierarchy: hierarchy?.document ?? null, digest: hierarchy?.digest ?? null };
  return { exit: EXITS[verdict], document: { clock: evidence, reasons, timeHierarchy: document } };
}
