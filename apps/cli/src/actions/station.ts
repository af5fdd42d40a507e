// SPDX-License-Identifier: Apache-2.0
/** Programming units: sign in, scan, program, and keep the evidence file of what passed. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deriveLabelSerial, parseTrustedRoot, toDeviceId } from '@witnessmark/attestation';
import { unitEvidenceFileName } from '@witnessmark/bundle';
import { RefusedError } from '@witnessmark/core';
import type { UnitResult } from '@witnessmark/station';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { stationLabelOptions, stationOptions, stationProgramOptions } from '../options/station.ts';
import { loadConfig, namedConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError } from '../error.ts';
import { describeError, formatErrorReport } from '../error-report.ts';
import { EXIT, exitCodeOfSignal, worstOf, type ExitCode } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { signSession } from '../operator-session.ts';
import { Progress } from '../progress.ts';
import { openFixture, type Fixture } from '../roots/fixture.ts';
import { openStation, type RunningStation } from '../roots/station.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf, type Session } from '../session.ts';
import { promptForPin, withSigner } from '../signer-reference.ts';
import { exitCodeOfUnit, followUnit, formatUnit, toUnitDocument } from '../unit-text.ts';

const HOUR_MS = 3600 * 1000;
const DEFAULT_SESSION_HOURS = 8;
/** A label is short; more is a scanner gone wrong. */
const MAX_LABEL_LENGTH = 256;

type Options = OptionValues<typeof stationOptions>;

export async function stationProgram({
  options,
  session,
}: CommandInput<typeof stationProgramOptions>): Promise<CommandResult> {
  const label = await answerOf(session, options.label, { flag: '--label', text: 'Scan the label of the unit:' });
  return withShift(session, options, async (shift) => {
    const { result, exit } = await shift.programUnit(label);
    const lines = formatUnit(session.output, result);
    for (const line of lines.slice(0, -1)) session.output.data(line);
    session.output.verdict(lines.at(-1) ?? '');
    return { exit, document: { unit: toUnitDocument(result) } };
  });
}

export async function stationRun({ options, session }: CommandInput<typeof stationOptions>): Promise<CommandResult> {
  const { output, terminal, signal } = session;
  return withShift(session, options, async (shift) => {
    const units: ProgrammedUnit[] = [];
    if (terminal.isInteractive) output.note('Scan the next unit; Ctrl-D ends.');
    for await (const line of terminal.lines(signal)) {
      const label = line.trim();
      if (label === '') continue;
      const unit = await shift.programUnit(label);
      units.push(unit);
      for (const text of formatUnit(output, unit.result)) output.data(text);
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
  const config = openConfig(options);
  const fixture = await openFixture(options.device, options.profile);
  fixture.insert('');
  const reading = await fixture.driver.readHardwareId({ signal: session.signal });
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
}

interface Shift {
  programUnit(label: string): Promise<ProgrammedUnit>;
}

/** Opens fixture and station, signs the operator in, finishes what was interrupted, and hands over a running shift. */
async function withShift<T>(session: Session, options: Options, work: (shift: Shift) => Promise<T>): Promise<T> {
  const config = openConfig(options);
  const { output, terminal, clock, newId, signal } = session;
  const fixture = await openFixture(options.device, options.profile);
  const progress = new Progress({ terminal, output, clock });
  const report = (result: UnitResult): void => {
    for (const line of formatUnit(output, result)) output.note(line);
  };
  const running = await openStation(config, {
    clock,
    newId,
    driver: fixture.driver,
    askPin: promptForPin(session),
    lineUrl: options.line,
    onProgress: followUnit(progress),
    onRecovered: report,
  });
  try {
    await signIn(session, options, config, running);
    const { workOrder, lot } = config.values.job;
    const job = { ...config.values.job, workOrder: options.workOrder ?? workOrder, lot: options.lot ?? lot };
    const evidence = config.pathOf(config.values.evidence);
    return await work({
      programUnit: async (label) => {
        insertBoard(fixture, label);
        const result = await running.station.programUnit({ job, label: { raw: label, symbology: 'text' }, signal });
        if (result.phase !== 'passed') return { result, exit: exitCodeOfUnit(result) };
        return { result, exit: await tryToKeepEvidence(session, running, result, evidence) };
      },
    });
  } finally {
    progress.end('failed');
    running.close();
  }
}

function openConfig(options: Pick<Options, 'data' | 'config'>): LoadedConfig<StationConfig> {
  return loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).stationConfig),
    stationConfigSchema,
  );
}

async function signIn(
  session: Session,
  options: Options,
  { values, pathOf }: LoadedConfig<StationConfig>,
  { station }: RunningStation,
): Promise<void> {
  const { clock, newId, output } = session;
  const key = { session, purpose: purposeOfStatement };
  const envelope = await withSigner(options.operatorKey, key, (credential) =>
    signSession({
      credential,
      trustedRoot: parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES)),
      station: { id: values.station, line: values.line },
      id: newId(),
      now: clock.now(),
      durationMs: (options.sessionHours ?? DEFAULT_SESSION_HOURS) * HOUR_MS,
    }),
  );
  const entry = await station.signIn(envelope);
  output.note(`signed in at ${values.station} of ${values.line}, log entry ${entry.index}`);
}

function insertBoard(fixture: Fixture, label: string): void {
  if (label.length > MAX_LABEL_LENGTH)
    throw new CliError('ERR_CLI_INPUT', `a label has at most ${MAX_LABEL_LENGTH} characters`);
  fixture.insert(label);
}

/** The unit passed and its record is in the log, whatever becomes of the file; what is missing is said and not 0. */
async function tryToKeepEvidence(
  { output }: Session,
  running: RunningStation,
  result: UnitResult,
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
export async function keepEvidence({ line }: RunningStation, { serial }: UnitResult, folder: string): Promise<string> {
  if (serial === null) throw new TypeError('a unit that passed has a serial');
  const evidence = await line.unitEvidence(serial);
  if (evidence === null)
    throw new CliError('ERR_CLI_TRANSPORT', `the line has no evidence of ${serial}, which just passed`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, unitEvidenceFileName(serial));
  writeFile(file, evidence);
  return file;
}
