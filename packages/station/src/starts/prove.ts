// SPDX-License-Identifier: Apache-2.0
/** A proof for somebody who asks: the station, measured now, under the asker's own nonce, in the log. */
import type { LoggedEntry } from '@witnessmark/api';
import type { StationPorts } from '../ports.ts';
import { Recorder } from '../recorder.ts';
import { TimeKeeper } from '../time-keeper.ts';
import type { MeasuredGate } from './measured-gate.ts';

/** Throws what the gate throws, LS-301 for a clock that may not date it, and an `ApiError` when the line is away. */
export async function proveStation(
  ports: Omit<StationPorts, 'driver' | 'releases'>,
  gate: MeasuredGate,
  nonce: string,
): Promise<LoggedEntry> {
  const time = new TimeKeeper(ports, new Recorder(ports));
  await time.synchronise();
  return gate.prove(nonce, time.requireSane());
}
