// SPDX-License-Identifier: Apache-2.0
/** How digests are shown wherever people read them to each other: hexadecimal in groups of four, and as words. */
import { decodeHex, encodePgpWords } from '@witnessmark/core';

const GROUP = 4;
const GROUPS_PER_LINE = 8;
const WORDS_PER_LINE = 4;

/** `7c1e 02aa …`, eight groups to a line. */
export function formatHexGroups(hex: string): readonly string[] {
  return inRows(hex.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? [], GROUPS_PER_LINE);
}

/** `topmost Istanbul Pluto vagabond …`, four words to a line: two groups of hexadecimal. */
export function formatWords(hex: string): readonly string[] {
  return inRows(encodePgpWords(decodeHex(hex)), WORDS_PER_LINE);
}

function inRows(items: readonly string[], perRow: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < items.length; at += perRow) rows.push(items.slice(at, at + perRow).join(' '));
  return rows;
}
