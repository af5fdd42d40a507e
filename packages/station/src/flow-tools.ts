// SPDX-License-Identifier: Apache-2.0
/** What the parts of a unit's flow share. */
import type { PanelPlace } from '@witnessmark/attestation';
import type { OfflineDesk } from './offline/offline-desk.ts';
import type { Job, ScannedLabel, SignedInSession, StationPorts } from './ports.ts';
import type { Recorder } from './recorder.ts';
import type { RefusalDesk } from './refusal-desk.ts';
import type { TimeKeeper } from './time-keeper.ts';

export interface FlowTools {
  readonly ports: StationPorts;
  readonly recorder: Recorder;
  readonly refusals: RefusalDesk;
  readonly time: TimeKeeper;
  /** Null at a station that works only while the line answers. */
  readonly offline: OfflineDesk | null;
}

export interface UnitOrder {
  readonly job: Job;
  readonly label: ScannedLabel;
  readonly session: SignedInSession | null;
  readonly panel?: PanelPlace;
  readonly retestReason?: string;
}
