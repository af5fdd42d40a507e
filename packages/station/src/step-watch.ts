// SPDX-License-Identifier: Apache-2.0
/** Reports how the steps of a unit go on, with the seconds each has taken. */
import { RefusedError, type Clock, type ReasonCode } from '@witnessmark/core';
import type { ProgressListener } from './ports.ts';
import type { Phase } from './transitions.ts';

export interface StepReport {
  /** Replaces the step's name while it lasts, for steps with phases of their own. */
  readonly step?: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export class StepWatch {
  readonly #clock: Clock;
  readonly #transactionId: string;
  readonly #slot: number | null;
  readonly #listener: ProgressListener | undefined;
  readonly #startedMs: number;

  constructor(
    clock: Clock,
    unit: { readonly transactionId: string; readonly slot: number | null },
    listener: ProgressListener | undefined,
  ) {
    this.#clock = clock;
    this.#transactionId = unit.transactionId;
    this.#slot = unit.slot;
    this.#listener = listener;
    this.#startedMs = clock.monotonic();
  }

  /** Seconds since the unit began. */
  get seconds(): number {
    return (this.#clock.monotonic() - this.#startedMs) / 1000;
  }

  async run<T>(phase: Phase, step: string, work: (report: (going: StepReport) => void) => Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonic();
    const emit = (
      state: 'begun' | 'going' | 'done' | 'failed',
      details: { readonly code?: ReasonCode | null; readonly going?: StepReport } = {},
    ): void => {
      this.#listener?.({
        transactionId: this.#transactionId,
        slot: this.#slot,
        phase,
        step: details.going?.step ?? step,
        state,
        doneBytes: details.going?.doneBytes ?? null,
        totalBytes: details.going?.totalBytes ?? null,
        seconds: (this.#clock.monotonic() - startedMs) / 1000,
        code: details.code ?? null,
      });
    };
    emit('begun');
    try {
      const value = await work((going) => {
        emit('going', { going });
      });
      emit('done');
      return value;
    } catch (error) {
      emit('failed', { code: error instanceof RefusedError ? error.code : null });
      throw error;
    }
  }
}
