// SPDX-License-Identifier: Apache-2.0
/**
 * Starting a board to hear what it runs (spec/device-driver.md, "Boot check"). The firmware hashes its own image and says
 * the digest; that is a measurement by the part itself, without a key behind it: more than having been read back, less
 * than attested.
 */
import { equalBytes, decodeHex, type DigestSet } from '@witnessmark/core';
import type { DriverOutcome, OperationOptions } from '../contract.ts';

export interface BootReport {
  /** SHA-256 of the image, as the firmware in it computed it. */
  readonly digest: DigestSet;
}

export interface BootCheck {
  /** What starts the board, for the record. */
  readonly model: string;
  readonly simulated: boolean;
  /** Starts the board. `UNKNOWN` when it says nothing in time, or something else; `LS-403` when it cannot be started. */
  readBootReport(options?: OperationOptions): Promise<DriverOutcome<BootReport>>;
}

/** A boot report against the digest a release names. */
export interface BootMeasurement {
  readonly digest: DigestSet;
  readonly result: 'SUCCESS' | 'FAIL';
  /** One of the grades of claims: computed by the part's own firmware, not signed by it. */
  readonly grade: 'measured';
}

/** Starts the board and compares; another digest is a finding, silence is no answer. */
export async function measureBoot(
  check: BootCheck,
  expected: DigestSet,
  options?: OperationOptions,
): Promise<DriverOutcome<BootMeasurement>> {
  const outcome = await check.readBootReport(options);
  if (outcome.state !== 'DONE') return outcome;
  const { digest } = outcome.value;
  const isEqual = equalBytes(decodeHex(digest.sha256), decodeHex(expected.sha256));
  return { state: 'DONE', value: { digest, result: isEqual ? 'SUCCESS' : 'FAIL', grade: 'measured' } };
}
