// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of a station. The way of the data: the trust client holds the release that is in effect, the driver
 * reads the device, the line permits, the journal keeps the intent before the first byte is written, the station key signs
 * what was measured, and the line's receipt, checked against the trusted root, comes before PASS.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpLineService, type LoggedEntry } from '@witnessmark/api';
import { parseTrustedRoot, type TrustedRoot } from '@witnessmark/attestation';
import { newTransportKey } from '@witnessmark/boundary';
import type { Clock } from '@witnessmark/core';
import { KeyAccess, parseKeyReference, type PinSource } from '@witnessmark/custody';
import type { BootCheck, DeviceDriver } from '@witnessmark/device';
import {
  Journal,
  LineTrust,
  openStationDirectory,
  requireNewest,
  proveStation,
  reportPurges,
  shareReleases,
  shareTimeSource,
  SlotGroup,
  Spool,
  Station,
  TufReleaseSource,
  type FileSystem,
  type LabelPrinter,
  type MeasuredGate,
  type ProgressListener,
  type SlotMachine,
  type StationDirectory,
  type StationGate,
  type StationIdentity,
  type StationPorts,
  type UnitResult,
} from '@witnessmark/station';
import { TrustClient } from '@witnessmark/trust';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { tryToFetchGoldenRegister } from '../golden.ts';
import { demandProductionKey } from '../production.ts';
import { purposeOfStatement } from '../purpose.ts';
import { requireMeasurement } from '../measurement.ts';
import { softwareDigest } from '../software-digest.ts';
import { openGate } from './station-gate.ts';
import { openLineConnection } from '../identity/connection.ts';
import { demandEnrolledMachine } from '../identity/machine.ts';
import { openLabelPrinter } from './label-printer.ts';
import { openStationCache } from './station-cache.ts';
import { openTimeService } from './time-service.ts';

/** Long enough for a group commit and a slow disk, short enough that a person sees what happens. */
const LINE_TIMEOUT_MS = 10_000;
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

interface MachineEnvironment {
  readonly clock: Clock;
  readonly newId: () => string;
  /** Asks a person when the key reference names no source of the PIN. */
  readonly askPin?: PinSource | undefined;
  /** Default: the address in the configuration. */
  readonly lineUrl?: string | undefined;
  readonly onProgress?: ProgressListener;
  readonly onRecovered?: (result: UnitResult) => void;
}

/** A programmer, and how the board in it is started, if it is. */
export interface PlaceFixture {
  readonly driver: DeviceDriver;
  readonly bootCheck?: BootCheck | undefined;
}

interface StationEnvironment extends MachineEnvironment, PlaceFixture {
  /** One place of a station that has several; the others rest meanwhile. */
  readonly slot?: number | undefined;
}

/** A place of the station and the programmer that serves it alone. */
export interface SlotFixture extends PlaceFixture {
  readonly slot: number;
}

interface SlotsEnvironment extends MachineEnvironment {
  readonly slots: readonly SlotFixture[];
  readonly onSlotRecovered?: (slot: number, result: UnitResult) => void;
}

/** What a command needs of a running station, whether it has one place or several. */
export interface LineEnd {
  readonly line: HttpLineService;
  readonly lineTrust: LineTrust;
  close(): void;
}

export interface RunningStation extends LineEnd {
  readonly station: Station;
}

export interface RunningSlots extends LineEnd {
  readonly group: SlotGroup;
  /** By number, for what one place does by itself. */
  readonly stations: ReadonlyMap<number, Station>;
}

/** A station with one place, or one place of a station. */
export async function openStation(
  config: LoadedConfig<StationConfig>,
  { driver, bootCheck, slot, ...environment }: StationEnvironment,
): Promise<RunningStation> {
  return openMachine(config, environment, async (machine) => {
    const { directory, ports, identity, printer } = machine;
    directory.requireSlots(slotsOf(config, slot ?? 1));
    const files = directory.slot(slot ?? 1);
    const journal = await openJournal(machine, files);
    const own = {
      identity: slot === undefined ? identity : { ...identity, slot },
      ...fixtureOf({ driver, bootCheck }),
      journal,
      ...gating(await openGate(config, machine, new Map([[slot ?? 1, journal]]))),
      ...(await workingOffline(config, machine, files)),
      ...labelling(printer, files),
    };
    return { station: new Station({ ...ports, ...own }) };
  });
}

/** A station with several places: each has a journal and a driver of its own and shares everything else. */
export async function openSlots(
  config: LoadedConfig<StationConfig>,
  { slots, onSlotRecovered, ...environment }: SlotsEnvironment,
): Promise<RunningSlots> {
  return openMachine(config, environment, async (machine) => {
    const { directory, ports, identity, printer } = machine;
    directory.requireSlots(slots.map(({ slot }) => slot));
    const journals = new Map<number, Journal>();
    for (const { slot } of slots) journals.set(slot, await openJournal(machine, directory.slot(slot)));
    const gate = gating(await openGate(config, machine, journals));
    const machines: (SlotMachine & { readonly station: Station })[] = [];
    for (const { slot, ...fixture } of slots) {
      const journal = journals.get(slot) as Journal;
      const onRecovered = (result: UnitResult): void => onSlotRecovered?.(slot, result);
      const labels = labelling(printer, directory.slot(slot));
      const offline = await workingOffline(config, machine, directory.slot(slot));
      const place = { identity: { ...identity, slot }, ...fixtureOf(fixture), journal, onRecovered };
      const own = { ...place, ...labels, ...offline, ...gate };
      machines.push({ slot, journal, station: new Station({ ...ports, ...own }) });
    }
    return {
      group: new SlotGroup(machines, environment.newId),
      stations: new Map(machines.map(({ slot, station }) => [slot, station])),
    };
  });
}

/** The places that may have open units: those of the configuration, and the one that is opened. */
function slotsOf({ values }: LoadedConfig<StationConfig>, own: number): readonly number[] {
  return [1, own, ...(values.slots ?? []).map(({ slot }) => slot)];
}

function fixtureOf({ driver, bootCheck }: PlaceFixture): Pick<StationPorts, 'driver' | 'bootCheck'> {
  return bootCheck === undefined ? { driver } : { driver, bootCheck };
}

/** Each place remembers which of its labels waits for its scan. */
function labelling(printer: LabelPrinter | null, files: FileSystem): Pick<StationPorts, 'labels'> {
  return printer === null ? {} : { labels: { printer, files } };
}

/** Each place has a spool of its own, also where nothing is asked for: what is in it is delivered. */
async function workingOffline(
  { values }: LoadedConfig<StationConfig>,
  { line, ports }: Pick<Machine, 'line' | 'ports'>,
  files: FileSystem,
): Promise<Required<Pick<StationPorts, 'offline'>>> {
  const spool = await Spool.open(files, ports.signer.publicKey);
  return { offline: { line, spool, isWanted: values.worksOffline ?? false } };
}

export interface StationProver extends LineEnd {
  prove(nonce: string): Promise<LoggedEntry>;
}

/** A station that measures itself for somebody who asks; it needs no device and no operator. */
export async function openProver(
  config: LoadedConfig<StationConfig>,
  environment: MachineEnvironment,
): Promise<StationProver> {
  requireMeasurement(config);
  return openMachine(config, environment, async (machine) => {
    const { directory, ports, identity } = machine;
    const journal = await openJournal(machine, directory.files);
    const gate = (await openGate(config, machine, new Map([[1, journal]]))) as MeasuredGate;
    return { prove: (nonce) => proveStation({ ...ports, identity, journal }, gate, nonce) };
  });
}

/** The files a journal holds open are let go of with the machine. */
async function openJournal({ journals }: Machine, files: FileSystem): Promise<Journal> {
  const journal = await Journal.open(files);
  journals.push(journal);
  return journal;
}

interface Machine {
  readonly line: HttpLineService;
  /** Those that were opened. */
  readonly journals: Journal[];
  readonly directory: StationDirectory;
  /** What places share. */
  readonly ports: Omit<StationPorts, 'driver' | 'journal' | 'identity'>;
  readonly identity: StationIdentity;
  readonly trustedRoot: TrustedRoot;
  readonly printer: LabelPrinter | null;
}

async function openMachine<T extends object>(
  config: LoadedConfig<StationConfig>,
  environment: MachineEnvironment,
  build: (machine: Machine) => Promise<T>,
): Promise<T & LineEnd> {
  const { values, pathOf } = config;
  const { lineUrl = values.lineUrl, askPin, ...ports } = environment;
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const lineTrust = new LineTrust(trustedRoot, values.line);
  await demandEnrolledMachine(config);
  const connection = await openLineConnection(config, lineUrl);
  const line = new HttpLineService({ baseUrl: lineUrl, timeoutMs: LINE_TIMEOUT_MS, ...connection.client });
  const { clock, newId } = environment;
  const keyAccess = new KeyAccess({ clock, newId, askPin });
  const directory = openStationDirectory(pathOf(values.directory));
  const journals: Journal[] = [];
  const close = (): void => {
    // Nothing is written by it, so nothing can be lost.
    for (const journal of journals) void journal.close().catch(() => undefined);
    directory.close();
    keyAccess.close();
    connection.close();
  };
  try {
    const signer = await keyAccess.open(parseKeyReference(values.stationKey, pathOf), purposeOfStatement);
    demandProductionKey(values, signer, { trustedRoot, role: 'station', owner: values.station, now: clock.now() });
    const cache = await openStationCache(config, { keyAccess, clock, newId });
    await reportPurges(cache, {
      ...{ clock, line, lineTrust, signer },
      identity: { id: values.station, line: values.line, plant: values.plant },
    });
    const { repository } = values.trust;
    const client = new TrustClient({
      metadataDir: pathOf(values.trust.memory),
      cache,
      initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
      ...(values.trust.minThreshold !== undefined && { minThreshold: values.trust.minThreshold }),
      ...(repository === null
        ? { baseUrl: new URL('trust/', withSlash(lineUrl)).href, ...connection.client }
        : { repositoryDir: pathOf(repository) }),
    });
    const { plant, approvals, labels } = values;
    const timeService = openTimeService(config, lineTrust.keys);
    const hierarchy = timeService?.hierarchy ?? null;
    if (hierarchy !== null) await requireNewest(hierarchy, directory.files);
    const golden = await tryToFetchGoldenRegister(line, lineTrust);
    const built = await build({
      journals,
      line,
      directory,
      ports: {
        ...ports,
        pause: (milliseconds) => pause(milliseconds),
        line,
        lineTrust,
        signer,
        sessions: line,
        unsealing: { line, newTransportKey },
        ...(golden !== null && { golden }),
        releases: shareReleases(
          new TufReleaseSource({
            client,
            plant,
            line: values.line,
            keys: lineTrust.keys,
            keysVersion: trustedRoot.version,
            approvals,
            ...(values.releaseClasses && { releaseClasses: values.releaseClasses }),
          }),
        ),
        ...(timeService !== null && {
          timeService: {
            source: shareTimeSource(timeService.source),
            policy: timeService.policy,
            ...(hierarchy !== null && { hierarchy: hierarchy.document }),
          },
        }),
      },
      printer: labels === undefined ? null : openLabelPrinter(labels, pathOf),
      identity: {
        id: values.station,
        line: values.line,
        plant,
        softwareDigest: softwareDigest(),
        bootId: readBootId(),
        environment: { rehearsal: false },
      },
      trustedRoot,
    });
    return { ...built, line, lineTrust, close };
  } catch (error) {
    close();
    throw error;
  }
}

function gating(gate: StationGate | null): Pick<StationPorts, 'gate'> {
  return gate === null ? {} : { gate };
}

/** Where the kernel names no boot, each process counts as one. */
function readBootId(): string {
  return existsSync(BOOT_ID_FILE) ? readFileSync(BOOT_ID_FILE, 'utf8').trim() : randomUUID();
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
