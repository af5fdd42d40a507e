// SPDX-License-Identifier: Apache-2.0
/** The examinations of `doctor`: each looks at one thing and says what it found and, when something is wrong, what next. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HttpLineService } from '@witnessmark/api';
import { parseTrustedRoot, toTrustedKeys, toTrustedNoteKeys } from '@witnessmark/attestation';
import { describeReasonCode, parseInstant } from '@witnessmark/core';
import { loadSoftwareKey } from '@witnessmark/custody';
import { CLOCK_LIMITS, judgeTimeSource } from '@witnessmark/station';
import { DISK_RESERVES, freeBytesOf } from '@witnessmark/store';
import { DirectorySource, loadRepository, nodeFiles } from '@witnessmark/trust';
import { parsePolicy } from '@witnessmark/verify';
import { lineConfigSchema, loadConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from './config.ts';
import type { DataDirectory } from './data-directory.ts';
import { describeError } from './error-report.ts';
import type { Finding, Observation, Patient } from './examination.ts';
import { DOCUMENT_BYTES, readFile } from './files.ts';
import { openLineConnection } from './identity/connection.ts';
import { examineCertificate, examineEnrolment, examineMachine, examineSigner } from './identity/examinations.ts';
import { PublicLog } from './public-log.ts';
import { withFixture } from './roots/fixture.ts';
import { openTimeService } from './roots/time-service.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Time enough for three people to sign. */
const EXPIRY_WARNING_MS = 30 * DAY_MS;
/** The timestamp is renewed without people. */
const TIMESTAMP_WARNING_MS = 2 * DAY_MS;
const LINE_TIMEOUT_MS = 3000;

interface Examination {
  readonly name: string;
  /** Null when there is nothing to look at. */
  readonly run: (patient: Patient) => Observation | null | Promise<Observation | null>;
}

const EXAMINATIONS: readonly Examination[] = [
  { name: 'runtime', run: () => ({ detail: `Node ${process.versions.node} on ${process.platform}-${process.arch}` }) },
  { name: 'disk', run: withDirectory(({ path }) => examineDisk(path)) },
  { name: 'keys', run: withDirectory(({ keys }) => examineKeys(keys)) },
  { name: 'trusted root', run: withDirectory(examineTrustedRoot) },
  {
    name: 'policy',
    run: withSite(({ policy }) => {
      const { name, version } = parsePolicy(readFile(policy, DOCUMENT_BYTES));
      return { detail: `${name} version ${version}` };
    }),
  },
  { name: 'trust repository', run: withSite(examineRepository) },
  {
    name: 'line config',
    run: withSite(({ lineConfig }) => ({ detail: loadConfig(lineConfig, lineConfigSchema).file })),
  },
  {
    name: 'station config',
    run: withDirectory(({ stationConfig }) => ({ detail: loadConfig(stationConfig, stationConfigSchema).file })),
  },
  { name: 'signer', run: withStation(examineSigner) },
  { name: 'enrolment', run: withStation(examineEnrolment) },
  { name: 'certificate', run: withStation(examineCertificate) },
  { name: 'machine', run: withStation(examineMachine) },
  { name: 'log', run: withSite(examineLog) },
  { name: 'line server', run: examineLine },
  { name: 'time service', run: withDirectory(examineTimeService) },
  { name: 'fixture', run: examineFixture },
];

/** Runs every examination; what one throws is its finding. */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { name, run } of EXAMINATIONS) {
    try {
      const observation = await run(patient);
      if (observation !== null) findings.push({ name, outcome: 'ok', ...observation });
    } catch (error) {
      const { message, code, next } = describeError(error);
      findings.push({
        name,
        outcome: 'FAIL',
        detail: `${message} [${code}]`,
        next: next ?? 'Check the path and its rights.',
      });
    }
  }
  return findings;
}

function withDirectory(
  run: (directory: DataDirectory, patient: Patient) => Observation | null | Promise<Observation | null>,
): Examination['run'] {
  return (patient) => (patient.directory === undefined ? null : run(patient.directory, patient));
}

/** What only an office or a line has; the directory of a station alone holds neither. */
function withSite(run: Parameters<typeof withDirectory>[0]): Examination['run'] {
  return withDirectory((directory, patient) => {
    const isStationOnly = existsSync(directory.stationConfig) && !existsSync(directory.lineConfig);
    return isStationOnly && !existsSync(directory.officeConfig) ? null : run(directory, patient);
  });
}

function withStation(
  run: (config: LoadedConfig<StationConfig>, patient: Patient) => Observation | null | Promise<Observation | null>,
): Examination['run'] {
  return withDirectory(({ stationConfig }, patient) => run(loadConfig(stationConfig, stationConfigSchema), patient));
}

function examineDisk(path: string): Observation {
  const free = freeBytesOf(path);
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  if (free >= 2 * DISK_RESERVES.newWorkBytes) return { detail };
  const outcome = free >= DISK_RESERVES.newWorkBytes ? 'warn' : 'FAIL';
  return { outcome, detail, next: describeReasonCode('LS-302').nextStep };
}

function examineKeys(folder: string): Observation {
  const names = readdirSync(folder).filter((name) => name.endsWith('.pem'));
  for (const name of names) loadSoftwareKey(join(folder, name));
  const next = 'For production, use keys in tokens; production policies refuse these.';
  return { outcome: 'warn', detail: `${names.length} software keys, readable by their owner only`, next };
}

function examineTrustedRoot({ trustedRoot }: DataDirectory, { clock }: Patient): Observation {
  const root = parseTrustedRoot(readFile(trustedRoot, DOCUMENT_BYTES));
  const keys = [...toTrustedKeys(root), ...toTrustedNoteKeys(root, 'logs'), ...toTrustedNoteKeys(root, 'witnesses')];
  const nextEnd = Math.min(...keys.map(({ validUntil }) => validUntil));
  const detail = `${root.name} version ${root.version}, ${keys.length} keys`;
  return judgeExpiry(
    detail,
    nextEnd - clock.now(),
    EXPIRY_WARNING_MS,
    'Have a new trusted root published before keys run out.',
  );
}

async function examineRepository({ repository, pinnedRoot }: DataDirectory, { clock }: Patient): Promise<Observation> {
  const source = new DirectorySource(repository, nodeFiles);
  const { root, timestamp, targets } = await loadRepository(source, readFile(pinnedRoot, DOCUMENT_BYTES));
  const detail = `root ${root.signed.version}, targets ${targets.signed.version}, timestamp ${timestamp.signed.version}`;
  const left = parseInstant(timestamp.signed.expires) - clock.now();
  return judgeExpiry(detail, left, TIMESTAMP_WARNING_MS, 'Publish again, which signs a fresh timestamp.');
}

function judgeExpiry(detail: string, leftMs: number, warningMs: number, next: string): Observation {
  const days = Math.floor(leftMs / DAY_MS);
  if (leftMs >= warningMs) return { detail: `${detail}, good for ${days} days` };
  if (leftMs > 0) return { outcome: 'warn', detail: `${detail}, runs out within ${days + 1} days`, next };
  return { outcome: 'FAIL', detail: `${detail}, ran out`, next };
}

function examineLog({ log: directory, trustedRoot }: DataDirectory): Observation {
  if (readdirSync(directory).length === 0) return { detail: 'empty: nothing was logged yet' };
  const { head } = new PublicLog({ directory, trustedRoot: parseTrustedRoot(readFile(trustedRoot, DOCUMENT_BYTES)) });
  return { detail: `${head.origin}, ${head.treeSize} entries, head signed` };
}

/** Whether the line answers, by the connection the station has, and how far apart the clocks are. */
async function examineLine({ directory, lineUrl, clock }: Patient): Promise<Observation | null> {
  const config = directory === undefined ? undefined : loadConfig(directory.stationConfig, stationConfigSchema);
  const baseUrl = lineUrl ?? config?.values.lineUrl;
  if (baseUrl === undefined) return null;
  const connection = config === undefined ? undefined : await openLineConnection(config, baseUrl);
  const before = clock.now();
  let lineNow: number;
  try {
    const line = new HttpLineService({ baseUrl, timeoutMs: LINE_TIMEOUT_MS, ...connection?.client });
    lineNow = (await line.time()).now;
  } catch (error) {
    const { message, code } = describeError(error);
    if (code === 'ID-109') throw error;
    const next = 'Start it with "witnessmark line serve"; stations wait until it answers.';
    return { outcome: 'warn', detail: `${baseUrl}: ${message}`, next };
  } finally {
    connection?.close();
  }
  const offset = Math.round((before + clock.now()) / 2 - lineNow);
  const detail = `${baseUrl} answers, clock offset ${offset} ms`;
  if (Math.abs(offset) <= CLOCK_LIMITS.saneOffsetMs) return { detail };
  const outcome = Math.abs(offset) <= CLOCK_LIMITS.maxOffsetMs ? 'warn' : 'FAIL';
  return { outcome, detail, next: describeReasonCode('LS-301').nextStep };
}

/** What the time service says now, and which hierarchy it is held against. */
async function examineTimeService(directory: DataDirectory, { clock }: Patient): Promise<Observation | null> {
  const config = loadConfig(directory.stationConfig, stationConfigSchema);
  const keys = toTrustedKeys(parseTrustedRoot(readFile(directory.trustedRoot, DOCUMENT_BYTES)));
  const service = openTimeService(config, keys);
  if (service === null) return null;
  const { source, policy, hierarchy } = service;
  const inForce = hierarchy === null ? undefined : { document: hierarchy.document, now: clock.now() };
  const { evidence, reasons } = judgeTimeSource(source.name, await source.read(), policy, inForce);
  const version = hierarchy === null ? 'without a time hierarchy' : `time hierarchy ${hierarchy.document.version}`;
  const [worst] = reasons;
  if (worst === undefined) return { detail: `${evidence.source} is ${evidence.verdict}, ${version}` };
  const code = worst.code ?? 'LS-301';
  return {
    outcome: evidence.verdict === 'INSANE' ? 'FAIL' : 'warn',
    detail: `${evidence.source} is ${evidence.verdict}, ${version}: ${code}, expected ${worst.expected}; found ${worst.observed}`,
    next: describeReasonCode(code).nextStep,
  };
}

async function examineFixture({ device, profile }: Patient): Promise<Observation | null> {
  if (device === undefined) return null;
  return withFixture({ device, profile, holder: 'doctor' }, async (fixture) => {
    const { driver } = fixture;
    fixture.insert('');
    const identity = await driver.identify();
    if (identity.state === 'DONE') {
      const { model, jedecId } = identity.value;
      return { detail: `${driver.programmer.model} sees a ${model} (${jedecId})` };
    }
    const code = identity.state === 'FAILED' ? identity.code : 'UF-06';
    return { outcome: 'FAIL', detail: `${identity.detail} [${code}]`, next: describeReasonCode(code).nextStep };
  });
}
