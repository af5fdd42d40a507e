// SPDX-License-Identifier: Apache-2.0
/** Progress of a flashrom write, from the milestones in its output. */
import type { FlashRange, ProgramProgress } from '../contract.ts';
import type { FlashromMilestone } from './output.ts';

/** Turns milestones into progress that never goes back, with repeats as a sign of life. */
export class WriteProgress {
  readonly #range: FlashRange;
  readonly #report: (progress: ProgramProgress) => void;
  #last: ProgramProgress;

  constructor(range: FlashRange, report: (progress: ProgramProgress) => void) {
    this.#range = range;
    this.#report = report;
    this.#last = { phase: 'prepare', doneBytes: 0, totalBytes: range.length };
    this.repeat();
  }

  advance(milestone: FlashromMilestone): void {
    const doneBytes = milestone.kind === 'read' ? 0 : milestone.address - this.#range.address;
    this.#move(Math.min(Math.max(doneBytes, 0), this.#range.length));
  }

  repeat(): void {
    this.#report(this.#last);
  }

  complete(): void {
    this.#move(this.#range.length);
  }

  #move(doneBytes: number): void {
    // The tool starts over when it tries another way of erasing.
    if (this.#last.phase === 'program' && doneBytes <= this.#last.doneBytes) return;
    this.#last = { phase: 'program', doneBytes, totalBytes: this.#range.length };
    this.repeat();
  }
}
