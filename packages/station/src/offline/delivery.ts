// SPDX-License-Identifier: Apache-2.0
/**
 * Bringing in what was made without the line, once and in its order (spec/offline-spool.md). Everything here may be cut off and
 * begun again: what the line has, it answers in the same way, and the spool is let go only when all of it is accounted for.
 */
import { equalBytes, formatInstant, sha256Hex, WitnessmarkError } from '@witnessmark/core';
import {
  buildStatement,
  offlineDelivery,
  parseStatement,
  parseStatementHeader,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  refusal,
  toStatement,
  type OfflineDelivery,
  type ProvisioningEvent,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import { ApiError, LineRefusedError, type BatchOutcome, type LoggedEntry } from '@witnessmark/api';
import type { ClockAssessment } from '../clock-check.ts';
import { StationRefusal } from '../error.ts';
import type { FlowTools } from '../flow-tools.ts';
import { toFinalPhase } from '../outcomes.ts';
import type { UnitResult } from '../ports.ts';
import { signStatement } from '../signing.ts';
import { toEnvironment } from '../statements.ts';
import type { OfflineDesk } from './offline-desk.ts';
import type { SpoolRecord } from './spool-format.ts';

/** How a record was accounted for; null when nobody can say yet. */
type Account = { readonly entry: LoggedEntry } | { readonly refused: LineRefusedError } | null;

/**
 * Delivers the spool. Returns how units ended whose records the line would not take; those it took are closed in the
 * journal. What cannot be decided now stays where it is. A gap or change that the line finds marks the spool broken.
 */
export async function deliverSpool(tools: FlowTools, desk: OfflineDesk): Promise<readonly UnitResult[]> {
  const { spool } = desk;
  const waiting = [...spool.records];
  if (waiting.length === 0 || spool.breach !== null) return [];
  const clock = tools.time.requireSane();
  try {
    await announce(tools, waiting, clock);
    const items = waiting.map(({ envelope }) => ({ statement: envelope }));
    const outcomes = await tools.recorder.submitAll(desk.line, items);
    return await account(tools, desk, waiting, outcomes, clock);
  } catch (error) {
    if (error instanceof ApiError || error instanceof StationRefusal) return [];
    if (!(error instanceof LineRefusedError)) throw error;
    noteBreach(desk, error);
    return [];
  }
}

async function announce(
  { ports, recorder }: FlowTools,
  waiting: readonly SpoolRecord[],
  clock: ClockAssessment,
): Promise<void> {
  const { identity, signer, newId, driver } = ports;
  const [first, last] = [waiting[0], waiting.at(-1)] as readonly [SpoolRecord, SpoolRecord];
  const { id, line, plant, slot } = identity;
  const delivery: OfflineDelivery = {
    id: newId(),
    station: { id, line, plant, ...(slot !== undefined && { slot }) },
    allowanceDigest: first.place.allowanceDigest,
    firstSeq: first.seq,
    lastSeq: last.seq,
    previousDigest: first.place.previousDigest,
    lastDigest: { sha256: last.digest },
    deliveredAt: formatInstant(clock.now),
    clock: clock.evidence,
    environment: toEnvironment(identity, driver, null),
  };
  const subject = { name: 'station', digest: { sha256: signer.publicKey.keyid } };
  const envelope = await signStatement(signer, buildStatement(offlineDelivery, subject, delivery));
  await recorder.submit(envelope, { author: signer.publicKey, at: clock.now });
}

async function account(
  tools: FlowTools,
  desk: OfflineDesk,
  waiting: readonly SpoolRecord[],
  outcomes: readonly BatchOutcome[],
  clock: ClockAssessment,
): Promise<readonly UnitResult[]> {
  const ended: UnitResult[] = [];
  for (const [index, record] of waiting.entries()) {
    const found = judge(tools, record, outcomes[index], clock);
    if (found === null) {
      const outcome = outcomes[index];
      if (outcome?.state === 'refused') noteBreach(desk, outcome.error);
      await tools.ports.journal.saveFloor();
      return ended;
    }
    const result =
      'entry' in found ? await close(tools, record, found.entry) : await setAside(tools, record, found.refused);
    if (result !== null) ended.push(result);
  }
  await tools.ports.journal.saveFloor();
  await desk.spool.settle();
  return ended;
}

/** Believes a receipt, or a refusal that says it is about this very statement; anything else decides nothing. */
function judge(
  { recorder, ports }: FlowTools,
  record: SpoolRecord,
  outcome: BatchOutcome | undefined,
  { now: at }: ClockAssessment,
): Account {
  if (outcome?.state === 'logged') {
    recorder.believe(outcome.entry, { sent: record.envelope, author: ports.signer.publicKey, at });
    return { entry: outcome.entry };
  }
  if (outcome?.state !== 'refused' || outcome.error.refusal === null) return null;
  recorder.believe(outcome.error.refusal, { sent: null, author: null, at });
  return isAbout(outcome.error.refusal, record) ? { refused: outcome.error } : null;
}

function isAbout({ envelope }: LoggedEntry, { envelope: sent, seq }: SpoolRecord): boolean {
  try {
    const { requestDigest, refusedPlace } = parseStatement(refusal, envelope.payload).predicate;
    return requestDigest?.sha256 === sha256Hex(sent.payload) && refusedPlace?.seq === seq;
  } catch (error) {
    if (error instanceof WitnessmarkError) return false;
    throw error;
  }
}

async function close(
  { ports: { journal }, refusals }: FlowTools,
  { kind, transactionId, envelope, at }: SpoolRecord,
  entry: LoggedEntry,
): Promise<null> {
  if (kind !== 'refusal') journal.raiseFloor({ receipt: entry.index });
  const transaction = journal.transactions.find(({ id }) => id === transactionId);
  const last = transaction?.records.at(-1)?.fact;
  if (kind === 'refusal') {
    if (last?.kind === 'refused') await journal.append(transactionId, at, { kind: 'closed', entry });
    if (transaction !== undefined) await refusals.forget(transactionId);
  } else if (last?.kind === 'eventSigned' && equalBytes(last.event.payload, envelope.payload)) {
    await journal.append(transactionId, at, { kind: 'closed', entry });
  }
  return null;
}

/** The line will never take it: kept for people, and told to them. An event ends with its intent, and is not told again. */
async function setAside(
  { ports: { journal }, refusals }: FlowTools,
  { kind, transactionId, envelope }: SpoolRecord,
  refused: LineRefusedError,
): Promise<UnitResult | null> {
  if (!journal.transactions.some(({ id }) => id === transactionId)) return null;
  if (kind === 'refusal') {
    await refusals.reject(transactionId);
    return null;
  }
  await journal.reject(transactionId);
  const phase = toFinalPhase(refused.code);
  return {
    phase: phase === 'failed' ? 'interrupted' : phase,
    code: refused.code,
    detail: refused.message,
    transactionId,
    ...readUnit(envelope),
    record: refused.refusal,
    resumed: true,
    seconds: 0,
  };
}

/** The line has it on record. LS-314 is another statement under a number of ours; LS-317 a spool that was broken before. */
function noteBreach(desk: OfflineDesk, { code, message }: LineRefusedError): void {
  if (code !== 'LS-312' && code !== 'LS-313' && code !== 'LS-314' && code !== 'LS-317') return;
  desk.noteBreach({
    code: code === 'LS-312' ? 'LS-312' : 'LS-313',
    expected: 'a spool as the line knows it',
    observed: message,
  });
}

function readUnit({ payload }: SpoolRecord['envelope']): Pick<UnitResult, 'deviceId' | 'serial'> {
  const header = parseStatementHeader(payload);
  const definition =
    header.predicateType === PREDICATE_TYPES.provisioningIntent ? provisioningIntent : provisioningEvent;
  const { identity } = toStatement<ProvisioningIntent | ProvisioningEvent>(definition, header).predicate;
  return { deviceId: identity.deviceId, serial: identity.label?.serial ?? null };
}
