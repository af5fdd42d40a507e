// SPDX-License-Identifier: Apache-2.0
/**
 * The gate of a station that measures itself (spec/station-start.md): at its start, at the start of a shift, and when the
 * last measurement is old. Signed and durable here, then in the log, then known here to be there; only then units begin.
 */
import {
  encodeBase64,
  encodeHex,
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  verifyEnvelope,
  WitnessmarkError,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import {
  buildStatement,
  MAX_DRIFT_LINES,
  MAX_PENDING_STATEMENTS,
  parseStatement,
  stationStart,
  toQuotedData,
  type StartReason,
  type StationStart,
} from '@witnessmark/attestation';
import { ApiError, LineRefusedError, type LoggedEntry } from '@witnessmark/api';
import type { ClockAssessment } from '../clock-check.ts';
import { StationError, StationRefusal } from '../error.ts';
import type { FileSystem } from '../file-system.ts';
import type { Journal } from '../journal.ts';
import { isUndecided } from '../outcomes.ts';
import type { StationPorts } from '../ports.ts';
import { Recorder } from '../recorder.ts';
import { signStatement } from '../signing.ts';
import { queue } from '../slots/shared-sources.ts';
import type { StartQuoter, StartReference, StationGate, StationMeasurement, StationMeasurer } from './gate.ts';
import { StartMemory, type RememberedStart } from './start-memory.ts';

const HOUR_MS = 3_600_000;
const MAX_NAMED_LINES = 4;
const MAX_LINE_LENGTH = 1024;

/** When a station measures itself besides at its start. */
export interface GateSchedule {
  /** A unit is not begun on an older measurement. */
  readonly intervalMs: number;
  /** After a pause of so long, a sign-in begins a shift. */
  readonly shiftAfterMs: number;
}

export const DEFAULT_GATE_SCHEDULE: GateSchedule = { intervalMs: 4 * HOUR_MS, shiftAfterMs: HOUR_MS };

interface MeasuredGateOptions extends Pick<
  StationPorts,
  'clock' | 'pause' | 'line' | 'lineTrust' | 'signer' | 'identity' | 'newId' | 'retryPausesMs'
> {
  /** The station's directory. */
  readonly files: FileSystem;
  /** One for each place of the station; receipts of starts are remembered in the first. */
  readonly journals: readonly [Journal, ...Journal[]];
  readonly measurer: StationMeasurer;
  readonly quoter?: StartQuoter;
  readonly schedule?: GateSchedule;
}

interface Current extends StartReference {
  readonly measuredAt: Instant;
}

export class MeasuredGate implements StationGate {
  readonly #options: MeasuredGateOptions;
  readonly #recorder: Recorder;
  readonly #memory: StartMemory;
  readonly #schedule: GateSchedule;
  /** Places of one station measure it once. */
  readonly #inTurn = queue();
  /** The start of this process that units are made under. */
  #current: Current | null = null;
  #isShiftDue = false;

  /** Throws `ERR_STATION_JOURNAL_DAMAGED` for a memory this program did not write. */
  static async open(options: MeasuredGateOptions): Promise<MeasuredGate> {
    return new MeasuredGate(options, await StartMemory.open(options.files, options.signer.publicKey.keyid));
  }

  private constructor(options: MeasuredGateOptions, memory: StartMemory) {
    this.#options = options;
    this.#recorder = new Recorder({ ...options, journal: options.journals[0] });
    this.#memory = memory;
    this.#schedule = options.schedule ?? DEFAULT_GATE_SCHEDULE;
  }

  requireFit(clock: ClockAssessment): Promise<StartReference> {
    return this.#inTurn(async () => {
      const reason = this.#dueReason(clock.now);
      if (this.#current !== null && reason === null) return this.#current;
      const before = this.#current;
      try {
        return (await this.#measure(reason ?? 'start', clock, null)).start;
      } catch (error) {
        // Nothing is wrong with the station; it was measured before, and is measured again when the line answers.
        if (error instanceof ApiError && before !== null) return before;
        throw error;
      }
    });
  }

  beginShift(now: Instant): void {
    if (this.#current !== null && now - this.#current.measuredAt >= this.#schedule.shiftAfterMs) {
      this.#isShiftDue = true;
    }
  }

  /** Measures now, for somebody who asks with a nonce; throws as {@link requireFit} does. */
  prove(nonce: string, clock: ClockAssessment): Promise<LoggedEntry> {
    return this.#inTurn(async () => (await this.#measure('prove', clock, nonce)).entry);
  }

  #dueReason(now: Instant): StartReason | null {
    if (this.#current === null) return 'start';
    if (this.#isShiftDue) return 'shift';
    return now - this.#current.measuredAt >= this.#schedule.intervalMs ? 'timer' : null;
  }

  async #measure(
    reason: StartReason,
    clock: ClockAssessment,
    nonce: string | null,
  ): Promise<{ readonly start: Current; readonly entry: LoggedEntry }> {
    const measurement = await this.#options.measurer.measure();
    try {
      await this.#settle();
      const entry = await this.#sign(await this.#toStatement(measurement, { reason, clock, nonce }));
      requireApproved(measurement);
      const { digest, index } = this.#memory.last as RememberedStart;
      this.#current = { digest, index, measuredAt: clock.now };
      this.#isShiftDue = false;
      return { start: this.#current, entry };
    } catch (error) {
      // What this station sees by itself needs no answer of the line.
      if (error instanceof ApiError) requireApproved(measurement);
      if (!(error instanceof ApiError)) this.#current = null;
      throw error;
    }
  }

  async #sign(statement: StationStart): Promise<LoggedEntry> {
    const { signer } = this.#options;
    const subject = { name: 'station', digest: { sha256: signer.publicKey.keyid } };
    const envelope = await signStatement(signer, buildStatement(stationStart, subject, statement));
    await this.#memory.begin(envelope);
    return this.#submit(envelope);
  }

  /** A start that was cut off is in the log or never will be; in both cases a new one follows, which is judged by itself. */
  async #settle(): Promise<void> {
    const { open } = this.#memory;
    if (open === null) return;
    try {
      await this.#submit(open);
    } catch (error) {
      if (!isFinal(error)) throw error;
    }
  }

  /** Safe to repeat: one id is one entry. What the line refuses is forgotten; the next measurement takes its number. */
  async #submit(envelope: Envelope): Promise<LoggedEntry> {
    const { signer } = this.#options;
    const { sequence } = readOwn(envelope, this.#options);
    const at = this.#options.clock.now();
    try {
      const entry = await this.#recorder.submit(envelope, { author: signer.publicKey, at });
      await this.#options.journals[0].saveFloor();
      await this.#memory.acknowledge({ sequence, digest: sha256Hex(envelope.payload), index: entry.index });
      return entry;
    } catch (error) {
      if (isFinal(error)) await this.#memory.abandon();
      throw error;
    }
  }

  async #toStatement(
    { manifest, drift, build, fingerprint }: StationMeasurement,
    { reason, clock, nonce }: { reason: StartReason; clock: ClockAssessment; nonce: string | null },
  ): Promise<StationStart> {
    const { identity, signer, newId, quoter } = this.#options;
    const { last } = this.#memory;
    const start: StationStart = {
      id: newId(),
      station: { id: identity.id, line: identity.line, plant: identity.plant },
      keyDigest: { sha256: signer.publicKey.keyid },
      sequence: (last?.sequence ?? 0) + 1,
      previous: last === null ? null : { digest: { sha256: last.digest }, index: last.index },
      reason,
      nonce,
      bootId: identity.bootId,
      fingerprint: { sha256: fingerprint },
      softwareDigest: { sha256: identity.softwareDigest },
      build: build === null ? null : { digest: { sha256: build.digest }, version: build.version },
      manifest: { digest: { sha256: manifest.digest }, lines: manifest.lines },
      drift: drift
        .slice(0, MAX_DRIFT_LINES)
        .map(({ section, change, line }) => ({ section, change, line: line.slice(0, MAX_LINE_LENGTH) })),
      driftCount: drift.length,
      known: this.#known(),
      measuredAt: formatInstant(clock.now),
      clock: clock.evidence,
      quote: null,
    };
    if (quoter === undefined) return start;
    const quote = await quoter.quote(toQuotedData(start));
    return {
      ...start,
      quote: {
        attestationKey: encodeBase64(quoter.attestationKey.spki),
        quoted: quote.quoted,
        signature: quote.signature,
        registers: [...quote.registers],
      },
    };
  }

  /** Of all places together. */
  #known(): StationStart['known'] {
    const { journals } = this.#options;
    const heads = journals.flatMap(({ floor }) => (floor.head === null ? [] : [floor.head]));
    const head = heads.toSorted((left, right) => right.treeSize - left.treeSize)[0];
    const receipts = journals.flatMap(({ floor }) => (floor.lastReceipt === null ? [] : [floor.lastReceipt]));
    const pending = journals.flatMap(({ transactions }) =>
      transactions.flatMap(({ records }) =>
        records.flatMap(({ fact }) => {
          if (fact.kind === 'intended') return [sha256Hex(fact.intent.payload)];
          return fact.kind === 'eventSigned' ? [sha256Hex(fact.event.payload)] : [];
        }),
      ),
    );
    return {
      head: head === undefined ? null : { treeSize: head.treeSize, rootHash: encodeHex(head.rootHash) },
      lastReceipt: receipts.length === 0 ? null : Math.max(...receipts),
      pending: pending.slice(0, MAX_PENDING_STATEMENTS),
    };
  }
}

/** The line has read the start and said no. */
function isFinal(error: unknown): boolean {
  return error instanceof LineRefusedError && !isUndecided(error.code);
}

/** LS-402 for a device nobody approved, LS-401 for any other difference. */
function requireApproved({ drift, build }: StationMeasurement): void {
  if (drift.length === 0) return;
  const hasStrangeDevice = drift.some(({ section, change }) => section === 'usb' && change === 'added');
  const named = drift.slice(0, MAX_NAMED_LINES).map(({ section, change, line }) => `${section} ${change}: ${line}`);
  throw new StationRefusal(hasStrangeDevice ? 'LS-402' : 'LS-401', {
    expected: `the build that was approved as version ${build?.version ?? 0}`,
    observed: named.join('; '),
  });
}

/** Only what this station signed itself is submitted again. */
function readOwn(envelope: Envelope, { signer }: Pick<MeasuredGateOptions, 'signer'>): StationStart {
  try {
    const keys = [signer.publicKey];
    const { payload } = verifyEnvelope(envelope, { keys, threshold: 1, payloadType: STATEMENT_PAYLOAD_TYPE });
    return parseStatement(stationStart, payload).predicate;
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new StationError('ERR_STATION_JOURNAL_DAMAGED', 'the open start is not one this station signed', { cause });
  }
}
