// SPDX-License-Identifier: Apache-2.0
/** Programming units: sign in, scan, program, and keep the evidence file of what passed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { unitEvidenceFileName } from '@witnessmark/bundle';
import { RefusedError } from '@witnessmark/core';
import type { Job, LabelResult, Station, UnitResult } from '@witnessmark/station';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { stationLabelOptions, stationOptions, stationProgramOptions } from '../options/station.ts';
import { loadConfig, namedConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError } from '../error.ts';
import { describeError, formatErrorReport } from '../error-report.ts';
import { EXIT, exitCodeOfSignal, worstOf, type ExitCode } from '../exit-codes.ts';
import { writeFile } from '../files.ts';
import { chooseSlotDevice, type SlotDevice } from '../slot-choice.ts';
import { Progress } from '../progress.ts';
import { openBootCheck } from '../roots/boot-check.ts';
import { openFixture, withFixture, type Fixture } from '../roots/fixture.ts';
import { openStation, type RunningStation } from '../roots/station.ts';
import { describeLabel, toLabelDocument } from '../label-text.ts';
import { ShiftLabels } from '../shift-labels.ts';
import { answerOf, type Session } from '../session.ts';
import { OperatorAtStation } from '../sign-in.ts';
import { promptForPin } from '../signer-reference.ts';
import { exitCodeOfUnit, followUnit, formatUnit, toUnitDocument } from '../unit-text.ts';

/** A label is short; more is a scanner gone wrong. */
const MAX_LABEL_LENGTH = 256;

type Options = OptionValues<typeof stationOptions>;

export async function stationProgram({
  options,
  session,
}: CommandInput<typeof stationProgramOptions>): Promise<CommandResult> {
  const label = await answerOf(session, options.label, { flag: '--label', text: 'Scan the label of the unit:' });
  return withShift(session, options, async (shift) => {
    const { result, exit, label: printed } = await shift.programUnit(label, options.retestReason);
    const lines = formatUnit(session.output, result);
    for (const line of lines.slice(0, -1)) session.output.data(line);
    session.output.verdict(lines.at(-1) ?? '');
    if (printed !== null) session.output.note(`${describeLabel(printed)}; stick it, then: witnessmark label scan`);
    const labelled = printed === null ? {} : { label: toLabelDocument(printed) };
    return { exit, document: { unit: toUnitDocument(result), ...labelled } };
  });
}

export async function runOnePlace({ options, session }: CommandInput<typeof stationOptions>): Promise<CommandResult> {
  const { output, terminal, signal } = session;
  return withShift(session, options, async (shift) => {
    const units: ProgrammedUnit[] = [];
    let waiting: LabelResult | null = null;
    if (terminal.isInteractive) output.note('Scan the next unit; Ctrl-D ends.');
    for await (const line of terminal.lines(signal)) {
      const label = line.trim();
      if (label === '') continue;
      if (waiting !== null) {
        waiting = (await shift.tryToScanLabel(label)) ? null : waiting;
        continue;
      }
      const unit = await shift.programUnit(label);
      units.push(unit);
      for (const text of formatUnit(output, unit.result)) output.data(text);
      waiting = unit.label;
      if (waiting !== null) output.note(`${describeLabel(waiting)}; stick it and scan it.`);
      if (signal.aborted) break;
    }
    const count = (phase: UnitResult['phase']): number => units.filter(({ result }) => result.phase === phase).length;
    const counts = `${count('passed')} PASS, ${count('failed')} FAIL, ${count('stopped')} LINE STOP, ${count('interrupted')} HOLD`;
    output.verdict(`${units.length} units: ${counts}`);
    const exit = signal.aborted ? exitCodeOfSignal(signal) : worstOf(units.map((unit) => unit.exit));
    return { exit, document: { units: units.map(({ result }) => toUnitDocument(result)) } };
  });
}

export async function stationLabel({
  options,
  session,
}: CommandInput<typeof stationLabelOptions>): Promise<CommandResult> {
  const config = openStationConfig(options);
  const { signal } = session;
  const reading = await withFixture(options, (fixture) => {
    fixture.insert('');
    return fixture.driver.readHardwareId({ signal });
  });
  if (reading.state === 'FAILED') throw new RefusedError(reading.code, reading.detail);
  if (reading.state === 'UNKNOWN') throw new RefusedError('UF-06', reading.detail);
  const deviceId = toDeviceId(reading.value);
  const serial = deriveLabelSerial(config.values.job.sku, deviceId);
  session.output.verdict(serial);
  return { exit: EXIT.yes, document: { serial, deviceId } };
}

interface ProgrammedUnit {
  readonly result: UnitResult;
  readonly exit: ExitCode;
  /** The label that was printed for it and waits for its scan. */
  readonly label: LabelResult | null;
}

export interface Shift {
  readonly station: Station;
  /** Puts the next board into the fixture, where this program does it. */
  insert(label: string): void;
  /** Whether that is the label that waits; what it is instead is said. */
  tryToScanLabel(raw: string): Promise<boolean>;
  programUnit(label: string, retestReason?: string): Promise<ProgrammedUnit>;
}

/** Opens fixture and station, signs the operator in, finishes what was interrupted, and hands over a running shift. */
export async function withShift<T>(
  session: Session,
  options: Options & { readonly slot?: number | undefined },
  work: (shift: Shift) => Promise<T>,
): Promise<T> {
  const config = openStationConfig(options);
  const place = chooseSlotDevice(config, options);
  const fixture = await openFixture(place.device, place.profile, config.values.station);
  try {
    return await workShift(session, { options, config, fixture, place }, work);
  } finally {
    await fixture.close();
  }
}

async function workShift<T>(
  session: Session,
  { options, config, fixture, place }: ShiftPlace,
  work: (shift: Shift) => Promise<T>,
): Promise<T> {
  const { output, terminal, clock, newId, signal } = session;
  const progress = new Progress({ terminal, output, clock });
  const recovered: UnitResult[] = [];
  const report = (result: UnitResult): void => {
    for (const line of formatUnit(output, result)) output.note(line);
    recovered.push(result);
  };
  const running = await openStation(config, {
    clock,
    newId,
    driver: fixture.driver,
    bootCheck: await openBootCheck(config, place.boot, fixture.driver),
    slot: place.slot,
    askPin: promptForPin(session),
    lineUrl: options.line,
    onProgress: followUnit(progress),
    onRecovered: report,
  });
  let operator: OperatorAtStation | null = null;
  try {
    operator = await OperatorAtStation.signIn({ session, options, config, ...running });
    const job = jobOf(config, options);
    const evidence = config.pathOf(config.values.evidence);
    const keepEvidence = (unit: Pick<UnitResult, 'serial'>): Promise<ExitCode> =>
      tryToKeepEvidence(session, running, unit, evidence);
    const labels = new ShiftLabels({ session, running, keepEvidence });
    return await work({
      station: running.station,
      insert: (label) => {
        insertBoard(fixture, label);
      },
      tryToScanLabel: (raw) => labels.tryToScan(raw),
      programUnit: async (label, retestReason) => {
        await operator?.renewIfDue();
        insertBoard(fixture, label);
        const request = { job, label: { raw: label, symbology: 'text' }, signal };
        const result = await running.station.programUnit(
          retestReason === undefined ? request : { ...request, retestReason },
        );
        operator?.hear(result);
        for (const unit of recovered.splice(0)) if (unit.phase === 'passed') await keepEvidence(unit);
        if (result.phase !== 'passed') return { result, exit: exitCodeOfUnit(result), label: null };
        const kept = await tryToKeepEvidence(session, running, result, evidence);
        const { exit, label: printed } = await labels.tryToPrint(result);
        return { result, exit: worstOf([kept, exit]), label: printed };
      },
    });
  } finally {
    progress.end('failed');
    await operator?.signOut();
    running.close();
  }
}

interface ShiftPlace {
  readonly options: Options;
  readonly config: LoadedConfig<StationConfig>;
  readonly fixture: Fixture;
  readonly place: SlotDevice;
}

/** The configured job, with what the command line says instead. */
export function jobOf({ values }: LoadedConfig<StationConfig>, options: Pick<Options, 'workOrder' | 'lot'>): Job {
  const { workOrder, lot } = values.job;
  return { ...values.job, workOrder: options.workOrder ?? workOrder, lot: options.lot ?? lot };
}

export function openStationConfig(options: Pick<Options, 'data' | 'config'>): LoadedConfig<StationConfig> {
  return loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).stationConfig),
    stationConfigSchema,
  );
}

export function insertBoard(fixture: Fixture, label: string): void {
  if (label.length > MAX_LABEL_LENGTH)
    throw new CliError('ERR_CLI_INPUT', `a label has at most ${MAX_LABEL_LENGTH} characters`);
  fixture.insert(label);
}

/** The unit passed and its record is in the log, whatever becomes of the file; what is missing is said and not 0. */
export async function tryToKeepEvidence(
  { output }: Session,
  running: Pick<RunningStation, 'line'>,
  result: Pick<UnitResult, 'serial'>,
  folder: string,
): Promise<ExitCode> {
  try {
    await keepEvidence(running, result, folder);
    return EXIT.yes;
  } catch (error) {
    const report = describeError(error);
    output.error(formatErrorReport({ ...report, message: `the evidence file was not written: ${report.message}` }));
    return report.exit;
  }
}

/** The evidence file as the line gives it; whoever checks it needs neither line nor station. */
export async function keepEvidence(
  { line }: Pick<RunningStation, 'line'>,
  { serial }: Pick<UnitResult, 'serial'>,
  folder: string,
): Promise<string> {
  if (serial === null) throw new TypeError('a unit that passed has a serial');
  const evidence = await line.unitEvidence(serial);
  if (evidence === null)
    throw new CliError('ERR_CLI_TRANSPORT', `the line has no evidence of ${serial}, which just passed`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, unitEvidenceFileName(serial));
  writeFile(file, evidence);
  return file;
}
