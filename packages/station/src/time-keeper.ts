// SPDX-License-Identifier: Apache-2.0
/** Asks the clocks and remembers what they said; what it lets through may date evidence. */
import type { Instant } from '@witnessmark/core';
import { assessClock, type ClockAssessment, type LineTimeSample } from './clock-check.ts';
import { judgeTimeSource, type TimeJudgement } from './clock/index.ts';
import { StationRefusal } from './error.ts';
import type { StationPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';

type TimePorts = Pick<StationPorts, 'clock' | 'journal' | 'identity' | 'newId' | 'timeService'>;

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
      const { source, policy } = timeService;
      this.#service = judgeTimeSource(source.name, await source.read(), policy);
    }
    this.#line = null;
    this.#line = await this.#recorder.sampleTime();
  }

  /** The clock as it may date evidence now. Throws LS-301. */
  requireSane(): ClockAssessment {
    const assessment = this.#assess();
    if (assessment.finding !== null) throw new StationRefusal('LS-301', assessment.finding);
    this.#earlier = { now: assessment.now, monotonicMs: assessment.evidence.monotonicMs };
    return assessment;
  }

  /** A time for a refusal: the clock's when it is sane, otherwise the line's, otherwise the last one that was. */
  bestInstant(): Instant {
    const assessment = this.#assess();
    if (assessment.finding === null) return assessment.now;
    const { lastEvidenceAt } = this.#ports.journal.floor;
    const { lineOffsetMs } = assessment;
    return Math.max(lastEvidenceAt, lineOffsetMs === null ? 0 : Math.round(assessment.now - lineOffsetMs));
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
