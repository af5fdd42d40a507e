// SPDX-License-Identifier: Apache-2.0
/** The statement about a ceremony (spec/ceremony-transcript.md): what script and journal give, nothing added, nothing left out. */
import { buildStatement, ceremony, type Ceremony as Transcript, type Subjects } from '@witnessmark/attestation';
import {
  decodeBase64,
  formatInstant,
  MAX_ENVELOPE_BYTES,
  sha256Hex,
  type Bytes,
  type Instant,
} from '@witnessmark/core';
import type { CeremonyKey } from './act.ts';
import type { CeremonyState, StepState } from './state.ts';

/** Three quarters of an envelope are payload; the rest is for up to eight signatures. */
export const MAX_TRANSCRIPT_BYTES: number = Math.floor(((MAX_ENVELOPE_BYTES - 2_048) * 3) / 4);

/** Before the journal is closed its digest is not known; it has this length. */
const NO_DIGEST = '0'.repeat(64);

/** The payload to sign. `journalDigest` is the value of the journal's chain. */
export function buildTranscript(state: CeremonyState, journalDigest: string): Bytes {
  return buildStatement(ceremony, toSubjects(state), toPredicate(state, journalDigest));
}

/** How many bytes the transcript would have if the ceremony ended now. */
export function transcriptSize(state: CeremonyState): number {
  return buildTranscript(state, NO_DIGEST).length;
}

/** Keys made or changed, each once; without any, the script. */
function toSubjects(state: CeremonyState): Subjects {
  const digests = new Map<string, string>();
  for (const { name, spki } of keysOf(state)) if (spki !== null) digests.set(keyidOf(spki), name);
  const [first, ...rest] = [...digests].map(([sha256, name]) => ({ name, digest: { sha256 } }));
  if (first !== undefined) return [first, ...rest];
  const { script, sha256 } = state.reviewed;
  return [{ name: script.name, digest: { sha256 } }];
}

function toPredicate(state: CeremonyState, journalDigest: string): Transcript {
  const { reviewed, settings } = state;
  const { script } = reviewed;
  return {
    ceremonyId: settings.ceremonyId,
    type: script.type,
    purpose: script.purpose,
    outcome: state.outcome ?? 'aborted',
    script: { name: script.name, version: script.version, digest: { sha256: reviewed.sha256 } },
    environment: { ...settings.environment, breakGlass: null },
    location: settings.location,
    tool: { version: settings.tool.version, digest: { sha256: settings.tool.sha256 } },
    people: settings.people.map(({ id, role, publicKey }) => ({
      id,
      role,
      keyid: publicKey === null ? null : keyidOf(publicKey),
    })),
    quorum: script.quorum,
    equipment: settings.equipment.map((binding) => ({ ...binding })),
    inputs: settings.inputs.map((binding) => ({ ...binding })),
    startedAt: formatInstant(state.startedAt),
    finishedAt: formatInstant(state.lastAt),
    steps: state.steps.filter(({ attempts }) => attempts > 0).map(toStep),
    keys: state.steps.flatMap(({ step, result }) => (result?.keys ?? []).map((key) => toKey(step.id, key))),
    exceptions: state.exceptions.map(({ step, at, text, by }) => ({ step, at: formatInstant(at), text, by })),
    breaks: state.breaks.map(({ from, until, kind, reason }) => ({
      from: formatInstant(from),
      until: formatInstant(until),
      kind,
      reason,
    })),
    open: state.steps.filter(({ phase }) => phase !== 'witnessed').map(({ step }) => step.id),
    journal: { records: state.records, digest: { sha256: journalDigest } },
  };
}

function toStep(own: StepState): Transcript['steps'][number] {
  return {
    id: own.step.id,
    intendedAt: formatInstant(own.intendedAt ?? 0),
    attempts: own.attempts,
    origin: own.origin,
    performedAt: toText(own.performedAt),
    witnessedAt: toText(own.witnessedAt),
    resultDigest: own.resultDigest === null ? null : { sha256: own.resultDigest },
    facts: (own.result?.facts ?? []).map((fact) => ({ ...fact })),
    digests: (own.result?.digests ?? []).map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
  };
}

function toKey(step: string, key: CeremonyKey): Transcript['keys'][number] {
  return {
    step,
    name: key.name,
    change: key.change,
    keyid: key.spki === null ? null : keyidOf(key.spki),
    checkValue: key.checkValue,
    holder: key.holder,
    token: key.token === null ? null : { ...key.token },
    attributes: Object.entries(key.attributes).map(([name, value]) => ({ name, value: String(value) })),
    grade: key.grade,
    certificateDigests: key.certificates.map((certificate) => ({ sha256: sha256Hex(decodeBase64(certificate)) })),
  };
}

function keysOf(state: CeremonyState): readonly CeremonyKey[] {
  return state.steps.flatMap(({ result }) => result?.keys ?? []);
}

function keyidOf(spki: string): string {
  return sha256Hex(decodeBase64(spki));
}

function toText(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at);
}
