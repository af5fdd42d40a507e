// SPDX-License-Identifier: Apache-2.0
/** From bytes to report: read the file, establish its facts, run a list of checks over them. */
import { RefusedError, sha256Hex, WitnessmarkError, type Bytes, type Instant } from '@witnessmark/core';
import { parseTrustedRoot, type TrustedRoot } from '@witnessmark/attestation';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { cannotTell, fail, pass, type Check } from './check.ts';
import { lastEvent, readEvidence, type Evidence } from './evidence.ts';
import { newMemory } from './memory.ts';
import { parsePolicy, type Policy } from './policy.ts';
import {
  runChecks,
  toBlockedResult,
  toCheckResult,
  toReport,
  UNREADABLE_UNIT,
  type UnitSummary,
  type VerificationReport,
} from './report.ts';
import { toTrustStore, type TrustStore } from './trust-store.ts';

/** What the verifier brings: keys and rules of its own. */
export interface TrustInput {
  /** The verifier's own copy, as bytes or already parsed. */
  readonly trustedRoot: Bytes | TrustedRoot;
  readonly policy: Bytes | Policy;
}

/** The two checks without which there is nothing to judge; they cannot be left out of a list. */
const TRUST_CHECK = { name: 'trust', whyItMatters: 'without keys and rules of your own nothing can be judged' };
const FILE_CHECK = {
  name: 'file',
  whyItMatters: 'what cannot be read exactly could be read differently by somebody else',
};

/** Judges files by one trusted root, one policy and one list of checks. */
export class Examiner {
  readonly #trust: TrustStore;
  readonly #policy: Policy;
  readonly #checks: readonly Check[];
  readonly #memory = newMemory();

  /** Throws `RefusedError` EV-205 when the trusted root or the policy cannot be used. */
  constructor({ trustedRoot, policy }: TrustInput, checks: readonly Check[]) {
    try {
      this.#trust = toTrustStore(trustedRoot instanceof Uint8Array ? parseTrustedRoot(trustedRoot) : trustedRoot);
      this.#policy = policy instanceof Uint8Array ? parsePolicy(policy) : policy;
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw new RefusedError('EV-205', `the trusted root or the policy cannot be used: ${cause.message}`, { cause });
    }
    this.#checks = checks;
  }

  /** Never throws for bad evidence. */
  examine(evidence: Bytes, time: Instant, fileName?: string): VerificationReport {
    const { name, version } = this.#trust;
    const policy = { name: this.#policy.name, version: this.#policy.version };
    const trusted = toCheckResult(TRUST_CHECK, pass(`${name} version ${version}, policy ${policy.name}`));
    const common = { evidenceDigest: sha256Hex(evidence), trustedRoot: { name, version }, policy, time };
    let facts: Evidence;
    try {
      facts = readEvidence(parseUnitEvidence(evidence), this.#trust, this.#memory);
    } catch (error) {
      if (!(error instanceof WitnessmarkError)) throw error;
      const unreadable = toCheckResult(FILE_CHECK, fail('EV-101', error.message));
      const others = this.#checks.map((check) => toBlockedResult(check.name, FILE_CHECK.name));
      return toReport({ ...common, results: [trusted, unreadable, ...others], unit: UNREADABLE_UNIT });
    }
    const examination = { evidence: facts, policy: this.#policy, time, fileName };
    const readable = toCheckResult(FILE_CHECK, pass(`${evidence.length} bytes`));
    const results = runChecks(this.#checks, (check) => check.run(examination));
    return toReport({ ...common, results: [trusted, readable, ...results], unit: summarize(facts) });
  }
}

/** The report when there is no trust to judge by: NOT VERIFIED. */
export function reportUnusableTrust(
  detail: string,
  checks: readonly Check[],
  { evidence, time }: { readonly evidence: Bytes; readonly time: Instant },
): VerificationReport {
  const problem = toCheckResult(TRUST_CHECK, cannotTell('EV-205', detail));
  const others = [FILE_CHECK, ...checks].map(({ name }) => toBlockedResult(name, TRUST_CHECK.name));
  const evidenceDigest = sha256Hex(evidence);
  return toReport({
    results: [problem, ...others],
    unit: UNREADABLE_UNIT,
    evidenceDigest,
    trustedRoot: null,
    policy: null,
    time,
  });
}

function summarize(facts: Evidence): UnitSummary {
  const event = lastEvent(facts)?.predicate;
  const release = event?.release;
  return {
    serial: facts.serial,
    deviceId: facts.deviceId,
    sku: event?.product.sku ?? null,
    release:
      release === undefined
        ? null
        : { id: release.id, version: release.version, candidateDigest: release.candidateDigest.sha256 },
    components: (event?.components ?? []).map(({ name, version, image }) => ({
      name,
      version,
      sha256: image.digest.sha256,
    })),
    signedAt: event?.timing.signedAt ?? null,
    logEntries: facts.places.flatMap((place) =>
      place.state === 'placed' ? [{ origin: place.head.origin, index: place.index }] : [],
    ),
  };
}
