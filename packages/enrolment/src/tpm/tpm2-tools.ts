// SPDX-License-Identifier: Apache-2.0
/**
 * A TPM through tpm2-tools (https://github.com/tpm2-software/tpm2-tools): one program for each question, in a folder that
 * is thrown away, with a hard limit of time. What the programs write is read like anything from outside.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeBase64,
  encodeHex,
  parsePublicKey,
  WitnessmarkError,
  type Bytes,
  type PublicKey,
} from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';
import { verifyQuote, type QuoteEvidence, type Quoter } from './quote.ts';

/** A busy TPM takes a second or two; a program that takes longer is ended. */
const TIMEOUT_MS = 20_000;
const LIMITS = { maxFileBytes: 4_096, maxExtraDataBytes: 32 };
const REGISTER_BYTES = 32;
/** TPM 2.0 Library, Part 2, section 7.4: handles of persistent objects. */
const PERSISTENT_HANDLE = /^0x81[0-9a-f]{6}$/i;

export interface TpmSettings {
  /** The attestation key: a persistent handle such as `0x81010002`. */
  readonly attestationKey: string;
  /** Registers of the SHA-256 bank, in ascending order. */
  readonly registers: readonly number[];
  /** As `--tcti` of tpm2-tools takes it; the resource manager of the machine unless said. */
  readonly tcti?: string | undefined;
}

/** Reads the attestation key; rejects with `ERR_ENROLMENT_TPM` when TPM or tools give no answer. */
export async function openTpmQuoter(settings: TpmSettings): Promise<Quoter> {
  checkSettings(settings);
  const { registers } = settings;
  const attestationKey = await inScratch(async (folder) =>
    readTpmKey(
      await runInto(settings, folder, 'tpm2_readpublic', (out) => [
        ...['-c', settings.attestationKey],
        ...['-f', 'der', '-o', out('key')],
      ]),
    ),
  );
  const quote = (extraData: Bytes): Promise<QuoteEvidence> =>
    inScratch(async (folder) => {
      if (extraData.length > LIMITS.maxExtraDataBytes) throw new TypeError('a quote takes at most 32 bytes of ours');
      const read = await runInto(settings, folder, 'tpm2_quote', (out) => [
        ...['-c', settings.attestationKey, '-g', 'sha256', '-l', `sha256:${registers.join(',')}`],
        ...['-q', encodeHex(extraData), '-m', out('quoted'), '-s', out('signature')],
        ...['-o', out('values'), '-F', 'values'],
      ]);
      const evidence = {
        quoted: encodeBase64(await read('quoted')),
        signature: encodeBase64(await read('signature')),
        registers: toRegisters(await read('values'), registers),
      };
      // What would not hold elsewhere is not handed out.
      verifyQuote(evidence, { attestationKey, extraData, registers });
      return evidence;
    });
  return { attestationKey, quote };
}

/**
 * The endorsement key that the maker gave the TPM, SubjectPublicKeyInfo in DER: an identifier of the chip. `handle` is
 * where the platform keeps it, `0x81010001` by the TCG's registry. Rejects with `ERR_ENROLMENT_TPM` when there is none.
 */
export async function readEndorsementKey(settings: Pick<TpmSettings, 'tcti'>, handle = '0x81010001'): Promise<Bytes> {
  if (!PERSISTENT_HANDLE.test(handle)) throw new TypeError('a TPM key is named by its persistent handle');
  return inScratch(async (folder) => {
    const read = await runInto(settings, folder, 'tpm2_readpublic', (out) => [
      ...['-c', handle],
      ...['-f', 'der', '-o', out('key')],
    ]);
    return read('key');
  });
}

type ReadOutput = (name: string) => Promise<Bytes>;

async function readTpmKey(read: ReadOutput): Promise<PublicKey> {
  const spki = await read('key');
  try {
    return parsePublicKey(spki);
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw failed('the attestation key is not on P-256', cause);
  }
}

/** The tool writes the values one after the other, in the order they were asked for. */
function toRegisters(values: Bytes, indices: readonly number[]): QuoteEvidence['registers'] {
  if (values.length !== indices.length * REGISTER_BYTES)
    throw failed('tpm2_quote wrote other registers than asked for');
  return indices.map((index, position) => {
    const start = position * REGISTER_BYTES;
    return { index, value: encodeHex(values.subarray(start, start + REGISTER_BYTES)) };
  });
}

function checkSettings({ attestationKey, registers }: TpmSettings): void {
  const isAscending = registers.every((index, at) => index > (registers[at - 1] ?? -1) && index < 24);
  if (!PERSISTENT_HANDLE.test(attestationKey) || registers.length === 0 || !isAscending) {
    throw new TypeError('a quote needs the persistent handle of a key, and registers 0 to 23 in ascending order');
  }
}

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'witnessmark-tpm-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a program that writes into `folder`, and gives a reader of what it wrote. */
async function runInto(
  { tcti }: Pick<TpmSettings, 'tcti'>,
  folder: string,
  program: string,
  toArguments: (out: (name: string) => string) => readonly string[],
): Promise<ReadOutput> {
  const out = (name: string): string => join(folder, name);
  const args = [...toArguments(out), '-Q', ...(tcti === undefined ? [] : ['--tcti', tcti])];
  await new Promise<void>((resolve, reject) => {
    execFile(
      program,
      args,
      { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 },
      (error, _out, text) => {
        if (error === null) resolve();
        else reject(failed(`${program}: ${firstLine(text) || error.message}`, error));
      },
    );
  });
  return (name) => readBounded(out(name));
}

async function readBounded(path: string): Promise<Bytes> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw failed('the program said yes and wrote nothing', cause);
  });
  try {
    const buffer = Buffer.alloc(LIMITS.maxFileBytes + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > LIMITS.maxFileBytes) throw failed(`the program wrote more than ${LIMITS.maxFileBytes} bytes`);
    return Uint8Array.from(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replaceAll(/\p{C}/gu, '').slice(0, 200);
}

function failed(what: string, cause?: unknown): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_TPM', `the TPM gave no answer: ${what}`, { cause });
}
