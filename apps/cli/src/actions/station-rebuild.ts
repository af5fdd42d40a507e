// SPDX-License-Identifier: Apache-2.0
import { formatInstant } from '@witnessmark/core';
import { describeDrift, listDrift, rebuildStation } from '@witnessmark/build-record';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { stationRebuildOptions } from '../options/station-build.ts';
import { softwareDigest } from '../software-digest.ts';
import { readApprovedBuild } from '../station-build.ts';
import { readTrustedRoot } from '../station-place.ts';

export function stationRebuild({
  options,
  session,
}: CommandInput<typeof stationRebuildOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const startedAt = clock.now();
  const startedMs = clock.monotonic();
  const { from, root } = options;
  const approved = readApprovedBuild(from, { trustedRoot: readTrustedRoot(options), now: startedAt });
  if (approved === null) {
    output.verdict(`${from} holds no approved build`);
    return Promise.resolve({ exit: EXIT.unknown, document: { root, build: null } });
  }
  const { build, kit, digest } = approved;
  const rebuild = rebuildStation({ kit, root, agentDigest: softwareDigest(), tolerated: build.tolerated });
  const seconds = (clock.monotonic() - startedMs) / 1000;
  const { drift, passwordsToSet, files, bytes } = rebuild;
  output.data(`Built ${root} from build version ${build.version}: ${files} files, ${bytes} bytes`);
  for (const { section, change, line } of listDrift(drift)) output.data(`  ${section} ${change}: ${line}`);
  for (const name of passwordsToSet) output.data(`  by hand    set the password of ${name}; the account is locked`);
  output.data('  by hand    enrol the station again: no key is in a kit');
  output.verdict(
    drift.length === 0
      ? `it is what was approved, in ${seconds.toFixed(1)} s`
      : `it is not what was approved: ${describeDrift(drift)}`,
  );
  return Promise.resolve({
    exit: drift.length === 0 ? EXIT.yes : EXIT.no,
    document: {
      root,
      build: { version: build.version, digest },
      startedAt: formatInstant(startedAt),
      seconds,
      files,
      bytes,
      drift: listDrift(drift),
      passwordsToSet,
    },
  });
}
