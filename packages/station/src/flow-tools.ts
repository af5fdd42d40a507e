// SPDX-License-Identifier: Apache-2.0
/** What the parts of a unit's flow share. */
import type { Job, ScannedLabel, SignedInSession, StationPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';
import type { RefusalDesk } from './refusal-desk.ts';
import type { TimeKeeper } from './time-keeper.ts';

export interface FlowTools {
  readonly ports: StationPorts;
  readonly recorder: Recorder;
  readonly refusals: RefusalDesk;
  readonly time: TimeKeeper;
}

export interface UnitOrder {
  readonly job: Job;
  readonly label: ScannedLabel;
  readonly session: SignedInSession | null;
}
