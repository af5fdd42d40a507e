// SPDX-License-Identifier: Apache-2.0
/**
 * The front door (spec/verification.md): evidence, trusted root, policy and a stated time in; a report out. Nothing else has
 * a say: no clock, no network, no key from the evidence.
 */
import { RefusedError, type Bytes, type Instant } from '@witnessmark/core';
import { CHECKS } from './checks/index.ts';
import { VerifyError } from './error.ts';
import { Examiner, reportUnusableTrust, type TrustInput } from './examiner.ts';
import { decide, type VerificationReport } from './report.ts';

/** One file to judge, and what to judge it by. */
export interface VerifyInput extends TrustInput {
  readonly evidence: Bytes;
  /** Checked against the serial when given; directories before it are ignored. */
  readonly fileName?: string | undefined;
  /** The time of checking: nothing may be dated after it. */
  readonly time: Instant;
}

/** A unit that passed every check. */
export interface VerifiedUnit extends VerificationReport {
  readonly verdict: 'VERIFIED';
  readonly serial: string;
  readonly deviceId: string;
}

/** Judges many files under one trusted root and policy, both decoded once. */
export class Verifier {
  readonly #examiner: Examiner;

  /** Throws `RefusedError` EV-205 when the trusted root or the policy cannot be used. */
  constructor(trust: TrustInput) {
    this.#examiner = new Examiner(trust, CHECKS);
  }

  /** Runs every check; bad evidence is reported, never thrown. */
  inspect(evidence: Bytes, time: Instant, fileName?: string): VerificationReport {
    return this.#examiner.examine(evidence, time, fileName);
  }
}

/** Runs every check and returns the report; an unusable trusted root or policy makes it NOT VERIFIED. */
export function inspectBundle({ evidence, fileName, trustedRoot, policy, time }: VerifyInput): VerificationReport {
  let verifier: Verifier;
  try {
    verifier = new Verifier({ trustedRoot, policy });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return reportUnusableTrust(error.message, CHECKS, { evidence, time });
  }
  return verifier.inspect(evidence, time, fileName);
}

/** Returns the verified unit; throws `VerifyError` with the code of the check that decided against it. */
export function verifyBundle(input: VerifyInput): VerifiedUnit {
  const report = inspectBundle(input);
  const decision = decide(report.checks);
  if (decision.verdict !== 'VERIFIED') {
    const { name, code, detail } = decision.decisive;
    throw new VerifyError(name, decision.verdict, code, detail);
  }
  return report as VerifiedUnit;
}
