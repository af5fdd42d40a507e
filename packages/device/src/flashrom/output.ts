// SPDX-License-Identifier: Apache-2.0
/** Reading what flashrom 1.3 says while it works and how it ends; never the only ground for a claim about content. */
import { RefusedError, type ReasonCode } from '@witnessmark/core';
import { DeviceError } from '../error.ts';

const MAX_TAIL_CHARACTERS = 16 * 1024;
const MAX_REMARK_CHARACTERS = 200;
/** Longer than every pattern below, so that none is missed where two pieces of output meet. */
const OVERLAP_CHARACTERS = 96;

/** In verbose mode each erase block is `0x000000-0x000fff:` and then letters: R read, E erased, W written, S skipped. */
const BLOCK_DONE = /0x[0-9a-f]+-0x([0-9a-f]+):[REWS]+(?=[,\s])/g;

const SENTENCES = {
  hasRead: 'Erasing and writing flash chip...',
  claimsWritten: 'Erase/write done.',
  claimsRead: 'Reading flash... done.',
  /** Seen with exit status 0 and "Erase/write done." after it, on a part that had refused every write. */
  couldNotUnlock: 'Block protection could not be disabled!',
  neverBegan: 'Error: Programmer initialization failed.',
} as const;

/** The programmer went away in the middle; what was under way may or may not have happened. */
const LINK_LOST = /Error: cannot (?:write (?:op code|parameters|command)|read (?:from device|return parameters))/;

export type FlashromMilestone =
  | { readonly kind: 'read' }
  /** Every byte below `address` has been dealt with. */
  | { readonly kind: 'written'; readonly address: number };

/** Collects the end of the output and recognises what it says on the way. */
export class FlashromOutput {
  #tail = '';
  #overlap = '';
  readonly #said = new Set<string>();
  #lostLink = false;

  /** Takes the next piece of output; a milestone may come twice. */
  receive(text: string): FlashromMilestone[] {
    this.#tail = (this.#tail + text).slice(-MAX_TAIL_CHARACTERS);
    const fresh = this.#overlap + text;
    this.#overlap = fresh.slice(-OVERLAP_CHARACTERS);
    for (const sentence of Object.values(SENTENCES)) if (fresh.includes(sentence)) this.#said.add(sentence);
    this.#lostLink ||= LINK_LOST.test(fresh);
    const milestones: FlashromMilestone[] = fresh.includes(SENTENCES.hasRead) ? [{ kind: 'read' }] : [];
    for (const [, end] of fresh.matchAll(BLOCK_DONE)) {
      milestones.push({ kind: 'written', address: Number.parseInt(end as string, 16) + 1 });
    }
    return milestones;
  }

  /** Whether the tool itself says that erasing and writing went through. */
  get claimsWritten(): boolean {
    return this.#said.has(SENTENCES.claimsWritten) && !this.#said.has(SENTENCES.couldNotUnlock);
  }

  /** Whether it gave up before anything went to the device, for example because the programmer answered too late. */
  get neverBegan(): boolean {
    return this.#said.has(SENTENCES.neverBegan);
  }

  get claimsRead(): boolean {
    return this.#said.has(SENTENCES.claimsRead);
  }

  /** What a run that ended with an error amounts to: a refusal, or no answer when the link was lost on the way. */
  toError(exitCode: number): RefusedError | DeviceError {
    const [code, line] = classify(this.#tail);
    const message = `flashrom ended with status ${exitCode}: ${line}`;
    return this.#lostLink ? new DeviceError('ERR_DEVICE_LINK', message) : new RefusedError(code, message);
  }
}

const SIGNS: readonly (readonly [RegExp, ReasonCode])[] = [
  [/No EEPROM\/flash device found/, 'UF-01'],
  [/serprog cannot|Programmer initialization failed/, 'LS-403'],
  [/FAILED at 0x|Uh oh/, 'UF-02'],
];

/** The reason code and the one line that carries it. */
function classify(output: string): readonly [ReasonCode, string] {
  const lines = output.split('\n').map(toRemark).filter(isRemark);
  for (const [sign, code] of SIGNS) {
    const line = lines.find((candidate) => sign.test(candidate));
    if (line !== undefined) return [code, line];
  }
  const line = lines.findLast((candidate) => /error|fail/i.test(candidate)) ?? lines.at(-1) ?? 'it said nothing';
  return ['UF-02', line];
}

/** Printable and bounded; the interesting part of a long progress line is its end. */
function toRemark(line: string): string {
  return line
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(-MAX_REMARK_CHARACTERS);
}

function isRemark(line: string): boolean {
  return line !== '' && !line.startsWith('Command line (');
}
