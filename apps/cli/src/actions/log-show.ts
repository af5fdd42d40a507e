// SPDX-License-Identifier: Apache-2.0
import { decodeUtf8, encodeBase64, encodeHex, parseEnvelope, WitnessmarkError, type Bytes } from '@witnessmark/core';
import { hashLeaf } from '@witnessmark/tlog';
import type { CommandInput, CommandResult } from '../command.ts';
import type { logShowOptions } from '../options/log.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { describeStatement } from '../history.ts';
import { findLog, PublicLog } from '../public-log.ts';

const DEFAULT_LAST = 20;

// eslint-disable-next-line @typescript-eslint/require-await -- every action is asynchronous
export async function logShow({ options, session }: CommandInput<typeof logShowOptions>): Promise<CommandResult> {
  const { output } = session;
  const log = new PublicLog(findLog(options));
  const { origin, treeSize, rootHash } = log.head;
  const head = { origin, treeSize, rootHash: encodeBase64(rootHash) };
  const printHead = (): void => {
    output.data(`Log       ${origin}`);
    output.data(`Root      ${head.rootHash}`);
  };
  if (options.index !== undefined) {
    if (options.index >= treeSize) throw usageError(`--index must be below ${treeSize}, the size of this log`);
    const entry = log.readEntry(options.index);
    const statement = readStatement(entry);
    printHead();
    output.data(`Entry     ${options.index}      leaf hash ${encodeHex(hashLeaf(entry))}`);
    output.block(JSON.stringify(statement, null, 2));
    output.verdict(`entry ${options.index} of ${treeSize} is proven by the signed head`);
    return { exit: EXIT.yes, document: { head, index: options.index, statement } };
  }
  const first = Math.max(0, treeSize - (options.last ?? DEFAULT_LAST));
  const entries = Array.from({ length: treeSize - first }, (_, offset) => {
    const index = first + offset;
    return { index, ...describeEntry(log.readEntry(index)) };
  });
  printHead();
  for (const { index, at, where, what } of entries) {
    output.data(`${String(index).padStart(8)}  ${at ?? 'no time'.padEnd(24)}  ${where}  ${what}`);
  }
  output.verdict(`${treeSize} entries, head signed by ${log.logKey.name}`);
  return { exit: EXIT.yes, document: { head, entries } };
}

/** The last of its rows says how a record ended. */
function describeEntry(entry: Bytes): { readonly at: string | null; readonly where: string; readonly what: string } {
  const unknown = { at: null, where: '', what: 'not an envelope' };
  try {
    return describeStatement(parseEnvelope(entry).payload).at(-1) ?? unknown;
  } catch (error) {
    if (error instanceof WitnessmarkError) return unknown;
    throw error;
  }
}

/** The statement as it was signed; an entry that is no envelope is shown as text. */
function readStatement(entry: Bytes): unknown {
  try {
    return JSON.parse(decodeUtf8(parseEnvelope(entry).payload));
  } catch (error) {
    if (error instanceof WitnessmarkError || error instanceof SyntaxError) return null;
    throw error;
  }
}
