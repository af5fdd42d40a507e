// SPDX-License-Identifier: Apache-2.0
/** A time service of the machine that is always well, unless a test says otherwise. */
import type { TimeReading, TimeSource } from '@witnessmark/station';

const GOOD: TimeReading = {
  claimsSynchronised: true,
  stratum: 3,
  offsetMs: 0.4,
  rootDelayMs: 2,
  rootDispersionMs: 1,
  sources: ['ntp1.plant.example', 'ntp2.plant.example', 'ntp3.plant.example'].map((name, index) => ({
    name,
    state: index === 0 ? ('selected' as const) : ('combined' as const),
    stratum: 2,
    reach: 0xff,
    lastSampleAgeMs: 12_000,
    offsetMs: 0.4,
    samples: 8,
    authentication: 'nts' as const,
  })),
};

export class SimTimeSource implements TimeSource {
  readonly name = 'chrony';
  readonly #skewMs: () => number;

  /** `skewMs` is how far somebody has set the clock of the machine. */
  constructor(skewMs: () => number = () => 0) {
    this.#skewMs = skewMs;
  }

  read(): ReturnType<TimeSource['read']> {
    return Promise.resolve({ state: 'answered', reading: { ...GOOD, offsetMs: GOOD.offsetMs + this.#skewMs() } });
  }
}
