// SPDX-License-Identifier: Apache-2.0
/** Build records of stations (spec/station-build.md): written by one person, approved by another, read by the station. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  BUILD_APPROVAL_ROLES,
  BUILD_PROPOSAL_ROLES,
  buildStatement,
  isValidAt,
  parseStatement,
  stationBuild,
  toTrustedKeys,
  type StationBuild,
  type TrustedKey,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { openKit, type Kit } from '@witnessmark/build-record';
import {
  isSignedBy,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  preAuthEncoding,
  RefusedError,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { countersign, signEnvelope, type Signer } from '@witnessmark/custody';
import { CliError } from './error.ts';
import { readFile } from './files.ts';

export const RECORD_FILE = 'record.dsse.json';

export interface BuildRecord {
  readonly envelope: Envelope;
  readonly build: StationBuild;
  /** SHA-256 of the payload. */
  readonly digest: string;
}

export interface ApprovedBuild extends BuildRecord {
  readonly kit: Kit;
}

export interface People {
  readonly trustedRoot: TrustedRoot;
  readonly now: Instant;
}

export interface BuildProposal extends People {
  readonly signer: Signer;
  /** The person who is to approve it. */
  readonly approver: string;
  readonly build: Omit<StationBuild, 'proposedBy' | 'approvedBy'>;
}

/** Signed by the first person, for the second to sign. Throws LS-410 for people who may not. */
export async function signProposal({ signer, approver, build, trustedRoot, now }: BuildProposal): Promise<Envelope> {
  const proposedBy = personOf(signer, { trustedRoot, now });
  const approvedBy = toTrustedKeys(trustedRoot).find(
    (key) => key.owner === approver && BUILD_APPROVAL_ROLES.includes(key.role) && isValidAt(key, now),
  );
  if (approvedBy === undefined) throw refused(`${approver} is no approver of ${trustedRoot.name}`);
  const record: StationBuild = {
    ...build,
    proposedBy,
    approvedBy: { id: approvedBy.owner, role: approvedBy.role },
  };
  checkPeople(record, { trustedRoot, now });
  const subject = { name: 'build', digest: record.manifest.digest };
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, buildStatement(stationBuild, subject, record), [signer]);
}

/** Adds the second signature. Throws LS-410 when it is asked of somebody else. */
export async function signApproval(
  { envelope, build }: BuildRecord,
  { signer, ...people }: People & { readonly signer: Signer },
): Promise<Envelope> {
  const { id } = personOf(signer, people);
  if (id !== build.approvedBy.id) throw refused(`the record is for ${build.approvedBy.id} to approve, not for ${id}`);
  return countersign(envelope, signer);
}

/**
 * The record in a directory, with `wanted` signatures of the people it names. Throws LS-410 for anything else, and null
 * when there is none.
 */
export function readRecord(directory: string, wanted: 1 | 2, people: People): BuildRecord | null {
  const file = join(directory, RECORD_FILE);
  return existsSync(file) ? vetRecord(parseEnvelope(readFile(file, MAX_ENVELOPE_BYTES)), wanted, people) : null;
}

/** As {@link readRecord} for both people; null also for one that waits for its approval. */
export function findApprovedRecord(directory: string, people: People): BuildRecord | null {
  const file = join(directory, RECORD_FILE);
  if (!existsSync(file)) return null;
  const envelope = parseEnvelope(readFile(file, MAX_ENVELOPE_BYTES));
  return envelope.signatures.length < 2 ? null : vetRecord(envelope, 2, people);
}

/** Throws LS-410 unless people who may, and are named, have signed it. */
export function vetRecord(envelope: Envelope, wanted: 1 | 2, people: People): BuildRecord {
  const { payloadType, payload, signatures } = envelope;
  const build = parseStatement(stationBuild, payload).predicate;
  checkPeople(build, people);
  const message = preAuthEncoding(payloadType, payload);
  const named = [build.proposedBy, build.approvedBy].slice(0, wanted);
  const isSigned = named.every((person) =>
    keysOf(person, people).some(({ key }) => signatures.some(({ sig }) => isSignedBy(key, message, sig))),
  );
  if (!isSigned || payloadType !== STATEMENT_PAYLOAD_TYPE) {
    throw refused(`the build record is not signed by ${named.map(({ id }) => id).join(' and ')}`);
  }
  return { envelope, build, digest: sha256Hex(payload) };
}

/** The record and the kit it names; null without a record. Throws LS-410, or LS-411 for a kit that is not its own. */
export function readApprovedBuild(directory: string, people: People): ApprovedBuild | null {
  const record = readRecord(directory, 2, people);
  return record === null ? null : { ...record, kit: kitOf(directory, record) };
}

export function kitOf(directory: string, { build }: BuildRecord): Kit {
  return openKit(directory, {
    kitDigest: build.kit.digest.sha256,
    manifestDigest: build.manifest.digest.sha256,
  });
}

export function formatBuild({ build, digest }: BuildRecord): string[] {
  const { place, stations, version, manifest, kit, tolerated, reason, ticket, proposedBy, approvedBy } = build;
  return [
    `  build      version ${version} for ${stations.join(', ')} of ${place.line}, ${place.plant}`,
    `  made of    ${manifest.lines} lines, sha256:${manifest.digest.sha256}`,
    `  kit        ${kit.files} files, ${kit.bytes} bytes, sha256:${kit.digest.sha256}`,
    ...tolerated.map((pattern) => `  may differ ${pattern}`),
    `  because    ${reason} (${ticket})`,
    `  by         ${proposedBy.id} (${proposedBy.role}), for ${approvedBy.id} (${approvedBy.role}) to approve`,
    `  digest     ${digest}`,
  ];
}

/** As a line judges them: two people who may, and neither of them operates. Throws LS-410. */
function checkPeople({ proposedBy, approvedBy, place }: StationBuild, people: People): void {
  if (proposedBy.id === approvedBy.id) throw refused(`${proposedBy.id} cannot approve an own proposal`);
  for (const [person, roles] of [
    [proposedBy, BUILD_PROPOSAL_ROLES],
    [approvedBy, BUILD_APPROVAL_ROLES],
  ] as const) {
    const isEntitled = keysOf(person, people).some(
      ({ role, scope }) => roles.includes(role) && (role !== 'supervisor' || scope === place.line),
    );
    if (!isEntitled) throw refused(`${person.id} (${person.role}) may not; it takes ${roles.join(' or ')}`);
    const operates = toTrustedKeys(people.trustedRoot).some(
      ({ owner, role }) => owner === person.id && role === 'operator',
    );
    if (operates) throw refused(`${person.id} operates stations as well`);
  }
}

function keysOf(person: StationBuild['proposedBy'], { trustedRoot, now }: People): readonly TrustedKey[] {
  return toTrustedKeys(trustedRoot).filter(
    (key) => key.owner === person.id && key.role === person.role && isValidAt(key, now),
  );
}

function personOf(signer: Signer, { trustedRoot, now }: People): StationBuild['proposedBy'] {
  const { keyid } = signer.publicKey;
  const found = toTrustedKeys(trustedRoot).find(({ key }) => key.keyid === keyid);
  if (found === undefined || !isValidAt(found, now)) {
    throw new CliError('ERR_CLI_CONFIG', `--key is not the key of anybody in ${trustedRoot.name}, or not now`);
  }
  return { id: found.owner, role: found.role };
}

function refused(detail: string): RefusedError {
  return new RefusedError('LS-410', detail);
}
