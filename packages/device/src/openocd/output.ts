// SPDX-License-Identifier: Apache-2.0
/**
 * Reading what a run of OpenOCD says: the lines of our own script, strictly, and the tool's words only for people.
 * What the part is and who it is comes from these lines, never from the exit status.
 */
import { decodeHex, RefusedError, type Bytes, type ReasonCode } from '@witnessmark/core';
import { DeviceError } from '../error.ts';

const MAX_LINE_CHARACTERS = 1024;
const MAX_TAIL_LINES = 64;
const MAX_REMARK_CHARACTERS = 200;
const MARK = 'witnessmark:';

const STATEMENTS = {
  taps: /^taps ([0-9a-f]{8}) ([0-9a-f]{8})$/,
  part: /^part ([0-9a-f]{8}) (\d{1,5})$/,
  id: /^id ((?:[0-9a-f]{2}){4,64})$/,
  protection: /^protection ([01]) ([0-9a-f]{2})$/,
  erased: /^erased (\d{1,7})$/,
  written: /^written (\d{1,7})$/,
  readable: /^readable (\d{1,7})$/,
  refused: /^refused ([a-z_]+)((?: [0-9a-z]{1,24}){0,2})$/,
  end: /^end$/,
} as const;

/** Below `address` everything is done. */
export interface OpenocdMilestone {
  readonly kind: 'erased' | 'written';
  readonly address: number;
}

export interface Protection {
  /** What the part acts on: the option bytes as loaded at the last reset. */
  readonly isActive: boolean;
  /** RDP as it stands in the option bytes now. */
  readonly optionRdp: string;
}

interface Refusal {
  readonly reason: string;
  readonly remark: string;
}

const REFUSALS: ReadonlyMap<string, readonly [ReasonCode, string]> = new Map([
  ['taps', ['UF-01', 'another part answers: TAPs']],
  ['protected', ['UF-02', 'the part is protected against being read and written']],
  ['not_erased', ['UF-02', 'erasing failed: address and word']],
  ['failed erase', ['UF-02', 'the part refused to be erased']],
  ['failed write', ['UF-02', 'the part refused to be written']],
  ['failed unlock', ['UF-02', 'the part refused to be unlocked']],
  ['failed read', ['UF-02', 'the part refused to be read']],
  ['failed lock', ['UF-04', 'the part refused the lock']],
  ['not_locked', ['UF-04', 'the option bytes did not take the lock: RDP is']],
  ['exchanged', ['UF-07', 'another part answers: hardware id']],
]);
const NO_PART = ' 00000000 00000000';

export class OpenocdOutput {
  readonly ids: Bytes[] = [];
  readonly readable: number[] = [];
  part: { readonly idcode: string; readonly sizeBytes: number } | null = null;
  protection: Protection | null = null;
  ended = false;
  #refusal: Refusal | null = null;
  #sawTaps = false;
  #unfinished = '';
  readonly #tail: string[] = [];

  /** Takes the next piece of output. */
  receive(text: string): OpenocdMilestone[] {
    const lines = (this.#unfinished + text).split('\n');
    this.#unfinished = (lines.pop() ?? '').slice(-MAX_LINE_CHARACTERS);
    return lines.flatMap((line) => this.#takeLine(line.trimEnd()));
  }

  /** What a run that did not come to its end amounts to: a refusal, or no answer. */
  toError(exitCode: number): RefusedError | DeviceError {
    const said = `OpenOCD ended with status ${exitCode}: ${this.#remark()}`;
    if (this.#refusal !== null) return toRefusal(this.#refusal, said);
    if (!this.#sawTaps && this.#tail.some((line) => line.includes('Failed to connect'))) {
      return new RefusedError('LS-403', said);
    }
    return new DeviceError('ERR_DEVICE_LINK', said);
  }

  #takeLine(line: string): OpenocdMilestone[] {
    if (!line.startsWith(MARK)) {
      this.#tail.push(line);
      if (this.#tail.length > MAX_TAIL_LINES) this.#tail.shift();
      return [];
    }
    const statement = line.slice(MARK.length).trimStart();
    for (const [kind, pattern] of Object.entries(STATEMENTS)) {
      const fields = pattern.exec(statement);
      if (fields !== null)
        return this.#takeStatement(kind as keyof typeof STATEMENTS, fields[1] ?? '', fields[2] ?? '');
    }
    throw new DeviceError('ERR_DEVICE_TOOL', 'OpenOCD said something the script cannot have said');
  }

  #takeStatement(kind: keyof typeof STATEMENTS, first: string, second: string): OpenocdMilestone[] {
    switch (kind) {
      case 'taps':
        this.#sawTaps = true;
        break;
      case 'part':
        this.part = { idcode: first, sizeBytes: Number(second) * 1024 };
        break;
      case 'id':
        this.ids.push(decodeHex(first));
        break;
      case 'protection':
        this.protection = { isActive: first === '1', optionRdp: second };
        break;
      case 'readable':
        this.readable.push(Number(first));
        break;
      case 'refused':
        this.#refusal = { reason: first, remark: second };
        break;
      case 'end':
        this.ended = true;
        break;
      case 'erased':
      case 'written':
        return [{ kind, address: Number(first) }];
    }
    return [];
  }

  /** Printable and bounded. */
  #remark(): string {
    const line = this.#tail.find((candidate) => /^Error|Assertion/.test(candidate)) ?? this.#tail.at(-1) ?? '';
    const text = line.replace(/[^\x20-\x7e]/g, ' ').trim();
    return text === '' ? 'it said nothing' : text.slice(0, MAX_REMARK_CHARACTERS);
  }
}

function toRefusal({ reason, remark }: Refusal, said: string): RefusedError | DeviceError {
  if (reason === 'taps' && remark === NO_PART) return new RefusedError('UF-01', 'no part answers');
  const plain = REFUSALS.get(reason);
  if (plain !== undefined) return new RefusedError(plain[0], plain[1] + remark);
  const failed = REFUSALS.get(reason + remark);
  if (failed !== undefined) return new RefusedError(failed[0], `${failed[1]}; ${said}`);
  return new DeviceError('ERR_DEVICE_TOOL', 'OpenOCD refused for a reason the script does not have');
}
