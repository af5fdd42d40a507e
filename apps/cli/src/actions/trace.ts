// SPDX-License-Identifier: Apache-2.0
/** The history of one unit. It is judged first, by the trust of the one who asks, wherever the evidence came from. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseUnitEvidence, UNIT_EVIDENCE_LIMITS, unitEvidenceFileName } from '@witnessmark/bundle';
import { hasCode, WitnessmarkError, type Bytes } from '@witnessmark/core';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { traceOptions } from '../options/trace.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError, usageError } from '../error.ts';
import { readInput } from '../files.ts';
import { toHistory, type HistoryRow } from '../history.ts';
import { prepareJudge, statedTime } from '../judge.ts';
import { openLineClient } from '../line-client.ts';
import type { Output } from '../output.ts';
import { formatVerdict, VERDICT_EXITS } from '../report-text.ts';
import type { Session } from '../session.ts';

type Options = OptionValues<typeof traceOptions>;

interface Found {
  readonly evidence: Bytes;
  readonly fileName: string | undefined;
}

export async function trace({ args, options, session }: CommandInput<typeof traceOptions>): Promise<CommandResult> {
  const { output } = session;
  const unit = args[0] as string;
  const judge = prepareJudge(session, trustOf(options), statedTime(session, options));
  const { evidence, fileName } = await findEvidence(session, unit, options);
  const report = judge(evidence, fileName);
  const rows = readRows(evidence);

  output.data(`Unit      ${report.serial ?? 'not known'}      device ${report.deviceId ?? 'not known'}`);
  const isProven = report.verdict === 'VERIFIED';
  if (!isProven) output.data('These are claims: the verifier does not stand behind them.');
  printRows(output, rows);
  for (const { outcome, name, code, detail, next } of report.checks) {
    if (outcome === 'pass' || outcome === 'skip') continue;
    output.data(`  ${outcome === 'fail' ? 'FAIL' : '????'}  ${name}: ${code ?? ''} ${detail}`);
    if (next !== undefined) output.data(`        next: ${next}`);
  }
  output.verdict(formatVerdict(output, report));
  return {
    exit: VERDICT_EXITS[report.verdict],
    document: { verdict: report.verdict, code: report.code, rows, report },
  };
}

function trustOf({ trust, policy, data }: Options): { readonly trust: string; readonly policy: string } {
  const directory = data === undefined ? undefined : DataDirectory.open(data);
  const files = { trust: trust ?? directory?.trustedRoot, policy: policy ?? directory?.policy };
  if (files.trust === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  if (files.policy === undefined) throw usageError('--policy (or WITNESSMARK_POLICY) or --data is missing');
  return { trust: files.trust, policy: files.policy };
}

async function findEvidence(session: Session, unit: string, { line, data }: Options): Promise<Found> {
  if (line !== undefined) return { evidence: await fetchEvidence(session, line, unit), fileName: undefined };
  const kept = data === undefined ? unit : join(new DataDirectory(data).evidence, unitEvidenceFileName(unit));
  const path = unit === '-' || existsSync(unit) ? unit : kept;
  try {
    const evidence = await readInput(session, path, UNIT_EVIDENCE_LIMITS.maxBytes);
    return { evidence, fileName: path === '-' ? undefined : basename(path) };
  } catch (cause) {
    if (!hasCode(cause, 'ERR_CLI_INPUT')) throw cause;
    throw new CliError('ERR_CLI_UNKNOWN_UNIT', `no evidence: ${(cause as CliError).message}`, { cause });
  }
}

async function fetchEvidence({ signal }: Session, line: string, unit: string): Promise<Bytes> {
  const evidence = await openLineClient({ data: undefined, line }, signal).unitEvidence(unit);
  if (evidence === null) throw new CliError('ERR_CLI_UNKNOWN_UNIT', `the line knows no unit ${JSON.stringify(unit)}`);
  return evidence;
}

function readRows(evidence: Bytes): readonly HistoryRow[] {
  try {
    return toHistory(parseUnitEvidence(evidence).entries);
  } catch (error) {
    // The report says what is wrong with the file.
    if (error instanceof WitnessmarkError) return [];
    throw error;
  }
}

function printRows(output: Output, rows: readonly HistoryRow[]): void {
  const width = Math.max(0, ...rows.map(({ where }) => where.length));
  for (const { at, where, what, grade, entry } of rows) {
    const place = entry === null ? '' : `  entry ${entry}`;
    output.data(
      `${at ?? 'no time'.padEnd(24)}  ${where.padEnd(width)}  ${what}${grade === null ? '' : ` (${grade})`}${place}`,
    );
  }
}
