// SPDX-License-Identifier: Apache-2.0
/** What a card says of its secrets and its signature slot, out of the dump `opensc-tool` prints of the answers. */
import { RefusedError } from '@witnessmark/core';

export interface CardMetadata {
  readonly pin: SecretState;
  readonly puk: SecretState;
  readonly managementKeyIsFactory: boolean;
  readonly slot9c: 'empty' | 'generated' | 'imported';
}

export interface SecretState {
  readonly isFactory: boolean;
  readonly triesLeft: number;
}

const TAG = { origin: 0x03, isDefault: 0x05, retries: 0x06 };
const ORIGINS = new Map([
  [1, 'generated'],
  [2, 'imported'],
] as const);
const NO_KEY = '6a88';

interface Answer {
  readonly status: string;
  readonly data: Buffer;
}

/** Throws CE-208 when the card does not answer as documented. */
export function parseCardMetadata(dump: string, answers: number): CardMetadata {
  // The first answer is that of SELECT.
  const [pin, puk, managementKey, slot] = parseAnswers(dump).slice(1);
  if (pin === undefined || puk === undefined || managementKey === undefined || slot === undefined) {
    throw unreadable(`fewer than ${answers} answers`);
  }
  return {
    pin: parseSecret(pin),
    puk: parseSecret(puk),
    managementKeyIsFactory: value(managementKey, TAG.isDefault)[0] === 1,
    slot9c: parseSlot(slot),
  };
}

function parseSecret(answer: Answer): SecretState {
  return { isFactory: value(answer, TAG.isDefault)[0] === 1, triesLeft: value(answer, TAG.retries)[1] ?? 0 };
}

function parseSlot(answer: Answer): CardMetadata['slot9c'] {
  if (answer.status === NO_KEY) return 'empty';
  const origin = ORIGINS.get(value(answer, TAG.origin)[0] as 1 | 2);
  if (origin === undefined) throw unreadable('a key of no known origin');
  return origin;
}

/** Each answer is a line with its status words, then lines of at most 16 bytes in hexadecimal and as text. */
function parseAnswers(dump: string): Answer[] {
  return dump
    .split(/^Sending:.*$/m)
    .slice(1)
    .map((text) => {
      const status = /SW1=0x([0-9A-F]{2}), SW2=0x([0-9A-F]{2})/.exec(text);
      const bytes = text
        .split('\n')
        .flatMap((line) => /^((?:[0-9A-F]{2} ){1,16})/.exec(line)?.[1]?.trim().split(' ') ?? []);
      const words = `${status?.[1] ?? ''}${status?.[2] ?? ''}`.toLowerCase();
      return { status: words, data: Buffer.from(bytes.join(''), 'hex') };
    });
}

/** The value of a simple TLV; lengths above 127 occur in none that is read. */
function value({ status, data }: Answer, tag: number): Buffer {
  if (status !== '9000') throw unreadable(`status ${status === '' ? 'missing' : status}`);
  for (let at = 0; at + 2 <= data.length; at += 2 + (data[at + 1] as number)) {
    if (data[at] === tag) return data.subarray(at + 2, at + 2 + (data[at + 1] as number));
  }
  throw unreadable(`tag ${tag.toString(16)} is missing`);
}

function unreadable(detail: string): RefusedError {
  return new RefusedError('CE-208', `the metadata of the card cannot be read: ${detail}`);
}
