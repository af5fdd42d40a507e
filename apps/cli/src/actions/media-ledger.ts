// SPDX-License-Identifier: Apache-2.0
/** The ledger of media is a reading of the logs; there is no other book. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  mediaTransfer,
  parseStatement,
  PREDICATE_TYPES,
  readPredicateType,
  type MediaTransfer,
} from '@witnessmark/attestation';
import { parseEnvelope, sha256Hex } from '@witnessmark/core';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import { DataDirectory } from '../data-directory.ts';
import { EXIT } from '../exit-codes.ts';
import type { mediaLedgerOptions } from '../options/boundary.ts';
import { findLog, PublicLog } from '../public-log.ts';

interface LedgerEntry {
  readonly log: string;
  readonly index: number;
  /** SHA-256 of the statement's payload. */
  readonly digest: string;
  readonly transfer: MediaTransfer;
}

export function mediaLedger({ options, session }: CommandInput<typeof mediaLedgerOptions>): Promise<CommandResult> {
  const entries = directoriesOf(options).flatMap((log) => [...readEntries(log, options)]);
  entries.sort((left, right) => (left.transfer.transferredAt < right.transfer.transferredAt ? -1 : 1));
  for (const { transfer } of entries) session.output.data(formatEntry(transfer));
  const gaps = findGaps(entries);
  for (const gap of gaps) session.output.data(gap);
  session.output.verdict(`${entries.length} transfers, ${gaps.length} gaps`);
  return Promise.resolve({ exit: gaps.length === 0 ? EXIT.yes : EXIT.no, document: { entries, gaps } });
}

function directoriesOf({ data, log }: OptionValues<typeof mediaLedgerOptions>): readonly string[] {
  if (log.length > 0 || data === undefined) return log;
  const directory = DataDirectory.open(data);
  return [join(directory.gate, 'evidence', 'log'), directory.log].filter((path) =>
    existsSync(join(path, 'checkpoint')),
  );
}

/** Every transfer in a log, each proven by the signed head. */
function* readEntries(log: string, { data, trust }: OptionValues<typeof mediaLedgerOptions>): Generator<LedgerEntry> {
  const publicLog = new PublicLog(findLog({ data, log, trust }));
  for (let index = 0; index < publicLog.head.treeSize; index += 1) {
    const { payload } = parseEnvelope(publicLog.readEntry(index));
    if (readPredicateType(payload) !== PREDICATE_TYPES.mediaTransfer) continue;
    const transfer = parseStatement(mediaTransfer, payload).predicate;
    yield { log: publicLog.logKey.name, index, digest: sha256Hex(payload), transfer };
  }
}

/** Accepted exports of one log are numbered 1, 2, 3 … and each names the one before. */
function findGaps(entries: readonly LedgerEntry[]): readonly string[] {
  const gaps: string[] = [];
  for (const log of new Set(entries.map((entry) => entry.log))) {
    let before: LedgerEntry | null = null;
    const exports = entries
      .filter((entry) => entry.log === log && entry.transfer.batch !== null && entry.transfer.result === 'accepted')
      .sort((left, right) => left.index - right.index);
    for (const entry of exports) {
      const { sequence, previous } = entry.transfer.batch ?? { sequence: 0, previous: null };
      const expected: number = (before?.transfer.batch?.sequence ?? 0) + 1;
      const isNext = sequence === expected && (previous?.sha256 ?? null) === (before?.digest ?? null);
      if (!isNext) gaps.push(`${log}: export ${expected} is missing before entry ${entry.index}`);
      before = entry;
    }
  }
  return gaps;
}

function formatEntry({
  direction,
  medium,
  person,
  result,
  code,
  tree,
  batch,
  transferredAt,
  purpose,
}: MediaTransfer): string {
  const number = batch === null ? '' : ` ${batch.sequence}`;
  const verdict = result === 'accepted' ? 'accepted' : `REFUSED ${code ?? ''}`;
  return `${transferredAt}  ${direction}${number}  ${verdict}  ${medium.id} (${medium.learntFrom})  ${person.id}  ${tree.files} files, ${tree.bytes} bytes  ${purpose}`;
}
