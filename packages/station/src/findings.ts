// SPDX-License-Identifier: Apache-2.0
/** Collects what is done to a unit and seen on it, until an event can say it. */
import type { Instant, ReasonCode } from '@witnessmark/core';
import type { ProvisioningEvent } from '@witnessmark/attestation';
import type { LockState, Retry } from '@witnessmark/device';
import type { Measurement, UnitFindings } from './event-statement.ts';

type CheckResult = ProvisioningEvent['checks'][number]['result'];

const MAX_REASON_LENGTH = 1000;

export class Findings {
  readonly #measurements = new Map<string, Measurement>();
  readonly #checks: { name: string; result: CheckResult }[] = [];
  #boot: UnitFindings['boot'] = null;
  #protection: LockState | null = null;
  #programmedAt: Instant | null = null;
  #measuredAt: Instant | null = null;
  readonly #retries: readonly Retry[];

  /** `retries` is looked at when the findings are closed. */
  constructor(retries: readonly Retry[] = []) {
    this.#retries = retries;
  }

  check(name: string, result: CheckResult): void {
    this.#checks.push({ name, result });
  }

  programmed(at: Instant): void {
    this.#programmedAt = at;
  }

  measured(component: string, measurement: Measurement, at: Instant): void {
    this.#measurements.set(component, measurement);
    this.#measuredAt = at;
  }

  booted(boot: NonNullable<UnitFindings['boot']>): void {
    this.#boot = boot;
  }

  protection(state: LockState): void {
    this.#protection = state;
  }

  succeeded(reason: string | null): UnitFindings {
    return this.#close({ type: 'provision', outcome: 'SUCCEEDED', code: null, reason });
  }

  /** The unit is bad, and what is bad about it is known. */
  failed(code: ReasonCode, reason: string): UnitFindings {
    return this.#close({ type: 'provision', outcome: 'FAILED', code, reason });
  }

  /** Nobody knows what the unit holds; it waits for a supervisor. */
  held(code: ReasonCode, reason: string): UnitFindings {
    return this.#close({ type: 'hold', outcome: 'INDETERMINATE', code, reason });
  }

  /** Nothing was done to the unit. */
  aborted(code: ReasonCode, reason: string): UnitFindings {
    return this.#close({ type: 'provision', outcome: 'ABORTED', code, reason });
  }

  #close(outcome: Pick<UnitFindings, 'type' | 'outcome' | 'code' | 'reason'>): UnitFindings {
    return {
      ...outcome,
      reason: outcome.reason?.slice(0, MAX_REASON_LENGTH) ?? null,
      measurements: this.#measurements,
      boot: this.#boot,
      protection: this.#protection,
      programmedAt: this.#programmedAt,
      measuredAt: this.#measuredAt,
      checks: [...this.#checks, ...this.#describeRetries()],
    };
  }

  /** Starts of a tool that never reached the device belong to the record: one line for each operation. */
  #describeRetries(): { name: string; result: CheckResult }[] {
    const starts = Map.groupBy(this.#retries, ({ operation }) => operation);
    return [...starts].map(([operation, { length }]) => ({
      name: `${operation}: ${length} start${length === 1 ? '' : 's'} of the tool without an answer`,
      result: 'NOT_RUN',
    }));
  }
}
