// SPDX-License-Identifier: Apache-2.0
/**
 * TPM 2.0 quotes: a signature of the TPM over chosen platform registers and over data of ours (TCG TPM 2.0 Library, Part 2,
 * section 10.12, TPMS_ATTEST and TPMS_QUOTE_INFO). Pure: the bytes come from the evidence, the key from whoever verifies.
 */
import {
  concatBytes,
  decodeBase64,
  decodeHex,
  encodeHex,
  equalBytes,
  isSignedBy,
  RefusedError,
  sha256,
  type Bytes,
  type PublicKey,
} from '@witnessmark/core';
import { EnrolmentError } from '../error.ts';
import { BigEndianReader } from './big-endian-reader.ts';

/** What a TPM said, as it goes into a statement. */
export interface QuoteEvidence {
  /** TPMS_ATTEST as it was signed, base64. */
  readonly quoted: string;
  /** TPMT_SIGNATURE, base64: ECDSA P-256 with SHA-256. */
  readonly signature: string;
  /** Values of the SHA-256 bank in ascending order of their index, lower-case hexadecimal. */
  readonly registers: readonly { readonly index: number; readonly value: string }[];
}

/** Has a TPM sign its registers together with at most 32 bytes of ours. Rejects with `ERR_ENROLMENT_TPM`. */
export interface Quoter {
  /** The attestation key, which the enrolment names. */
  readonly attestationKey: PublicKey;
  quote(extraData: Bytes): Promise<QuoteEvidence>;
}

export interface QuoteExpectation {
  readonly attestationKey: PublicKey;
  readonly extraData: Bytes;
  /** Registers that must have been quoted; others may be there too. */
  readonly registers?: readonly number[];
}

/** What was proven; clock and counters are the TPM's own. */
export interface VerifiedQuote {
  readonly registers: ReadonlyMap<number, string>;
  readonly clockMs: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  /** Whether the clock has run without a loss since the TPM was made ready. */
  readonly isClockSafe: boolean;
  readonly firmwareVersion: string;
}

const TPM_GENERATED_VALUE = 0xff544347;
const TPM_ST_ATTEST_QUOTE = 0x8018;
const TPM_ALG_SHA256 = 0x000b;
const TPM_ALG_ECDSA = 0x0018;
const DIGEST_BYTES = 32;
/** PC Client platforms have 24 registers: three bytes of selection. */
const SELECTION_BYTES = 3;
const LIMITS = { maxQuotedBytes: 1_024, maxSignatureBytes: 512, maxNameBytes: 68, maxExtraDataBytes: 66 };

/**
 * Throws `ERR_ENROLMENT_FORMAT` for bytes that are no quote, ID-131 for one the key did not sign, ID-132 for other extra
 * data, and ID-133 for registers that are not those that were signed.
 */
export function verifyQuote(evidence: QuoteEvidence, expected: QuoteExpectation): VerifiedQuote {
  const quoted = decode(evidence.quoted, LIMITS.maxQuotedBytes);
  const signature = parseSignature(decode(evidence.signature, LIMITS.maxSignatureBytes));
  if (!isSignedBy(expected.attestationKey, quoted, signature)) {
    throw new RefusedError('ID-131', `the quote is not signed by ${expected.attestationKey.keyid.slice(0, 8)}`);
  }
  const attest = parseAttest(quoted);
  if (!equalBytes(attest.extraData, expected.extraData)) {
    throw new RefusedError('ID-132', 'the quote was made for other data');
  }
  return { ...attest.facts, registers: checkRegisters(evidence, attest, expected.registers ?? []) };
}

interface Attest {
  readonly extraData: Bytes;
  readonly selected: readonly number[];
  readonly pcrDigest: Bytes;
  readonly facts: Omit<VerifiedQuote, 'registers'>;
}

/** Part 2, section 10.12.12; every byte has its place and none is left over. */
function parseAttest(bytes: Bytes): Attest {
  const reader = new BigEndianReader(bytes);
  reader.expect32(TPM_GENERATED_VALUE, 'the mark of a structure made by a TPM');
  reader.expect16(TPM_ST_ATTEST_QUOTE, 'the type of a quote');
  reader.sized(LIMITS.maxNameBytes);
  const extraData = reader.sized(LIMITS.maxExtraDataBytes);
  const clockMs = reader.read64();
  const resetCount = reader.read32();
  const restartCount = reader.read32();
  const safe = reader.read8();
  if (safe > 1) throw malformed('a clock state that is neither yes nor no');
  const firmwareVersion = reader.read64().toString(16).padStart(16, '0');
  reader.expect32(1, 'one bank of registers');
  reader.expect16(TPM_ALG_SHA256, 'the SHA-256 bank');
  if (reader.read8() !== SELECTION_BYTES) throw malformed('a selection that is not three bytes');
  const selected = toIndices(reader.take(SELECTION_BYTES));
  const pcrDigest = reader.sized(DIGEST_BYTES);
  reader.end();
  if (pcrDigest.length !== DIGEST_BYTES) throw malformed('a digest of registers that is no SHA-256');
  return {
    extraData,
    selected,
    pcrDigest,
    facts: { clockMs, resetCount, restartCount, isClockSafe: safe === 1, firmwareVersion },
  };
}

/** Bit 0 of the first byte is register 0 (Part 2, section 10.6.1). */
function toIndices(selection: Bytes): number[] {
  return Array.from({ length: SELECTION_BYTES * 8 }, (_, index) => index).filter(
    (index) => (((selection[index >> 3] as number) >> (index & 7)) & 1) === 1,
  );
}

/** Part 2, section 11.3.4, TPMT_SIGNATURE; gives the signature in DER. */
function parseSignature(bytes: Bytes): Bytes {
  const reader = new BigEndianReader(bytes);
  reader.expect16(TPM_ALG_ECDSA, 'ECDSA');
  reader.expect16(TPM_ALG_SHA256, 'SHA-256');
  const [r, s] = [reader.sized(DIGEST_BYTES), reader.sized(DIGEST_BYTES)];
  reader.end();
  const numbers = concatBytes(toInteger(r), toInteger(s));
  return concatBytes(Uint8Array.of(0x30, numbers.length), numbers);
}

/** A positive DER INTEGER. */
function toInteger(bytes: Bytes): Bytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = bytes.subarray(start);
  if (trimmed.length === 0) throw malformed('an empty number');
  const content = (trimmed[0] as number) >= 0x80 ? concatBytes(Uint8Array.of(0), trimmed) : trimmed;
  return concatBytes(Uint8Array.of(0x02, content.length), content);
}

/** The signed digest is over the values in ascending order of their index. */
function checkRegisters(
  { registers }: QuoteEvidence,
  { selected, pcrDigest }: Attest,
  wanted: readonly number[],
): ReadonlyMap<number, string> {
  if (registers.map(({ index }) => index).join() !== selected.join()) {
    throw new RefusedError('ID-133', 'the registers shown are not those that were quoted');
  }
  const missing = wanted.find((index) => !selected.includes(index));
  if (missing !== undefined) throw new RefusedError('ID-133', `register ${missing} was not quoted`);
  const values = registers.map(({ value }) => decodeValue(value));
  if (encodeHex(sha256(concatBytes(...values))) !== encodeHex(pcrDigest)) {
    throw new RefusedError('ID-133', 'the values of the registers are not those that were quoted');
  }
  return new Map(registers.map(({ index, value }) => [index, value]));
}

function decodeValue(text: string): Bytes {
  if (!/^[0-9a-f]{64}$/.test(text)) throw malformed('a register that is no SHA-256');
  return decodeHex(text);
}

function decode(text: string, maxBytes: number): Bytes {
  let bytes: Bytes;
  try {
    // Four characters stand for three bytes.
    bytes = decodeBase64(text.slice(0, (Math.ceil(maxBytes / 3) + 1) * 4));
  } catch (cause) {
    throw new EnrolmentError('ERR_ENROLMENT_FORMAT', 'the quote is not base64', { cause });
  }
  if (bytes.length > maxBytes) throw malformed(`more than ${maxBytes} bytes`);
  return bytes;
}

function malformed(what: string): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_FORMAT', `the quote holds ${what}`);
}
