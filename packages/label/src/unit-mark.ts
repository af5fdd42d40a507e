// SPDX-License-Identifier: Apache-2.0
/** What stands in data identifier Z of a unit's label: beginnings of device id and record digest, and the number of the copy. */
import { refuseLabel } from './error.ts';

export interface LabelMark {
  /** The first 16 hexadecimal digits. */
  readonly device: string;
  readonly record: string;
  /** From 1. */
  readonly copy: number;
}

const PREFIX_LENGTH = 16;
const MAX_COPY = 10_000;
const MARK = /^WM1\/([0-9a-f]{16})\/([0-9a-f]{16})\/([1-9][0-9]{0,4})$/;

/** From whole digests. Throws LB-107 for what is none. */
export function formatLabelMark(mark: {
  readonly deviceId: string;
  readonly recordDigest: string;
  readonly copy: number;
}): string {
  const { deviceId, recordDigest, copy } = mark;
  const text = `WM1/${deviceId.slice(0, PREFIX_LENGTH)}/${recordDigest.slice(0, PREFIX_LENGTH)}/${copy}`;
  if (!MARK.test(text) || copy > MAX_COPY) throw refuseLabel('LB-107', 'the mark of the label cannot be written');
  return text;
}

/** Throws LB-104 for another text. */
export function parseLabelMark(text: string): LabelMark {
  const [, device, record, copy] = MARK.exec(text) ?? [];
  if (device === undefined || record === undefined || Number(copy) > MAX_COPY) {
    throw refuseLabel('LB-104', 'field Z is not the mark of a label');
  }
  return { device, record, copy: Number(copy) };
}
