// SPDX-License-Identifier: Apache-2.0
/** What became of a label, as operators and programs read it. */
import type { LabelResult } from '@witnessmark/station';

const WORDS: Readonly<Record<LabelResult['action'], string>> = {
  printed: 'LABEL PRINTED',
  reprinted: 'LABEL REPRINTED',
  scanned: 'LABEL CHECKED',
  voided: 'LABEL VOIDED',
};

/** As it is said after each step. */
export function describeLabel({ action, serial, copy, record }: LabelResult): string {
  return `${WORDS[action]}  ${serial}  copy ${copy}  log entry ${record.index}`;
}

export function toLabelDocument({ record, ...told }: LabelResult): Readonly<Record<string, unknown>> {
  return { ...told, logIndex: record.index };
}
