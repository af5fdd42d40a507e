// SPDX-License-Identifier: Apache-2.0
/**
 * What must be true when a simulated shift is over, whatever happened in it (I…). Judges from what is left: devices, log,
 * exported evidence, and what operators were told.
 */
import { formatEnvelope } from '@witnessmark/core';
import { projectEntry } from '@witnessmark/line';
import { fsck } from '@witnessmark/log';
import { openSqliteStore } from '@witnessmark/store';
import { join } from 'node:path';
import { checkChain, checkOneHistory, checkPromises, readUnit, type UnitFacts } from '../crash/checkers.ts';
import { inspectBoard } from '../sim/sim-device.ts';
import { IMAGE_ADDRESS, type SwarmBoard } from './boards.ts';
import type { Site } from './people.ts';
import { judgeSignIns } from './sign-ins.ts';
import type { Told } from './workplace.ts';

/** Where a unit may be at the end of a shift; `null` is one that nobody began. */
const END_STATES: ReadonlySet<string | null> = new Set([null, 'passed', 'failed', 'quarantined', 'scrapped', 'open']);

export async function judgeWorld(site: Site, told: readonly Told[], pending: number): Promise<readonly string[]> {
  const { factory } = site;
  const violations: string[] = [];
  if (pending > 0) violations.push(`I17: ${pending} transactions are open after everything was repaired`);
  for (const board of site.boards) {
    const ofBoard = told.filter((entry) => entry.board === board);
    violations.push(...(await judgeBoard(site, board, ofBoard)).map((text) => `${board.serial}: ${text}`));
  }
  violations.push(...judgeOneToOne(told));
  violations.push(...(await checkPromises(factory)), ...(await checkOneHistory(factory)), ...(await judgeLog(site)));
  violations.push(...(await judgeSignIns(site)));
  return violations;
}

async function judgeBoard(site: Site, board: SwarmBoard, told: readonly Told[]): Promise<readonly string[]> {
  const unit = await readUnit(site.factory, board);
  const facts = site.images.map((image) => inspectBoard(board, IMAGE_ADDRESS, image));
  const holdsImage = facts.some((fact) => fact.holdsImage);
  const isLocked = facts.some((fact) => fact.isLocked);
  const isBlank = facts.every((fact) => fact.isBlank);
  const complete: UnitFacts = { ...unit, holdsImage, isLocked, isBlank };
  const isRefusedOnRecord = told.some(
    ({ result }) => result.phase === 'stopped' && result.resumed && result.record !== null,
  );
  return [...checkChain(complete, isRefusedOnRecord), ...judgeVerdicts(complete, told), ...judgeState(complete)];
}

/** I3, I11: PASS was told only about a unit that anybody can verify, and every unit that can be verified holds its image. */
function* judgeVerdicts(
  { row, chain, report, holdsImage, isLocked }: UnitFacts,
  told: readonly Told[],
): Generator<string> {
  const passed = chain.events.some(({ outcome }) => outcome === 'SUCCEEDED');
  const isTakenBack = row?.state === 'quarantined' || row?.state === 'scrapped';
  if (told.some(({ result }) => result.phase === 'passed') && !passed) yield 'I3: PASS was told and is not in the log';
  const isVerified = report?.verdict === 'VERIFIED';
  if (passed && !isTakenBack && !isVerified)
    yield `I11: passed, now ${row?.state ?? 'unknown'}, and the verifier says ${report?.verdict ?? 'nothing'} ${report?.code ?? ''}`;
  if (isVerified && isTakenBack) yield `I11: VERIFIED, and people decided that the unit is ${row.state}`;
  if (isVerified && !(holdsImage && isLocked)) yield 'I11: VERIFIED, and the device does not hold the locked image';
}

/** I20: nothing is left undecided. */
function* judgeState({ row }: UnitFacts): Generator<string> {
  const state = row?.state ?? null;
  if (!END_STATES.has(state)) yield `I20: the unit is left ${state ?? 'nowhere'}`;
}

/** I8: a serial was told as passed for one device only. */
function* judgeOneToOne(told: readonly Told[]): Generator<string> {
  const devices = new Map<string, string>();
  for (const { result } of told) {
    if (result.phase !== 'passed' || result.serial === null || result.deviceId === null) continue;
    const other = devices.get(result.serial);
    if (other !== undefined && other !== result.deviceId) yield `I8: ${result.serial} passed for two devices`;
    devices.set(result.serial, result.deviceId);
  }
}

/** I4, I18: the log and the views it leads to, judged from its files and its database. */
async function judgeLog({ factory }: Site): Promise<readonly string[]> {
  const { log, logDirectory, directory } = factory.line;
  await log.publish();
  const { findings } = await fsck({
    directory: logDirectory,
    logKey: factory.people.log.verifierKey,
    openStore: () => openSqliteStore({ path: join(directory, 'line.db'), readOnly: true }),
    projection: (index, envelope) => projectEntry(index, formatEnvelope(envelope)),
  });
  return findings.map(({ code, object, detail }) => `I18: ${code} ${object}: ${detail}`);
}
