// SPDX-License-Identifier: Apache-2.0
import { describeReasonCode } from '@witnessmark/core';
import { findDispositionRule } from '@witnessmark/line';
import type { CommandInput, CommandResult } from '../command.ts';
import type { lineStopsOptions } from '../options/line.ts';
import { EXIT } from '../exit-codes.ts';
import { openLineClient } from '../line-client.ts';

export async function lineStops({ options, session }: CommandInput<typeof lineStopsOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const stops = (await openLineClient(options, signal).openStops()).map((stop) => ({
    ...stop,
    actions: findDispositionRule(stop.code)?.actions ?? [],
  }));
  for (const { refusalId, code, station, deviceId, index, actions } of stops) {
    output.data(`${refusalId}  ${code} ${describeReasonCode(code).operatorText}`);
    output.data(`  at ${station}, device ${deviceId ?? 'not known'}, log entry ${index}`);
    output.data(`  decide: ${actions.join(', ')}`);
  }
  output.verdict(stops.length === 0 ? 'no line stop waits' : `${stops.length} line stops wait for a supervisor`);
  return { exit: stops.length === 0 ? EXIT.yes : EXIT.waiting, document: { stops } };
}
