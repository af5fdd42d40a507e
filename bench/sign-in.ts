// SPDX-License-Identifier: Apache-2.0
/** The operator of a trial site, as the benches of the station sign them in. */
import { join } from 'node:path';
import { parseTrustedRoot } from '@witnessmark/attestation';
import type { Envelope } from '@witnessmark/core';
import { loadSoftwareKey } from '@witnessmark/custody';
import type { LoadedConfig, StationConfig } from '../apps/cli/src/config.ts';
import { DOCUMENT_BYTES, readFile } from '../apps/cli/src/files.ts';
import { signSession } from '../apps/cli/src/operator-session.ts';
import type { LineEnd } from '../apps/cli/src/roots/station.ts';
import { systemClock } from '../apps/cli/src/system.ts';

const SESSION_MS = 3_600_000;

/** `data` is the site's directory; `id` becomes the session's. */
export function signOperatorIn(
  data: string,
  { values, pathOf }: LoadedConfig<StationConfig>,
  line: LineEnd['line'],
  id: string,
): Promise<Envelope> {
  return signSession({
    credential: loadSoftwareKey(join(data, 'keys', 'operator-olga.pem')),
    trustedRoot: parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES)),
    station: { id: values.station, line: values.line },
    line,
    id,
    clock: systemClock,
    durationMs: SESSION_MS,
  });
}
