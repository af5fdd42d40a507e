// SPDX-License-Identifier: Apache-2.0
/** Proposing and approving what a station is made of. */
import { join } from 'node:path';
import { parseTrustedRoot } from '@witnessmark/attestation';
import {
  formatUnifiedDiff,
  makeKit,
  manifestDigest,
  openMachine,
  toManifest,
  withoutTolerated,
  type BuildManifest,
} from '@witnessmark/build-record';
import { formatEnvelope, formatInstant } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import { loadConfig, stationConfigSchema } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { findSecret } from '../kit-secrets.ts';
import { openLineClient } from '../line-client.ts';
import { countLines, measureNow, planOf, requireMeasurement } from '../measurement.ts';
import { typedPartOf } from '../office-work.ts';
import type { stationBuildApproveOptions, stationBuildProposeOptions } from '../options/station-build.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import {
  findApprovedRecord,
  formatBuild,
  kitOf,
  readRecord,
  RECORD_FILE,
  signApproval,
  signProposal,
  type BuildRecord,
  type People,
} from '../station-build.ts';
import { openStationConfig, readTrustedRoot } from '../station-place.ts';

export async function stationBuildPropose({
  options,
  session,
}: CommandInput<typeof stationBuildProposeOptions>): Promise<CommandResult> {
  const { output, clock, newId } = session;
  const config = openStationConfig(options);
  const { values, pathOf } = config;
  const measurement = requireMeasurement(config);
  const now = clock.now();
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const inUse = findApprovedRecord(pathOf(measurement.record), { trustedRoot, now })?.build ?? null;
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
  const tolerated = options.tolerate.length > 0 ? [...options.tolerate] : (inUse?.tolerated ?? []);
  const root = pathOf(measurement.root);
  const plan = planOf(measurement);
  const manifest = withoutTolerated(measureNow(root, plan), tolerated);
  const record = await withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
    const machine = openMachine(root);
    const kit = await makeKit({ machine, manifest, plan, directory: options.out, findSecret });
    return signProposal({
      signer,
      approver: options.approver,
      trustedRoot,
      now,
      build: {
        id: newId(),
        place: { plant: values.plant, line: values.line },
        stations: [...new Set([values.station, ...options.station])],
        version: options.buildVersion ?? (inUse?.version ?? 0) + 1,
        manifest: { digest: { sha256: manifestDigest(manifest) }, lines: countLines(manifest) },
        tolerated,
        kit: { digest: { sha256: kit.digest }, files: kit.files, bytes: kit.bytes },
        reason,
        ticket,
        proposedAt: formatInstant(now),
      },
    });
  });
  writeFile(join(options.out, RECORD_FILE), formatEnvelope(record));
  const proposed = requireProposal(options.out, { trustedRoot, now });
  for (const line of formatBuild(proposed)) output.data(line);
  output.verdict(
    `nothing is approved yet: ${options.approver} signs with "witnessmark station-build approve ${options.out}"`,
  );
  return { exit: EXIT.yes, document: { directory: options.out, digest: proposed.digest, build: proposed.build } };
}

export async function stationBuildApprove({
  args,
  options,
  session,
}: CommandInput<typeof stationBuildApproveOptions>): Promise<CommandResult> {
  const { output, clock, signal } = session;
  const directory = args[0] as string;
  const people = { trustedRoot: readTrustedRoot(options), now: clock.now() };
  const proposed = requireProposal(directory, people);
  const kit = kitOf(directory, proposed);
  for (const line of formatBuild(proposed)) output.note(line);
  const before = findBefore(options, people);
  output.block(formatUnifiedDiff(before, kit.manifest).trimEnd());
  const typed = await answerOf(session, options.confirm, {
    flag: '--confirm',
    text: 'Type the first four characters of the digest to approve this build:',
  });
  if (typed !== typedPartOf(proposed.digest)) {
    throw usageError('--confirm is not the beginning of the digest; nothing was approved');
  }
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signApproval(proposed, { ...people, signer }),
  );
  const { index } = await openLineClient(options, signal).submit(envelope);
  writeFile(join(directory, RECORD_FILE), formatEnvelope(envelope));
  const { version, stations } = proposed.build;
  output.verdict(
    `build ${version} is approved for ${stations.join(', ')}, log entry ${index}; bring it to the station`,
  );
  return { exit: EXIT.yes, document: { digest: proposed.digest, logIndex: index, build: proposed.build } };
}

function requireProposal(directory: string, people: People): BuildRecord {
  const record = readRecord(directory, 1, people);
  if (record === null) throw new CliError('ERR_CLI_INPUT', `${directory} holds no ${RECORD_FILE}`);
  return record;
}

/** Nothing when there is no record before: every line is new then. */
function findBefore(
  options: { readonly against: string | undefined; readonly data: string | undefined },
  people: People,
): BuildManifest {
  const directory = options.against ?? directoryInUse(options.data);
  const record = directory === null ? null : findApprovedRecord(directory, people);
  return record === null || directory === null ? toManifest(new Map()) : kitOf(directory, record).manifest;
}

function directoryInUse(data: string | undefined): string | null {
  if (data === undefined) return null;
  const { values, pathOf } = loadConfig(DataDirectory.open(data).stationConfig, stationConfigSchema);
  return values.measurement === undefined ? null : pathOf(values.measurement.record);
}
