// SPDX-License-Identifier: Apache-2.0
/**
 * PINs of badges, as the line keeps them: salted and slow to try (scrypt, RFC 7914), in files only the line can read, never
 * in the log and never at a station. A try is on disk before the PIN is looked at, so that no restart gives tries back.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeBase64, encodeBase64, formatJson, parseStrictJson, sha256Hex, type Bytes } from '@witnessmark/core';
import { describeIssues, sha256Text } from '@witnessmark/attestation';
import { z } from 'zod';
import { LineError } from './error.ts';

/** 32 MiB and a tenth of a second for each try (OWASP's choice for interactive use). */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const KEY_BYTES = 32;
const JSON_LIMITS = { maxBytes: 4096, maxDepth: 4, maxValues: 32 };
const PIN = /^[0-9]{6,12}$/;

const recordSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.badge-pin.v1+json'),
  badgeDigest: sha256Text,
  salt: z.string().length(24),
  cost: z.strictObject({
    N: z
      .int()
      .min(2 ** 14)
      .max(2 ** 16),
    r: z.int().min(8).max(16),
    p: z.int().min(1).max(4),
  }),
  key: z.string().length(44),
});

export type PinRecord = z.infer<typeof recordSchema>;

/** Where the line keeps PIN records. */
export interface BadgeBook {
  /** The record with that SHA-256, which an enrolment names; null when there is none. Throws `ERR_LINE_BADGES` for another one in its place. */
  find(recordDigest: string): Promise<PinRecord | null>;
  /** Counts one more try since the last good one; durable when it resolves. */
  spendTry(badgeDigest: string): Promise<number>;
  resetTries(badgeDigest: string): Promise<void>;
}

/** Throws `ERR_LINE_BADGES` for a PIN that is not 6 to 12 digits, or one that everybody tries first. */
function checkPinForm(pin: string): void {
  if (!PIN.test(pin)) throw new LineError('ERR_LINE_BADGES', 'a PIN has 6 to 12 digits');
  const digits = Array.from(pin, Number);
  const steps = new Set(digits.slice(1).map((digit, index) => digit - (digits[index] as number)));
  const isRun = steps.size === 1 && [-1, 0, 1].includes([...steps][0] as number);
  if (isRun) throw new LineError('ERR_LINE_BADGES', 'a PIN is not one digit again and again, and not a run of digits');
}

/** The record of a PIN under a fresh salt of 16 bytes, and the SHA-256 its enrolment names. */
export async function makePinRecord(
  badgeDigest: string,
  pin: string,
  salt: Bytes,
): Promise<{ readonly digest: string; readonly bytes: Bytes }> {
  checkPinForm(pin);
  const record: PinRecord = {
    mediaType: 'application/vnd.witnessmark.badge-pin.v1+json',
    badgeDigest,
    salt: encodeBase64(salt),
    cost: COST,
    key: encodeBase64(await derive(pin, salt, COST)),
  };
  const bytes = formatJson(record);
  return { digest: sha256Hex(bytes), bytes };
}

/** Whether it is the PIN; takes the same time for every wrong one. */
export async function isPinOf({ salt, cost, key }: PinRecord, pin: string): Promise<boolean> {
  return timingSafeEqual(await derive(pin, decodeBase64(salt), cost), decodeBase64(key));
}

/** A file for each PIN record, which is never changed, and one for the tries of each badge. */
export class BadgeFiles implements BadgeBook {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async find(recordDigest: string): Promise<PinRecord | null> {
    const bytes = await readIfThere(this.#recordPath(recordDigest));
    if (bytes === null) return null;
    if (sha256Hex(bytes) !== recordDigest) throw damaged('it is not the one that was enrolled');
    const result = recordSchema.safeParse(parseStrictJson(bytes, JSON_LIMITS));
    if (!result.success) throw damaged(describeIssues(result.error));
    return result.data;
  }

  /** Before its enrolment is logged: until then it is nobody's. */
  keep(recordDigest: string, bytes: Bytes): Promise<void> {
    return this.#write(this.#recordPath(recordDigest), bytes);
  }

  async spendTry(badgeDigest: string): Promise<number> {
    const path = this.#triesPath(badgeDigest);
    const text = await readIfThere(path);
    const spent = (text === null ? 0 : Number(new TextDecoder().decode(text))) + 1;
    // What cannot be read counts as every try.
    const next = Number.isSafeInteger(spent) ? spent : Number.MAX_SAFE_INTEGER;
    await this.#write(path, new TextEncoder().encode(`${next}`));
    return next;
  }

  async resetTries(badgeDigest: string): Promise<void> {
    await rm(this.#triesPath(badgeDigest), { force: true });
  }

  #recordPath(recordDigest: string): string {
    return join(this.#directory, `${recordDigest}.json`);
  }

  #triesPath(badgeDigest: string): string {
    return join(this.#directory, `${badgeDigest}.tries`);
  }

  async #write(path: string, bytes: Bytes): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const draft = `${path}.new`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    const folder = await open(this.#directory);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function damaged(what: string): LineError {
  return new LineError('ERR_LINE_BADGES', `a PIN record is damaged: ${what}`);
}

function derive(pin: string, salt: Bytes, cost: PinRecord['cost']): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, KEY_BYTES, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
