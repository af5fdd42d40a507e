// SPDX-License-Identifier: Apache-2.0
/** Asks the clocks and remembers what they said; what it lets through may date evidence. */
import type { Instant } from '@witnessmark/core';
import { assessClock, type ClockAssessment, type LineTimeSample } from './clock-check.ts';
import { judgeTimeSource, type TimeJudgement } from './clock/index.ts';
import { StationRefusal } from './error.ts';
import type { StationPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';

type TimePorts = Pick<
  StationPorts,
  'clock' | 'journal' | 'identity' | 'newId' | 'timeService' | 'lineTrust' | 'signer'
>;

export class TimeKeeper {
  readonly #ports: TimePorts;
  readonly #recorder: Recorder;
  /** A monotonic clock counts from a start of its own in each process, so the boot alone does not say from where. */
  readonly #bootId: string;
  #line: LineTimeSample | null = null;
  #service: TimeJudgement | null = null;
  #earlier: { readonly now: Instant; readonly monotonicMs: number } | null = null;

  constructor(ports: TimePorts, recorder: Recorder) {
    this.#ports = ports;
    this.#recorder = recorder;
    this.#bootId = `${ports.identity.bootId}/${ports.newId()}`;
  }

  /**
   * Hears the time service, and compares with the line's clock; without an answer of the line what is known of it lapses,
   * and the `ApiError` is thrown.
   */
  async synchronise(): Promise<void> {
    const { timeService } = this.#ports;
    if (timeService !== undefined) {
      const { source, policy, hierarchy } = timeService;
      const answer = await source.read();
      const inForce = hierarchy === undefined ? undefined : { document: hierarchy, now: this.#ports.clock.now() };
      this.#service = judgeTimeSource(source.name, answer, policy, inForce);
    }
    this.#line = null;
    this.#line = await this.#recorder.sampleTime();
  }

  /** The clock, unless something that is known already speaks against it. Throws LS-301, or LS-331 to LS-335. */
  requirePlausible(): ClockAssessment {
    const assessment = this.#assess();
    const { finding } = assessment;
    if (finding !== null) throw new StationRefusal(finding.code ?? 'LS-301', finding);
    return assessment;
  }

  /** The clock as it may date evidence now. Throws LS-301, and HD-01 while nobody has said what time it is. */
  requireSane(): ClockAssessment {
    const assessment = this.requirePlausible();
    if (!this.#isCompared(assessment)) {
      throw new StationRefusal('HD-01', {
        expected: 'a clock compared with the line server or a time service since the station started',
        observed: 'neither has answered',
      });
    }
    this.#earlier = { now: assessment.now, monotonicMs: assessment.evidence.monotonicMs };
    return assessment;
  }

  /** The break-glass mark that records made here now carry, as the line last said. */
  get breakGlass(): string | null {
    const opening = this.#line?.breakGlass ?? null;
    if (opening === null) return null;
    return opening.station === null || opening.station === this.#ports.identity.id ? opening.digest : null;
  }

  /**
   * A time for a refusal: the clock's when it is sane, otherwise the line's. A clock that was not compared may say
   * anything, so what it would date bears the last time that is known to be past.
   */
  bestInstant(): Instant {
    const assessment = this.#assess();
    const { now, lineOffsetMs, finding } = assessment;
    if (finding === null && this.#isCompared(assessment)) return now;
    const past = Math.max(this.#ports.journal.floor.lastEvidenceAt, this.#ownKeyBegins());
    return lineOffsetMs === null ? past : Math.max(past, Math.round(now - lineOffsetMs));
  }

  #isCompared({ lineOffsetMs }: ClockAssessment): boolean {
    return lineOffsetMs !== null || this.#service?.evidence.verdict === 'SANE';
  }

  #ownKeyBegins(): Instant {
    const { lineTrust, signer } = this.#ports;
    return lineTrust.keys.find(({ key }) => key.keyid === signer.publicKey.keyid)?.validFrom ?? 0;
  }

  #assess(): ClockAssessment {
    const { clock, journal } = this.#ports;
    return assessClock({
      now: clock.now(),
      monotonicMs: clock.monotonic(),
      earlier: this.#earlier,
      floor: journal.floor.lastEvidenceAt,
      line: this.#line,
      service: this.#service,
      bootId: this.#bootId,
    });
  }
}
