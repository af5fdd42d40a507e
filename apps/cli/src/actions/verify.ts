// SPDX-License-Identifier: Apache-2.0
/**
 * Offline verification: files in, verdicts out. Nothing here opens a socket, and nothing about a unit is shown before its
 * verdict has been computed.
 */
import { basename } from 'node:path';
import { formatInstant, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { UNIT_EVIDENCE_LIMITS } from '@witnessmark/bundle';
import type { VerificationReport } from '@witnessmark/verify';
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustOptions } from '../options/verify.ts';
import { usageError } from '../error.ts';
import { worstOf } from '../exit-codes.ts';
import { readInput } from '../files.ts';
import { prepareJudge, statedTime, type Judge } from '../judge.ts';
import type { Output } from '../output.ts';
import { formatVerdict, printReport, VERDICT_EXITS } from '../report-text.ts';
import type { Session } from '../session.ts';

/** Well above what is accepted, so that the verifier itself says no to a file that is too large. */
const MAX_EVIDENCE_READ = 8 * UNIT_EVIDENCE_LIMITS.maxBytes;

/** A file that could not even be read: as much NOT VERIFIED as one without proofs. */
interface UnreadFile {
  readonly verdict: 'NOT VERIFIED';
  readonly code: 'EV-208';
  readonly serial: null;
  readonly detail: string;
}

type FileResult = { readonly file: string } & (VerificationReport | UnreadFile);

export async function verify({ args, options, session }: CommandInput<typeof trustOptions>): Promise<CommandResult> {
  if (args.filter((path) => path === '-').length > 1) throw usageError('stdin (-) can be read only once');
  const time = statedTime(session, options);
  const judge = prepareJudge(session, options, time);
  const results: FileResult[] = [];
  for (const file of args) {
    const result = { file, ...(await judgeFile(session, file, judge)) };
    results.push(result);
    printResult(session.output, result, args.length > 1);
  }
  printLastWord(session.output, results);
  const exit = worstOf(results.map(({ verdict }) => VERDICT_EXITS[verdict]));
  return { exit, document: { time: formatInstant(time), units: results } };
}

async function judgeFile(session: Session, file: string, judge: Judge): Promise<VerificationReport | UnreadFile> {
  let evidence: Bytes;
  try {
    evidence = await readInput(session, file, MAX_EVIDENCE_READ);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { verdict: 'NOT VERIFIED', code: 'EV-208', serial: null, detail: error.message };
  }
  return judge(evidence, file === '-' ? undefined : basename(file));
}

function printResult(output: Output, result: FileResult, isOneOfSeveral: boolean): void {
  if (isOneOfSeveral) output.data(`File      ${result.file}`);
  if ('detail' in result) output.data(`  ????  ${result.detail}`);
  else printReport(output, result);
  if (!isOneOfSeveral) return;
  output.data(formatVerdict(output, result));
  output.data('');
}

/** One file: its verdict. Several: the worst verdict, the counts, and before it the list of what was not verified. */
function printLastWord(output: Output, results: readonly FileResult[]): void {
  const [first] = results as readonly [FileResult];
  if (results.length === 1) {
    output.verdict(formatVerdict(output, first));
    return;
  }
  const bad = results.filter(({ verdict }) => verdict !== 'VERIFIED');
  for (const result of bad) output.data(`${result.file}: ${formatVerdict(output, result)}`);
  const count = (verdict: string): number => results.filter((result) => result.verdict === verdict).length;
  const worst =
    (['FAILED', 'NOT VERIFIED', 'VERIFIED'] as const).find((verdict) => count(verdict) > 0) ?? 'NOT VERIFIED';
  const counts = `${count('VERIFIED')} verified, ${count('FAILED')} failed, ${count('NOT VERIFIED')} not verified`;
  output.verdict(`${worst}  ${results.length} files: ${counts}`);
}
