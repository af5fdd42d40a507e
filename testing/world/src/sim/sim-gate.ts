// SPDX-License-Identifier: Apache-2.0
/** A machine that a simulated station measures, with a build that two people approved, and things that change on it. */
import { formatInstant, sha256Hex, STATEMENT_PAYLOAD_TYPE } from '@witnessmark/core';
import { findDrift, listDrift, manifestDigest, toManifest, type Section } from '@witnessmark/build-record';
import { buildStatement, stationBuild, type StationBuild } from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { signEnvelope } from '@witnessmark/custody';
import { MeasuredGate, type GateSchedule, type StationMeasurement } from '@witnessmark/station';
import type { MakeGate, SimFactory } from './sim-factory.ts';
import { LINE, PLANT, type StationName } from './sim-people.ts';

const BUILD: readonly (readonly [Section, readonly string[]])[] = [
  ['packages', ['flashrom:amd64 1.3.0-2 5f1c']],
  ['files', ['/usr/sbin/flashrom sha256:00 0:0 0755']],
  ['usb', ['0403:6014 - FT9Z1 FT232H']],
];

export class SimMachine {
  readonly #sections = new Map(BUILD);
  /** How often it was measured. */
  measurements = 0;
  fingerprint: string = '3a'.repeat(32);
  build: StationMeasurement['build'] = null;
  #approved = toManifest(new Map(BUILD));

  /** Replaces a section of what the machine is made of. */
  set(section: Section, lines: readonly string[]): void {
    this.#sections.set(section, lines);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because disks are
  async measure(): Promise<StationMeasurement> {
    this.measurements += 1;
    const measured = toManifest(this.#sections);
    return {
      manifest: { digest: manifestDigest(measured), lines: [...measured.values()].flat().length },
      drift: this.build === null ? [] : [...listDrift(findDrift(this.#approved, measured))],
      build: this.build,
      fingerprint: this.fingerprint,
    };
  }

  /** Has the machine, as it is now, approved for the station and logged. */
  async approve(
    factory: SimFactory,
    changes: Partial<StationBuild> = {},
    station: StationName = 'ST-07',
  ): Promise<LoggedEntry> {
    const { people, clock } = factory;
    const [proposer, approver] = [people.author, people.approvers[0]];
    const manifest = toManifest(this.#sections);
    const digest = { sha256: manifestDigest(manifest) };
    const record: StationBuild = {
      id: factory.newId(),
      place: { plant: PLANT, line: LINE },
      stations: [station],
      version: (this.build?.version ?? 0) + 1,
      manifest: { digest, lines: [...manifest.values()].flat().length },
      tolerated: [],
      kit: { digest: { sha256: '11'.repeat(32) }, files: 0, bytes: 0 },
      proposedBy: { id: proposer.owner, role: proposer.role },
      approvedBy: { id: approver.owner, role: approver.role },
      reason: 'first build',
      ticket: 'ECO-1',
      proposedAt: formatInstant(clock.now()),
      ...changes,
    };
    const payload = buildStatement(stationBuild, { name: 'build', digest: record.manifest.digest }, record);
    const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [proposer.key, approver.key]);
    const entry = await factory.wire.submit(envelope);
    this.#approved = manifest;
    this.build = { digest: sha256Hex(payload), version: record.version };
    return entry;
  }
}

/** A gate that measures this machine. */
export function gateOf(
  machine: SimMachine,
  schedule?: GateSchedule,
): (...process: Parameters<MakeGate>) => Promise<MeasuredGate> {
  return (ports, files) =>
    MeasuredGate.open({
      ...ports,
      files,
      journals: [ports.journal],
      measurer: machine,
      ...(schedule !== undefined && { schedule }),
    });
}
