// SPDX-License-Identifier: Apache-2.0
/** Who is signed in on a line, and signing out whoever was left signed in at a station. */
import { buildStatement, sessionEnd } from '@witnessmark/attestation';
import { formatInstant, STATEMENT_PAYLOAD_TYPE } from '@witnessmark/core';
import { signEnvelope } from '@witnessmark/custody';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { stationSessionsOptions } from '../options/station.ts';
import { purposeOfStatement } from '../purpose.ts';
import { withSigner } from '../signer-reference.ts';
import { withStationLine } from '../station-line.ts';
import { openStationConfig } from './station.ts';

export async function stationSessions({
  options,
  session,
}: CommandInput<typeof stationSessionsOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const where = { line: options.line, signal };
  const sessions = await withStationLine(openStationConfig(options), where, (line) => line.openSessions());
  for (const { station, operator, credential, openedAt, lastUsedAt, units } of sessions) {
    output.data(
      `${station}  ${operator}  by ${credential}  since ${openedAt}, last used ${lastUsedAt}, ${units} units`,
    );
  }
  output.verdict(`${sessions.length} open sessions`);
  return { exit: EXIT.yes, document: { sessions: sessions.map((open) => ({ ...open })) } };
}

/** Signed by the station: whoever stands there may end a session there, which lets nobody do anything. */
export async function stationSignOut({
  options,
  session,
}: CommandInput<typeof stationSessionsOptions>): Promise<CommandResult> {
  const { clock, newId, output, signal } = session;
  const config = openStationConfig(options);
  const { station, line: lineId, stationKey } = config.values;
  const where = { line: options.line, signal };
  const open = await withStationLine(config, where, async (line) =>
    (await line.openSessions()).find((found) => found.station === station),
  );
  if (open === undefined) {
    output.verdict(`nobody is signed in at ${station}`);
    return { exit: EXIT.yes, document: { session: null } };
  }
  const sessionDigest = { sha256: open.digest };
  const key = { session, purpose: purposeOfStatement, pathOf: config.pathOf };
  const envelope = await withSigner(stationKey, key, (signer) => {
    const payload = buildStatement(
      sessionEnd,
      { name: 'session', digest: sessionDigest },
      {
        id: newId(),
        sessionId: open.id,
        sessionDigest,
        operator: { id: open.operator },
        station: { id: station, line: lineId },
        reason: 'signedOut',
        endedAt: formatInstant(clock.now()),
      },
    );
    return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  });
  const { index } = await withStationLine(config, where, (line) => line.submit(envelope));
  output.verdict(`${open.operator} is signed out at ${station}, log entry ${index}`);
  return { exit: EXIT.yes, document: { session: open.id, operator: open.operator, logIndex: index } };
}
