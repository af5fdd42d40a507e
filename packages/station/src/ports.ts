// SPDX-License-Identifier: Apache-2.0
/** Everything a station takes from outside, as small interfaces; nothing in this package reaches past them. */
import type { Bytes, Clock, Envelope, Instant, PublicKey, ReasonCode } from '@witnessmark/core';
import type {
  Environment,
  OperatorSession,
  ReleaseManifest,
  ReleaseReference,
  TimeHierarchy,
} from '@witnessmark/attestation';
import type { LineService, SessionService, UnsealingService } from '@witnessmark/api';
import type { Signer } from '@witnessmark/custody';
import type { BootCheck, DeviceDriver } from '@witnessmark/device';
import type { TimePolicy, TimeSource } from './clock/index.ts';
import type { LabelPrinting } from './labels/label-printer.ts';
import type { GoldenRegister } from './slots/golden-register.ts';
import type { Journal } from './journal.ts';
import type { LineTrust } from './line-trust.ts';
import type { OfflinePort } from './offline/offline-port.ts';
import type { StationGate } from './starts/gate.ts';
import type { SessionUse } from './session-use.ts';
import type { Phase } from './transitions.ts';

export interface StationIdentity {
  readonly id: string;
  readonly line: string;
  readonly plant: string;
  /** From 1 on, at a station with several places; each has a fixture, a journal and a `Station` of its own. */
  readonly slot?: number;
  /** SHA-256 of the software this station runs, lower-case hexadecimal. */
  readonly softwareDigest: string;
  /** Changes with every start of the machine. */
  readonly bootId: string;
  /** Marks of this station; a simulated device marks its units by itself, and break-glass is the line's to say. */
  readonly environment: Pick<Environment, 'rehearsal'>;
}

/** What this station makes now. */
export interface Job {
  readonly sku: string;
  readonly hwVersion: string;
  readonly workOrder: string | null;
  readonly lot: string | null;
}

export interface ScannedLabel {
  readonly raw: string;
  /** AIM symbology identifier, or `text` for a serial that came otherwise. */
  readonly symbology: string;
}

export interface ReleaseQuery extends Pick<Job, 'sku' | 'hwVersion' | 'workOrder'> {
  readonly at: Instant;
}

export type ReleaseComponent = ReleaseManifest['components'][number];

/** A release whose metadata and approvals verified, and whose images are at hand. */
export interface HeldRelease {
  readonly manifest: ReleaseManifest;
  /** Who proposed, built or approved it; none of them makes units of it. */
  readonly partakers: readonly string[];
  readonly reference: ReleaseReference;
  /** The image, or the envelope of a sealed one, from the verified repository; hashed again each time. */
  readImage(component: ReleaseComponent): Promise<Bytes>;
}

/** A key pair made for one unit and kept in memory only; content keys of sealed images are wrapped for it. */
export interface TransportKey {
  readonly publicKey: PublicKey;
  /** The image in an envelope, with the content key the line answered with; whoever gets it wipes it. Throws BX-201 or BX-202. */
  open(envelope: Bytes, recipientInfo: Bytes): Promise<Bytes>;
}

export interface ReleaseSource {
  /** Brings the trust repository up to date. Throws a `RefusedError` with a TR code. */
  refresh(now: Instant): Promise<void>;
  /** Throws a `RefusedError` (LS-20x) when there is none; there is no "latest". */
  releaseInEffect(query: ReleaseQuery): Promise<HeldRelease>;
}

/** An operator's session whose signature was verified and which is in the log. */
export interface SignedInSession {
  readonly statement: OperatorSession;
  /** SHA-256 of the statement's payload, lower-case hexadecimal. */
  readonly digest: string;
  readonly use: SessionUse;
}

/** A step of a unit, as it goes on. */
export interface Progress {
  readonly transactionId: string;
  /** Null at a station with one place. */
  readonly slot: number | null;
  readonly phase: Phase;
  /** What is being done; the programmer's own phases while a device is written. */
  readonly step: string;
  readonly state: 'begun' | 'going' | 'done' | 'failed';
  readonly doneBytes: number | null;
  readonly totalBytes: number | null;
  /** Since the step began. */
  readonly seconds: number;
  readonly code: ReasonCode | null;
}

/** Must not throw. */
export type ProgressListener = (progress: Progress) => void;

export interface StationPorts {
  readonly clock: Clock;
  /** A fresh UUID, version 7. */
  readonly newId: () => string;
  /** Resolves after that time; paces repeated questions to the line. */
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly journal: Journal;
  readonly line: LineService;
  readonly lineTrust: LineTrust;
  readonly driver: DeviceDriver;
  /** Starts the board in the fixture and hears its firmware; a station without it refuses recipes with the step `bootDigest`. */
  readonly bootCheck?: BootCheck;
  readonly signer: Signer;
  readonly releases: ReleaseSource;
  readonly identity: StationIdentity;
  /** Heard before each unit when the station has one; its verdict joins that of the line's clock. */
  readonly timeService?: {
    readonly source: TimeSource;
    readonly policy: TimePolicy;
    /** What the line has laid down about its sources; the policy is then the hierarchy's own. */
    readonly hierarchy?: TimeHierarchy;
  };
  /** Measures the station before units are begun; without it, units name no start. */
  readonly gate?: StationGate;
  /** How badges are checked; a station without it signs in people with cards or keys of their own. */
  readonly sessions?: Pick<SessionService, 'signInWithBadge'>;
  /** How sealed images are opened; a station without it refuses sealed releases. */
  readonly unsealing?: { readonly line: UnsealingService; readonly newTransportKey: () => TransportKey };
  /** Work while the line does not answer; a station without it waits. */
  readonly offline?: OfflinePort;
  /** The golden and known-bad units of the line, as the station last read them; without it only the line refuses them. */
  readonly golden?: GoldenRegister;
  /** Present at a station that labels its units; it then demands the scan of each label before the next unit. */
  readonly labels?: LabelPrinting;
  readonly onProgress?: ProgressListener;
  /** Hears of units that were finished before a new one could begin. Must not throw. */
  readonly onRecovered?: (result: UnitResult) => void;
  /** Pauses between attempts to reach the line; their number is the number of repetitions. */
  readonly retryPausesMs?: readonly number[];
}

/** How one unit ended here. */
export interface UnitResult {
  readonly phase: 'passed' | 'failed' | 'stopped' | 'interrupted';
  readonly code: ReasonCode | null;
  /** What was expected and found; null for a unit that passed. */
  readonly detail: string | null;
  readonly transactionId: string;
  readonly deviceId: string | null;
  readonly serial: string | null;
  /** The logged event or refusal, when there is one. */
  readonly record: { readonly index: number; readonly envelope: Envelope; readonly proof: string } | null;
  /** Whether it was finished after an interruption. */
  readonly resumed: boolean;
  readonly seconds: number;
}
