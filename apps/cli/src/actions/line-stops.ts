// SPDX-License-Identifier: Apache-2.0
import type { StationTally } from '@witnessmark/api';
import { describeReasonCode } from '@witnessmark/core';
import { findDispositionRule } from '@witnessmark/line';
import type { CommandInput, CommandResult } from '../command.ts';
import type { lineStopsOptions } from '../options/line.ts';
import { EXIT } from '../exit-codes.ts';
import { openLineClient } from '../line-client.ts';

export async function lineStops({ options, session }: CommandInput<typeof lineStopsOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const line = openLineClient(options, signal);
  const stops = (await line.openStops()).map((stop) => ({
    ...stop,
    actions: findDispositionRule(stop.code)?.actions ?? [],
  }));
  const stations = await line.stationTallies();
  for (const station of stations) for (const text of formatTally(station)) output.data(text);
  for (const { refusalId, code, station, deviceId, index, actions } of stops) {
    output.data(`${refusalId}  ${code} ${describeReasonCode(code).operatorText}`);
    output.data(`  at ${station}, device ${deviceId ?? 'not known'}, log entry ${index}`);
    output.data(`  decide: ${actions.join(', ')}`);
  }
  output.verdict(stops.length === 0 ? 'no line stop waits' : `${stops.length} line stops wait for a supervisor`);
  return { exit: stops.length === 0 ? EXIT.yes : EXIT.waiting, document: { stops, stations } };
}

/** For example `ST-07 slot 2 since …: 40 begun (3 again), 36 passed, 3 failed, 1 held; UF-03 3, HD-02 1`. */
function formatTally({ station, since, slots }: StationTally): readonly string[] {
  return slots.map(({ slot, begun, retests, passed, failed, held, aborted, refused, failures }) => {
    const where = slot === null ? station : `${station} slot ${slot}`;
    const counts = `${begun} begun (${retests} again), ${passed} passed, ${failed} failed, ${held} held, ${aborted} aborted, ${refused} refused`;
    const codes = failures.map(({ code, count }) => `${code} ${count}`).join(', ');
    return `${where} since ${since}: ${counts}${codes === '' ? '' : `; ${codes}`}`;
  });
}
