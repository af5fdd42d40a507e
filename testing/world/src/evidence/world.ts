// SPDX-License-Identifier: Apache-2.0
/** A factory in memory that makes complete, really signed and logged evidence, honest unless a test says otherwise. */
import {
  formatEnvelope,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  disposition,
  formatReleaseManifest,
  operatorSession,
  provisioningEvent,
  provisioningIntent,
  refusal,
  releaseApproval,
  releaseCandidate,
  type Disposition,
  type OperatorSession,
  type PredicateDefinition,
  type ProvisioningEvent,
  type ProvisioningIntent,
  type Refusal,
  type ReleaseApproval,
  type ReleaseCandidate,
  type ReleaseManifest,
  type Subject,
} from '@witnessmark/attestation';
import { UNIT_EVIDENCE_MEDIA_TYPE, type ReleaseEvidence, type UnitEvidence } from '@witnessmark/bundle';
import { signEnvelope } from '@witnessmark/custody';
import { CALENDAR, CAST, LOG_KEYS } from './cast.ts';
import {
  draftApproval,
  draftCandidate,
  draftDisposition,
  draftEvent,
  draftIntent,
  draftManifest,
  draftRefusal,
  draftSession,
  IdSource,
  type TestDevice,
} from './drafts.ts';
import { TestLog, type ProofOptions } from './test-log.ts';
import type { TestKey } from './test-key.ts';

type Edit<T> = (draft: T) => T;

/** How one record is made; everything that is left out is done right. */
export interface Making<Predicate> {
  readonly edit?: Edit<Predicate>;
  readonly signers?: readonly TestKey[];
  readonly subject?: Subject;
}

export interface ApprovalPlan extends Making<ReleaseApproval> {
  readonly by: { readonly key: TestKey; readonly owner: string; readonly scope: string };
  readonly at: Instant;
}

export interface ReleasePlan extends Making<ReleaseCandidate> {
  readonly manifest?: ReleaseManifest;
  readonly approvals?: readonly ApprovalPlan[];
  /** The candidate that is approved, where that is not the one in the file. */
  readonly approved?: TestRelease;
}

export interface TestRelease {
  readonly manifest: ReleaseManifest;
  readonly candidate: ReleaseCandidate;
  readonly candidateDigest: string;
  readonly evidence: ReleaseEvidence;
}

export interface LoggedEntry {
  readonly index: number;
  readonly envelope: Envelope;
  readonly payloadDigest: string;
}

export interface TestSession extends LoggedEntry {
  readonly predicate: OperatorSession;
}

/** A unit in the making: its chain so far. */
export interface TestUnit {
  readonly device: TestDevice;
  readonly entries: LoggedEntry[];
  readonly releases: ReleaseEvidence[];
  /** The payload digest and number of the newest link. */
  head: { readonly seq: number; readonly digest: string } | null;
}

export interface PassPlan {
  readonly session: TestSession;
  readonly release: TestRelease;
  readonly at?: Instant;
  readonly attempt?: number;
  readonly intent?: Making<ProvisioningIntent>;
  readonly event?: Making<ProvisioningEvent>;
  /** Stop after the intent. */
  readonly isInterrupted?: boolean;
}

const DEFAULT_APPROVALS: readonly ApprovalPlan[] = [
  { by: CAST.releaseApprover, at: CALENDAR.firstApprovalAt },
  { by: CAST.securityApprover, at: CALENDAR.secondApprovalAt },
];

export class EvidenceWorld {
  readonly ids = new IdSource();
  readonly log: TestLog;

  constructor(log: TestLog = new TestLog(LOG_KEYS.line)) {
    this.log = log;
  }

  async release(plan: ReleasePlan = {}): Promise<TestRelease> {
    const manifest = plan.manifest ?? draftManifest();
    const candidate = edited(plan, draftCandidate(manifest));
    const subject = plan.subject ?? {
      name: 'release.json',
      digest: { sha256: sha256Hex(formatReleaseManifest(manifest)) },
    };
    const envelope = await sign(releaseCandidate, subject, candidate, plan.signers ?? [CAST.author.key]);
    const candidateDigest = sha256Hex(envelope.payload);
    const approvals: Envelope[] = [];
    for (const approval of plan.approvals ?? DEFAULT_APPROVALS) {
      const approvedDigest = plan.approved?.candidateDigest ?? candidateDigest;
      const predicate = draftApproval(candidate, { id: approval.by.owner, role: approval.by.scope }, approval.at);
      const about = approval.subject ?? { name: 'candidate', digest: { sha256: approvedDigest } };
      approvals.push(
        await sign(releaseApproval, about, edited(approval, predicate), approval.signers ?? [approval.by.key]),
      );
    }
    return { manifest, candidate, candidateDigest, evidence: { candidate: envelope, approvals } };
  }

  async openSession(plan: Making<OperatorSession> = {}): Promise<TestSession> {
    const { keyid } = CAST.operator.key.publicKey;
    const predicate = edited(plan, draftSession(this.ids.next(), keyid));
    const subject = plan.subject ?? {
      name: 'operator',
      digest: { sha256: predicate.operator.credentialKeyDigest.sha256 },
    };
    const envelope = await sign(
      operatorSession,
      subject,
      predicate,
      plan.signers ?? [CAST.operator.key, CAST.line.key],
    );
    return { ...this.#append(envelope), predicate };
  }

  unit(device: TestDevice): TestUnit {
    return { device, entries: [], releases: [], head: null };
  }

  /** Intent, then event. */
  async pass(unit: TestUnit, plan: PassPlan): Promise<void> {
    const { session, release } = plan;
    if (!unit.entries.includes(session)) unit.entries.push(session);
    if (!unit.releases.includes(release.evidence)) unit.releases.push(release.evidence);
    const intent = edited(
      plan.intent ?? {},
      draftIntent({
        ids: this.ids,
        device: unit.device,
        manifest: release.manifest,
        candidateDigest: release.candidateDigest,
        session: session.predicate,
        sessionDigest: session.payloadDigest,
        chain: {
          seq: (unit.head?.seq ?? 0) + 1,
          previousEventDigest: unit.head === null ? null : { sha256: unit.head.digest },
        },
        attempt: plan.attempt ?? 1,
        at: plan.at ?? CALENDAR.intendedAt,
      }),
    );
    const intended = await this.#record(unit, provisioningIntent, intent, plan.intent ?? {});
    unit.head = { seq: intent.event.seq, digest: intended.payloadDigest };
    if (plan.isInterrupted === true) return;
    const event = edited(plan.event ?? {}, draftEvent(this.ids, intent, intended.payloadDigest, release.manifest));
    const done = await this.#record(unit, provisioningEvent, event, plan.event ?? {});
    unit.head = { seq: event.event.seq, digest: done.payloadDigest };
  }

  async refuse(unit: TestUnit, at: Instant, plan: Making<Refusal> = {}): Promise<LoggedEntry & { predicate: Refusal }> {
    const predicate = edited(plan, draftRefusal(this.ids, unit.device, at));
    return { ...(await this.#record(unit, refusal, predicate, plan)), predicate };
  }

  async dispose(
    unit: TestUnit,
    refused: LoggedEntry & { predicate: Refusal },
    at: Instant,
    plan: Making<Disposition> = {},
  ): Promise<void> {
    const predicate = edited(plan, draftDisposition(this.ids, refused.predicate, refused.payloadDigest, at));
    const signers = plan.signers ?? [CAST.supervisor.key, CAST.line.key];
    const subject = plan.subject ?? { name: 'refusal', digest: { sha256: refused.payloadDigest } };
    await this.#record(unit, disposition, predicate, { ...plan, signers, subject });
  }

  /** The unit's evidence, proven to one head of the log. */
  async evidence(unit: TestUnit, options: ProofOptions = {}): Promise<UnitEvidence> {
    const entries = [];
    for (const { index, envelope } of unit.entries) {
      entries.push({ envelope, proof: await this.log.prove(index, options) });
    }
    return {
      mediaType: UNIT_EVIDENCE_MEDIA_TYPE,
      serial: unit.device.serial,
      deviceId: unit.device.deviceId,
      releases: unit.releases,
      entries,
    };
  }

  /** Any statement that belongs into the unit's file, logged as it is. */
  record<Predicate>(
    unit: TestUnit,
    definition: PredicateDefinition<Predicate>,
    predicate: Predicate,
    making: Making<Predicate>,
  ): Promise<LoggedEntry> {
    return this.#record(unit, definition, predicate, making);
  }

  async #record<Predicate>(
    unit: TestUnit,
    definition: PredicateDefinition<Predicate>,
    predicate: Predicate,
    { subject = deviceSubject(unit.device.deviceId), signers = [CAST.station.key, CAST.line.key] }: Making<Predicate>,
  ): Promise<LoggedEntry> {
    const entry = this.#append(await sign(definition, subject, predicate, signers));
    unit.entries.push(entry);
    return entry;
  }

  #append(envelope: Envelope): LoggedEntry {
    const index = this.log.append(formatEnvelope(envelope));
    // Between two records of a unit the log takes those of others.
    this.log.fill(3);
    return { index, envelope, payloadDigest: sha256Hex(envelope.payload) };
  }
}

function edited<T>({ edit }: Making<T>, draft: T): T {
  return edit === undefined ? draft : edit(draft);
}

async function sign<Predicate>(
  definition: PredicateDefinition<Predicate>,
  subject: Subject,
  predicate: Predicate,
  signers: readonly TestKey[],
): Promise<Envelope> {
  const payload: Bytes = buildStatement(definition, subject, predicate);
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, signers);
}
