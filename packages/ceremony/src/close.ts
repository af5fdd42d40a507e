// SPDX-License-Identifier: Apache-2.0
/**
 * The end of a ceremony: closed in the journal, signed by administrator and witness, on the disk, in the log – in this
 * order, each durable before the next. Repeated after a crash it finishes what is missing.
 */
import {
  decodeBase64,
  equalBytes,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import { durably, installFile, type CeremonyFiles } from './ceremony-files.ts';
import { formatTranscriptFile, MAX_TRANSCRIPT_FILE_BYTES, parseTranscriptFile } from './transcript-file.ts';
import type { Ceremony } from './ceremony.ts';
import type { CeremonyState } from './state.ts';
import type { TranscriptFile } from './transcript-file.ts';

export interface CloseOptions {
  readonly ceremony: Ceremony;
  /** The directory the transcript goes to; its name is `<ceremony id>.transcript.json`. */
  readonly files: CeremonyFiles;
  /** The keys administrator and witness named at the opening; others who named one may sign as well. */
  readonly signers: readonly Signer[];
  /** Logs the envelope and returns its tlog-proof; null where there is no log to reach. */
  readonly log: ((envelope: Envelope) => Promise<string>) | null;
}

/**
 * Throws CE-127 while steps are open, CE-126 for a key nobody named, CE-122 when the administrator's or the witness's is
 * missing, CE-108 when the disk fails; the log's own errors pass through, and the signed file is there.
 */
export async function closeCeremony({ ceremony, files, signers, log }: CloseOptions): Promise<TranscriptFile> {
  checkSigners(ceremony.state, signers);
  if (ceremony.state.phase !== 'closed') await ceremony.record({ kind: 'closed' });
  const path = transcriptName(ceremony.state.settings.ceremonyId);
  const payload = ceremony.transcript();
  let file = await readTranscript(files, path);
  if (file === null || !equalBytes(file.envelope.payload, payload)) {
    file = {
      envelope: await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, signers),
      script: ceremony.state.reviewed.bytes,
      journal: await ceremony.readJournal(),
      logProof: null,
    };
    await write(files, path, file);
  }
  if (file.logProof !== null || log === null) return file;
  file = { ...file, logProof: await log(file.envelope) };
  await write(files, path, file);
  return file;
}

export function transcriptName(ceremonyId: string): string {
  return `${ceremonyId}.transcript.json`;
}

/** Whether these keys are the ones shown at the opening, and the two that must sign are among them. */
function checkSigners({ settings }: CeremonyState, signers: readonly Signer[]): void {
  const named = new Map(
    settings.people.flatMap(({ id, role, publicKey }) =>
      publicKey === null ? [] : [[sha256Hex(decodeBase64(publicKey)), { id, role }] as const],
    ),
  );
  const present = new Set<string>();
  for (const { publicKey } of signers) {
    const person = named.get(publicKey.keyid);
    if (person === undefined) throw new RefusedError('CE-126', `nobody named key ${publicKey.keyid} at the opening`);
    present.add(person.role);
  }
  for (const role of ['administrator', 'witness']) {
    if (!present.has(role)) throw new RefusedError('CE-122', `the key of the ${role} is missing`);
  }
}

async function readTranscript(files: CeremonyFiles, path: string): Promise<TranscriptFile | null> {
  const bytes = await durably('reading the transcript', () => files.read(path, MAX_TRANSCRIPT_FILE_BYTES));
  return bytes === null ? null : parseTranscriptFile(bytes);
}

async function write(files: CeremonyFiles, path: string, file: TranscriptFile): Promise<void> {
  await durably('writing the transcript', () => installFile(files, path, formatTranscriptFile(file)));
}
