// SPDX-License-Identifier: Apache-2.0
/** What a station examines of itself besides what `doctor` looks at: its build, its time service, its disk, its fixture. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describeDrift, findDrift, withoutTolerated } from '@witnessmark/build-record';
import { describeReasonCode, encodeHex, type Clock } from '@witnessmark/core';
import { parseTrustedRoot } from '@witnessmark/attestation';
import { ChronyTimeSource } from '@witnessmark/station';
import type { LoadedConfig, StationConfig } from './config.ts';
import { describeError } from './error-report.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';
import type { Finding } from './examination.ts';
import { measureNow, planOf } from './measurement.ts';
import { openFixture } from './roots/fixture.ts';
import { readApprovedBuild } from './station-build.ts';

/** A commit to the evidence takes a few of these; a disk that needs longer holds up every unit. */
const SLOW_SYNC_MS = 200;
const PROBE = 'selftest.probe';

interface SelftestSubject {
  readonly config: LoadedConfig<StationConfig>;
  readonly device: string | undefined;
  readonly profile: string | undefined;
  readonly clock: Clock;
}

type Observation = Omit<Finding, 'name' | 'outcome'> & { readonly outcome?: Finding['outcome'] };
type Test = (subject: SelftestSubject) => Observation | null | Promise<Observation | null>;

const TESTS: Readonly<Record<string, Test>> = {
  'approved build': examineBuild,
  'time service': examineTimeService,
  'station disk': examineDisk,
  'device identifier': examineIdentifier,
};

/** Runs every test; what one throws is its finding. */
export async function selftest(subject: SelftestSubject): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [name, test] of Object.entries(TESTS)) {
    try {
      const observation = await test(subject);
      if (observation !== null) findings.push({ name, outcome: 'ok', ...observation });
    } catch (error) {
      const { message, code, next } = describeError(error);
      const detail = `${message} [${code}]`;
      findings.push({ name, outcome: 'FAIL', detail, next: next ?? 'Check the path and its rights.' });
    }
  }
  return findings;
}

function examineBuild({ config: { values, pathOf }, clock }: SelftestSubject): Observation {
  const { measurement } = values;
  if (measurement === undefined) {
    const next = 'Add "measurement" to the station configuration, and have its build approved.';
    return { outcome: 'warn', detail: 'this station does not measure itself', next };
  }
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const approved = readApprovedBuild(pathOf(measurement.record), { trustedRoot, now: clock.now() });
  if (approved === null) {
    return { outcome: 'FAIL', detail: 'no approved build [LS-404]', next: describeReasonCode('LS-404').nextStep };
  }
  const { build, kit } = approved;
  const measured = withoutTolerated(measureNow(pathOf(measurement.root), planOf(measurement)), build.tolerated);
  const drift = findDrift(kit.manifest, measured);
  if (drift.length === 0) return { detail: `as approved, version ${build.version}` };
  const next = `${describeReasonCode('LS-401').nextStep} "witnessmark station diff" shows each line.`;
  return { outcome: 'FAIL', detail: `${describeDrift(drift)} [LS-401]`, next };
}

async function examineTimeService({ config: { values } }: SelftestSubject): Promise<Observation | null> {
  const { timeService } = values;
  if (timeService === undefined) return null;
  const answer = await new ChronyTimeSource({ command: timeService.chrony }).read();
  if (answer.state === 'answered') return { detail: 'chrony answers' };
  return { outcome: 'FAIL', detail: answer.detail, next: describeReasonCode('LS-301').nextStep };
}

/** The calls that make a record of a unit durable, timed. */
function examineDisk({ config: { values, pathOf }, clock }: SelftestSubject): Observation {
  const directory = pathOf(values.directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [draft, probe] = [join(directory, `${PROBE}.draft`), join(directory, PROBE)];
  const startedMs = clock.monotonic();
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, 'selftest\n');
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, probe);
  rmSync(probe);
  const elapsedMs = Math.round(clock.monotonic() - startedMs);
  const detail = `a record is durable after ${elapsedMs} ms`;
  if (elapsedMs <= SLOW_SYNC_MS) return { detail };
  return { outcome: 'warn', detail, next: 'Find out what keeps the disk busy, or replace it.' };
}

/** Read twice: an identifier that changes from one reading to the next binds nothing. */
async function examineIdentifier({ device, profile }: SelftestSubject): Promise<Observation | null> {
  if (device === undefined) return null;
  const fixture = await openFixture(device, profile, 'selftest');
  try {
    fixture.insert('');
    const readings: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      const reading = await fixture.driver.readHardwareId();
      if (reading.state !== 'DONE') {
        const code = reading.state === 'FAILED' ? reading.code : 'UF-06';
        return { outcome: 'FAIL', detail: `${reading.detail} [${code}]`, next: describeReasonCode(code).nextStep };
      }
      readings.push(encodeHex(reading.value.value));
    }
    if (readings[0] === readings[1]) return { detail: `${readings[0] ?? ''}, the same twice` };
    const next = 'Clean the contacts of the fixture; a board that stays like this is bad.';
    return { outcome: 'FAIL', detail: `${readings.join(', then ')} [UF-07]`, next };
  } finally {
    await fixture.close();
  }
}
