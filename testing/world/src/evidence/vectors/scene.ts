// SPDX-License-Identifier: Apache-2.0
/** What a vector is, and the short ways to say what is wrong in one. */
import { decodeBase64, encodeBase64, encodeUtf8, type Bytes, type Envelope, type ReasonCode } from '@witnessmark/core';
import type { OperatorSession, ProvisioningEvent, ProvisioningIntent } from '@witnessmark/attestation';
import { formatUnitEvidence, type LoggedEnvelope, type UnitEvidence } from '@witnessmark/bundle';
import { testDevice, type TestDevice } from '../drafts.ts';
import {
  EvidenceWorld,
  type Making,
  type PassPlan,
  type ReleasePlan,
  type TestRelease,
  type TestSession,
  type TestUnit,
} from '../world.ts';
import type { ProofOptions } from '../test-log.ts';

export interface VectorCase {
  readonly name: string;
  /** One sentence: why it must pass or fail. */
  readonly why: string;
  readonly verdict: 'VERIFIED' | 'FAILED' | 'NOT VERIFIED';
  readonly code: ReasonCode | null;
  /** Files of `_trust`. */
  readonly policy?: 'production-policy.json' | 'trial-policy.json' | 'witnessed-policy.json' | 'strict-policy.json';
  readonly trustedRoot?: 'trusted-root.json' | 'trusted-root-one-key-twice.json';
  /** Instead of the name that belongs to the serial. */
  readonly fileName?: string;
  readonly make: () => Promise<Made> | Made;
}

/** Evidence, and the serial whose name the file bears. */
export interface Made {
  readonly serial: string;
  readonly bytes: Bytes;
}

export interface Stage {
  readonly world: EvidenceWorld;
  readonly unit: TestUnit;
  readonly session: TestSession;
  readonly release: TestRelease;
}

export interface ScenePlan {
  readonly device?: TestDevice;
  readonly release?: ReleasePlan;
  readonly session?: Making<OperatorSession>;
  readonly intent?: Making<ProvisioningIntent>;
  readonly event?: Making<ProvisioningEvent>;
  readonly pass?: Omit<PassPlan, 'session' | 'release' | 'intent' | 'event'>;
  /** Before the first pass, and after it. */
  readonly before?: (stage: Stage) => Promise<void>;
  readonly after?: (stage: Stage) => Promise<void>;
  readonly proof?: ProofOptions;
}

export const DEVICE: TestDevice = testDevice('one');
export const OTHER_DEVICE: TestDevice = testDevice('two');

/** Entries of others in the log before the scene begins. */
const EARLIER_ENTRIES = 37;

/** One session, one release, one unit, one pass. */
export async function play(plan: ScenePlan = {}): Promise<Stage & { readonly evidence: UnitEvidence }> {
  const world = new EvidenceWorld();
  world.log.fill(EARLIER_ENTRIES);
  const release = await world.release(plan.release);
  const session = await world.openSession(plan.session);
  const unit = world.unit(plan.device ?? DEVICE);
  unit.entries.push(session);
  const stage = { world, unit, session, release };
  await plan.before?.(stage);
  const { intent, event } = plan;
  await world.pass(unit, {
    session,
    release,
    ...plan.pass,
    ...(intent === undefined ? {} : { intent }),
    ...(event === undefined ? {} : { event }),
  });
  await plan.after?.(stage);
  return { ...stage, evidence: await world.evidence(unit, plan.proof) };
}

export function toMade(evidence: UnitEvidence): Made {
  return { serial: evidence.serial, bytes: formatUnitEvidence(evidence) };
}

/** A scene in which something was done wrong by whoever signed it. */
export async function scene(plan: ScenePlan): Promise<Made> {
  return toMade((await play(plan)).evidence);
}

/** An honest scene whose file was changed afterwards. */
export async function tampered(change: (evidence: UnitEvidence) => UnitEvidence, plan: ScenePlan = {}): Promise<Made> {
  return toMade(change((await play(plan)).evidence));
}

/** An honest file of which the text was changed. */
export async function rewritten(change: (text: string) => string): Promise<Made> {
  const { serial, bytes } = await scene({});
  return { serial, bytes: encodeUtf8(change(new TextDecoder().decode(bytes))) };
}

/** Changes the entry at `position`; negative positions count from the end. */
function changeEntry(
  evidence: UnitEvidence,
  position: number,
  change: (entry: LoggedEnvelope) => LoggedEnvelope,
): UnitEvidence {
  const at = position < 0 ? evidence.entries.length + position : position;
  return { ...evidence, entries: evidence.entries.map((entry, index) => (index === at ? change(entry) : entry)) };
}

export function changeProof(evidence: UnitEvidence, position: number, change: (proof: string) => string): UnitEvidence {
  return changeEntry(evidence, position, (entry) => ({ ...entry, proof: change(entry.proof) }));
}

export function changeEnvelope(
  evidence: UnitEvidence,
  position: number,
  change: (envelope: Envelope) => Envelope,
): UnitEvidence {
  return changeEntry(evidence, position, (entry) => ({ ...entry, envelope: change(entry.envelope) }));
}

export function flipPayloadBit(envelope: Envelope, at = 400): Envelope {
  return { ...envelope, payload: flipBit(envelope.payload, at) };
}

export function flipSignatureBit(envelope: Envelope, which = 0): Envelope {
  const signatures = envelope.signatures.map((signature, index) =>
    index === which ? { ...signature, sig: flipBit(signature.sig, signature.sig.length - 1) } : signature,
  );
  return { ...envelope, signatures };
}

/** Flips one bit of the base64 value in line `line` of a text. */
export function flipLineBit(text: string, line: number): string {
  const lines = text.split('\n');
  const value = lines[line] as string;
  lines[line] = encodeBase64(flipBit(decodeBase64(value), 3));
  return lines.join('\n');
}

export function flipBit(bytes: Bytes, at: number): Bytes {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x01;
  return copy;
}

/** Shorthand for one changed predicate. */
export function edit<T>(change: (draft: T) => T): Making<T> {
  return { edit: change };
}
