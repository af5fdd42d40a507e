// SPDX-License-Identifier: Apache-2.0
/**
 * Balances unsealings against units (spec/image-unsealing.md): every pass of a unit of a sealed release has exactly one
 * unsealing before it, by its own station and session, and every unsealing has its unit. Pure: the caller reads the log.
 */
import {
  imageUnsealing,
  parseStatementHeader,
  PREDICATE_TYPES,
  provisioningIntent,
  toStatement,
  type ImageUnsealing,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import { WitnessmarkError, type Bytes, type ReasonCode } from '@witnessmark/core';

/** One pass of one unit, as an unsealing or an intent names it. */
export interface UnitPass {
  readonly index: number;
  readonly transactionId: string;
  readonly deviceId: string;
  readonly releaseId: string;
  readonly station: string;
  readonly operatorId: string;
  /** SHA-256 of the session statement's payload. */
  readonly sessionDigest: string;
}

export interface UnsealingFinding {
  readonly code: Extract<ReasonCode, 'BX-211' | 'BX-212' | 'BX-213'>;
  /** The entry it is about. */
  readonly object: string;
  readonly detail: string;
}

export interface UnsealingReconciliation {
  readonly unsealings: number;
  /** Passes of units of sealed releases. */
  readonly units: number;
  readonly findings: readonly UnsealingFinding[];
}

export class UnsealingAccount {
  readonly #unsealings: UnitPass[] = [];
  readonly #intents: UnitPass[] = [];

  /** Takes in the payload of a logged entry, in the order of the log; what is neither unsealing nor intent is passed over. */
  observe(index: number, payload: Bytes): void {
    try {
      const header = parseStatementHeader(payload);
      if (header.predicateType === PREDICATE_TYPES.imageUnsealing) {
        const { predicate } = toStatement(imageUnsealing, header);
        this.#unsealings.push(toPass(index, predicate, predicate.transactionId));
      } else if (header.predicateType === PREDICATE_TYPES.provisioningIntent) {
        const { predicate } = toStatement(provisioningIntent, header);
        this.#intents.push(toPass(index, predicate, predicate.event.transactionId));
      }
    } catch (error) {
      // Whether entries can be read at all is for the check of the log to say.
      if (!(error instanceof WitnessmarkError)) throw error;
    }
  }

  /** `isSealed` says of a release's id whether its images were published sealed. */
  reconcile(isSealed: (releaseId: string) => boolean): UnsealingReconciliation {
    const units = this.#intents.filter(({ releaseId }) => isSealed(releaseId));
    const first = new Map<string, UnitPass>();
    const findings: UnsealingFinding[] = [];
    for (const unsealing of this.#unsealings) {
      const earlier = first.get(unsealing.transactionId);
      if (earlier === undefined) first.set(unsealing.transactionId, unsealing);
      else findings.push(toFinding('BX-213', unsealing, `unsealed by entry ${earlier.index} before`));
    }
    const explained = new Set<string>();
    for (const unit of units) {
      const unsealing = first.get(unit.transactionId);
      const objection = unsealing === undefined ? 'no entry unseals for it' : objectionTo(unsealing, unit);
      if (objection === null) explained.add(unit.transactionId);
      else findings.push(toFinding('BX-211', unit, objection));
    }
    for (const unsealing of first.values()) {
      if (!explained.has(unsealing.transactionId))
        findings.push(toFinding('BX-212', unsealing, 'no unit was begun with it'));
    }
    return { unsealings: this.#unsealings.length, units: units.length, findings };
  }
}

/** Why an unsealing does not account for a unit of the same transaction; null when it does. */
function objectionTo(unsealing: UnitPass, unit: UnitPass): string | null {
  if (unsealing.index > unit.index) return `entry ${unsealing.index} unseals for it only afterwards`;
  const differing = (['deviceId', 'releaseId', 'station', 'sessionDigest'] as const).filter(
    (name) => unsealing[name] !== unit[name],
  );
  return differing.length === 0 ? null : `entry ${unsealing.index} unseals for another ${differing.join(', ')}`;
}

function toFinding(code: UnsealingFinding['code'], pass: UnitPass, what: string): UnsealingFinding {
  const { index, transactionId, deviceId, releaseId, station, operatorId } = pass;
  const who = `${operatorId} at ${station}, ${releaseId}, device ${deviceId.slice(0, 16)}…, transaction ${transactionId}`;
  return { code, object: `entry ${index}`, detail: `${who}: ${what}` };
}

function toPass(
  index: number,
  predicate: Pick<ImageUnsealing | ProvisioningIntent, 'identity' | 'release' | 'station' | 'operator'>,
  transactionId: string,
): UnitPass {
  const { identity, release, station, operator } = predicate;
  return {
    index,
    transactionId,
    deviceId: identity.deviceId,
    releaseId: release.id,
    station: station.id,
    operatorId: operator.id,
    sessionDigest: operator.sessionDigest.sha256,
  };
}
