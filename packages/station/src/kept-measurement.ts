// SPDX-License-Identifier: Apache-2.0
/**
 * What was read back before a lock that forbids reading: signed and durable before the lock is set, so that a unit that is
 * interrupted afterwards can still be finished (spec/station-journal.md, `measured`). It never leaves the station; its own
 * payload type keeps it from being taken for a statement.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  formatInstant,
  formatJson,
  parseInstant,
  parseStrictJson,
  sha256Hex,
  verifyEnvelope,
  WitnessmarkError,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { identifier, instantText, sha256Text, uuid, type ReleaseManifest } from '@witnessmark/attestation';
import type { Signer } from '@witnessmark/custody';
import { isReadableWhenLocked, type BoardProfile } from '@witnessmark/device';
import { z } from 'zod';
import { StationError } from './error.ts';
import type { Journal, Transaction } from './journal.ts';
import type { OpenUnit } from './open-unit.ts';
import { signWithStation } from './signing.ts';

const PAYLOAD_TYPE = 'application/vnd.witnessmark.kept-measurement.v1+json';

export interface KeptMeasurement {
  /** SHA-256 of each component's range, by its name; all equal to what the release names. */
  readonly digests: ReadonlyMap<string, string>;
  readonly measuredAt: Instant;
}

const schema = z.strictObject({
  transactionId: uuid,
  /** SHA-256 of the intent's payload. */
  intentDigest: sha256Text,
  deviceId: sha256Text,
  components: z.array(z.strictObject({ name: identifier, sha256: sha256Text })).max(16),
  measuredAt: instantText,
});
type Content = z.infer<typeof schema>;

interface MeasurementKeeperOptions {
  readonly journal: Journal;
  readonly signer: Signer;
  readonly profile: BoardProfile;
}

export class MeasurementKeeper {
  /** What was measured before the lock, in this process or in one before it. */
  kept: KeptMeasurement | null = null;
  /** Whether this kind of board has to be measured for good before it is locked. */
  readonly isNeeded: boolean;
  readonly #journal: Journal;
  readonly #signer: Signer;

  constructor({ journal, signer, profile }: MeasurementKeeperOptions) {
    this.#journal = journal;
    this.#signer = signer;
    this.isNeeded = !isReadableWhenLocked(profile);
  }

  /** Makes it durable that every component was read back and is the released one. */
  async keep(unit: OpenUnit, measuredAt: Instant): Promise<void> {
    if (!this.isNeeded || this.kept !== null) return;
    const content = toContent(unit, measuredAt);
    const measurement = await signWithStation(this.#signer, PAYLOAD_TYPE, formatJson(content));
    await this.#journal.append(unit.transactionId, measuredAt, { kind: 'measured', measurement });
    this.kept = toKept(content);
  }

  /** Takes up what an earlier process kept; believed only with this station's own signature, about this intent. */
  restore(unit: OpenUnit, { id, records }: Transaction): void {
    for (const { fact } of records) {
      if (fact.kind === 'measured') this.kept = readKept(unit, fact.measurement, this.#signer.publicKey, id);
    }
  }
}

function readKept(unit: OpenUnit, envelope: Envelope, stationKey: PublicKey, id: string): KeptMeasurement {
  try {
    const { payload } = verifyEnvelope(envelope, { keys: [stationKey], threshold: 1, payloadType: PAYLOAD_TYPE });
    const content = schema.parse(parseStrictJson(payload));
    if (!isDeepStrictEqual(content, toContent(unit, parseInstant(content.measuredAt)))) throw damaged(id);
    return toKept(content);
  } catch (cause) {
    if (cause instanceof WitnessmarkError || cause instanceof z.ZodError) throw damaged(id, cause);
    throw cause;
  }
}

function toContent({ transactionId, intent, intentEnvelope, manifest }: OpenUnit, measuredAt: Instant): Content {
  return {
    transactionId,
    intentDigest: sha256Hex(intentEnvelope.payload),
    deviceId: intent.identity.deviceId,
    components: toDigests(manifest),
    measuredAt: formatInstant(measuredAt),
  };
}

function toDigests({ components }: ReleaseManifest): Content['components'] {
  return components.map(({ name, sha256 }) => ({ name, sha256 }));
}

function toKept({ components, measuredAt }: Content): KeptMeasurement {
  return {
    digests: new Map(components.map(({ name, sha256 }) => [name, sha256])),
    measuredAt: parseInstant(measuredAt),
  };
}

function damaged(id: string, cause?: unknown): StationError {
  const what = 'its measurement is not one this station signed for its intent';
  return new StationError('ERR_STATION_JOURNAL_DAMAGED', `transaction ${id}: ${what}`, { cause });
}
