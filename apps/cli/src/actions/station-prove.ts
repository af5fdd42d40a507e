// SPDX-License-Identifier: Apache-2.0
/** A station's answer to somebody who wants to know what it is made of now, and the check of such an answer. */
import type { CommandInput, CommandResult } from '../command.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readInput, writeFile } from '../files.ts';
import { requireMeasurement } from '../measurement.ts';
import type { stationProveOptions, stationVerifyProofOptions } from '../options/station-build.ts';
import { openProver } from '../roots/station.ts';
import { promptForPin } from '../signer-reference.ts';
import { readApprovedBuild } from '../station-build.ts';
import { openStationConfig, readTrustedRoot } from '../station-place.ts';
import { formatProof, parseProof, toCode, verifyProof } from '../station-proof.ts';

const MINUTE_MS = 60_000;
const DEFAULT_MAX_AGE_MINUTES = 15;
const NONCE = /^[A-Za-z0-9._-]{8,64}$/;

export async function stationProve({
  options,
  session,
}: CommandInput<typeof stationProveOptions>): Promise<CommandResult> {
  const { output, clock, newId } = session;
  const { nonce, out } = options;
  if (!NONCE.test(nonce)) throw usageError('--nonce takes 8 to 64 letters, digits, dots, dashes and underlines');
  const config = openStationConfig(options);
  const { values, pathOf } = config;
  const people = {
    trustedRoot: readTrustedRoot({ trust: pathOf(values.trustedRoot), data: undefined }),
    now: clock.now(),
  };
  const approved = readApprovedBuild(pathOf(requireMeasurement(config).record), people);
  if (approved === null) throw usageError('there is no approved build that the station could be compared with');
  const prover = await openProver(config, { clock, newId, askPin: promptForPin(session), lineUrl: options.line });
  try {
    const entry = await prover.prove(nonce);
    const file = formatProof({ entry, record: approved.envelope });
    writeFile(out, file);
    const question = { ...people, nonce, station: values.station, now: clock.now(), maxAgeMs: MINUTE_MS };
    const { digest } = verifyProof(parseProof(file), question);
    output.data(`Proof     ${out}, log entry ${entry.index}`);
    output.verdict(`read out: ${toCode(digest)}`);
    return { exit: EXIT.yes, document: { file: out, logIndex: entry.index, digest, code: toCode(digest) } };
  } finally {
    prover.close();
  }
}

export async function stationVerifyProof({
  args,
  options,
  session,
}: CommandInput<typeof stationVerifyProofOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const proof = parseProof(await readInput(session, args[0] as string, DOCUMENT_BYTES));
  const { start, record, digest, logIndex } = verifyProof(proof, {
    trustedRoot: readTrustedRoot(options),
    nonce: options.nonce,
    station: options.station ?? null,
    now: clock.now(),
    maxAgeMs: (options.maxAgeMinutes ?? DEFAULT_MAX_AGE_MINUTES) * MINUTE_MS,
  });
  const { station, measuredAt, fingerprint, quote, sequence } = start;
  const { version, approvedBy, proposedBy } = record.build;
  output.data(`Station   ${station.id} of ${station.line}, ${station.plant}`);
  output.data(`Measured  ${measuredAt}, start ${sequence}, log entry ${logIndex}`);
  output.data(`Build     version ${version}, by ${proposedBy.id}, approved by ${approvedBy.id}`);
  output.data(
    `Machine   ${fingerprint.sha256.slice(0, 16)}…${quote === null ? ', no TPM quote' : ', quoted by its TPM'}`,
  );
  output.verdict(`it holds; the station reads out ${toCode(digest)}`);
  return { exit: EXIT.yes, document: { start, buildVersion: version, logIndex, digest, code: toCode(digest) } };
}
