// SPDX-License-Identifier: Apache-2.0
/** Checks a ceremony transcript offline and shows it step by step. The keys that vouch come from the reader, never from the file. */
import { basename } from 'node:path';
import { parseTrustedRoot, toTrustedKeys, toTrustedNoteKeys, type KeyRole } from '@witnessmark/attestation';
import {
  formatCeremonyDocument,
  MAX_TRANSCRIPT_FILE_BYTES,
  parseTranscriptFile,
  replayTranscript,
  type ReplayCheck,
  type ReplayReport,
  type VouchedKey,
} from '@witnessmark/ceremony';
import { encodeUtf8, parseNoteVerifierKey, type NoteVerifierKey } from '@witnessmark/core';
import { recordLines, replayedStep } from '../ceremony/screen.ts';
import { readPublicKey } from '../ceremony/setup.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { usageError } from '../error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, readInput, writeFile } from '../files.ts';
import type { ceremonyReplayOptions } from '../options/ceremony.ts';
import type { Output } from '../output.ts';

/** Keys of people who may hold a ceremony; one key has one role, and no statement can be taken for another. */
const PERSONAL_ROLES: readonly KeyRole[] = ['approver', 'author', 'supervisor'];

const VERDICT_EXITS: Readonly<Record<ReplayReport['verdict'], ExitCode>> = {
  VERIFIED: EXIT.yes,
  FAILED: EXIT.no,
  'NOT VERIFIED': EXIT.unknown,
};

const OUTCOME_SIGNS: Readonly<Record<ReplayCheck['outcome'], string>> = {
  passed: ' ok ',
  failed: 'FAIL',
  notVerified: '????',
};

export async function ceremonyReplay({
  args,
  options,
  session,
}: CommandInput<typeof ceremonyReplayOptions>): Promise<CommandResult> {
  const { output } = session;
  const path = args[0] as string;
  const trusted = options.trust === undefined ? null : readTrust(options.trust);
  const vouched = [...(trusted?.vouched ?? []), ...options.signer.map(readSigner)];
  const logKeys = [...(trusted?.logKeys ?? []), ...options.logKey.map(parseNoteVerifierKey)];
  const bytes = await readInput(session, path, MAX_TRANSCRIPT_FILE_BYTES + 1);
  const report = replayTranscript(bytes, { vouched, logKeys, allowUnlogged: options.unlogged });
  const { verdict, checks, state } = report;
  const mark = state?.settings.environment.rehearsal === true ? 'REHEARSAL | ' : '';
  // A journal that does not fit its signatures is nobody's word.
  if (state !== null && verdict !== 'FAILED') {
    state.steps.forEach((own, index) => {
      print(output, mark, replayedStep({ own, number: index + 1 }));
    });
    print(output, mark, recordLines(state));
    if (options.page !== undefined) {
      const fileName = path === '-' ? 'transcript.json' : basename(path);
      const page = formatCeremonyDocument({ state, file: parseTranscriptFile(bytes), fileName });
      writeFile(options.page, encodeUtf8(page));
    }
  }
  for (const { check, outcome, code, detail } of checks) {
    output.data(`${mark}  ${OUTCOME_SIGNS[outcome]}  ${check.padEnd(10)} ${code === null ? '' : `${code} `}${detail}`);
  }
  const what = state === null ? '' : `  ${state.settings.ceremonyId} (${state.outcome ?? 'not closed'})`;
  output.verdict(`${mark}${verdict}${what}`);
  const id = state?.settings.ceremonyId ?? null;
  const rehearsal = state?.settings.environment.rehearsal ?? null;
  return { exit: VERDICT_EXITS[verdict], document: { verdict, ceremonyId: id, rehearsal, checks } };
}

function print(output: Output, mark: string, lines: readonly string[]): void {
  for (const line of lines) output.data(mark + line);
}

function readTrust(path: string): {
  readonly vouched: readonly VouchedKey[];
  readonly logKeys: readonly NoteVerifierKey[];
} {
  const root = parseTrustedRoot(readFile(path, DOCUMENT_BYTES));
  return {
    vouched: toTrustedKeys(root).filter(({ role }) => PERSONAL_ROLES.includes(role)),
    logKeys: toTrustedNoteKeys(root, 'logs').map(({ key }) => key),
  };
}

function readSigner(text: string): VouchedKey {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw usageError('--signer takes PERSON=FILE');
  return { owner: text.slice(0, at), key: readPublicKey(text.slice(at + 1)), validFrom: 0, validUntil: Infinity };
}
