// SPDX-License-Identifier: Apache-2.0
/** The promises (I…) as functions over what a run left: the log, the views, the device, what people were told. */
import { encodeHex, equalBytes, type Bytes } from '@witnessmark/core';
import {
  parseStatementHeader,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  toStatement,
  type ProvisioningEvent,
  type ProvisioningIntent,
} from '@witnessmark/attestation';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { TileStorage } from '@witnessmark/log';
import { Frontier, hashLeaf, openCheckpoint, TILE_WIDTH } from '@witnessmark/tlog';
import type { UnitRow } from '@witnessmark/store';
import type { VerificationReport } from '@witnessmark/verify';
import { inspectBoard, type BoardFacts, type SimBoard } from '../sim/sim-device.ts';
import type { SimFactory } from '../sim/sim-factory.ts';
import type { Run } from './run.ts';

/** Where the release of the simulated factory puts its image. */
const IMAGE_ADDRESS = 0x1000;

/** A unit's chain, read from its exported evidence. */
interface Chain {
  readonly intents: readonly ProvisioningIntent[];
  readonly events: readonly ProvisioningEvent[];
}

/** Everything there is to know about a unit, from its device, the views and its exported evidence. */
export interface UnitFacts extends BoardFacts {
  readonly row: UnitRow | undefined;
  readonly chain: Chain;
  readonly report: VerificationReport | null;
}

/** What is wrong after a run, by promise; empty when nothing is. */
export async function checkRun(factory: SimFactory, run: Run): Promise<readonly string[]> {
  const facts = { ...(await readUnit(factory, run.board)), ...inspectBoard(run.board, IMAGE_ADDRESS, factory.image) };
  return [
    ...run.violations,
    ...checkChain(facts),
    ...checkAcknowledged(run, facts),
    ...(await checkPromises(factory)),
    ...checkRecovery(run),
    ...checkVerifier(facts),
    ...checkUntouched(factory, run),
  ];
}

export async function readUnit(
  factory: SimFactory,
  board: SimBoard,
): Promise<Pick<UnitFacts, 'row' | 'chain' | 'report'>> {
  const evidence = await factory.evidence(board);
  return {
    row: await factory.line.store.views.unit(board.deviceId),
    chain: evidence === null ? { intents: [], events: [] } : readChain(evidence),
    report: evidence === null ? null : factory.verify(evidence),
  };
}

/**
 * I1, I14: one intent has at most one event, each id is there once, and a unit that was written has a record or an open intent.
 * What was made without the line and refused afterwards has the refusal for a record (`isRefusedOnRecord`).
 */
export function* checkChain(
  { row, chain, holdsImage, isLocked }: UnitFacts,
  isRefusedOnRecord = false,
): Generator<string> {
  const ids = [...chain.intents, ...chain.events].map(({ event }) => event.id);
  if (new Set(ids).size !== ids.length) yield 'I14: one id is in the log twice';
  const good = chain.events.findIndex(({ outcome }) => outcome === 'SUCCEEDED');
  if (good >= 0 && good < chain.events.length - 1) yield 'I14: a unit that had passed was worked on again';
  if (chain.intents.length > chain.events.length + 1) yield 'I2: an intent was begun while another one was open';
  for (const intent of chain.intents) {
    const closing = chain.events.filter(({ event }) => event.transactionId === intent.event.transactionId);
    if (closing.length > 1) yield `I1: ${closing.length} events close one intent`;
  }
  const isOpen = row !== undefined && row.open_transaction !== null;
  const last = chain.events.at(-1);
  const hasRecord = isOpen || last !== undefined || isRefusedOnRecord;
  if ((holdsImage || isLocked) && !hasRecord) yield 'I1: the unit was written and has no record';
  if (holdsImage && last?.outcome === 'ABORTED') yield 'I1: the unit holds the image and is recorded as untouched';
  if (isOpen) yield 'I17: the intent is still open after recovery';
}

/** I3, I20: PASS was told only about a unit that has everything, and it is in the log. */
function* checkAcknowledged({ told, board }: Run, { chain, holdsImage, isLocked }: UnitFacts): Generator<string> {
  for (const result of told) {
    if (result.phase !== 'passed') continue;
    const last = chain.events.at(-1);
    if (result.deviceId !== board.deviceId) yield 'I3: PASS for a device that was not in the fixture';
    if (last?.outcome !== 'SUCCEEDED') yield 'I3: PASS was told and no event of success is in the log';
    if (!holdsImage || !isLocked) yield 'I1: PASS was told about a unit that does not hold the locked image';
  }
}

/** I3, I5: what the line has promised is in the log, and no promise was ahead of what was durable. */
export async function checkPromises(factory: SimFactory): Promise<readonly string[]> {
  const violations: string[] = [];
  const size = (await factory.line.store.head())?.treeSize ?? 0;
  for (const { index, leafHash } of factory.wire.promised.slice(-8)) {
    if (index >= size) violations.push(`I3: entry ${index} was promised and the log has ${size}`);
    else if (!equalBytes(hashLeaf(await factory.line.log.readEntry(index)), leafHash)) {
      violations.push(`I3: entry ${index} is not the one that was promised`);
    }
  }
  return violations;
}

/** I17: recovering again changes nothing and says the same. */
function* checkRecovery({ finalReports: [first, second], logSizes }: Run): Generator<string> {
  if (first.pending > 0) yield `I17: ${first.pending} transactions are still open after recovery`;
  if (logSizes[0] !== logSizes[1]) yield 'I17: a second recovery wrote to the log';
  const describe = ({ units }: typeof first): string =>
    units.map(({ phase, code, transactionId }) => `${transactionId} ${phase} ${code ?? ''}`).join('\n');
  // A transaction that was given up is forgotten at once; every other keeps its verdict until the next unit.
  const lasting = { ...first, units: first.units.filter(({ record }) => record !== null) };
  if (describe(lasting) !== describe(second)) yield `I17: recovery said ${describe(lasting)}, then ${describe(second)}`;
}

/** The offline verifier is the oracle: VERIFIED exactly when log and device agree that the unit is good. */
function* checkVerifier({ report, chain, holdsImage, isLocked }: UnitFacts): Generator<string> {
  const isVerified = report?.verdict === 'VERIFIED';
  if (isVerified && !(holdsImage && isLocked)) yield 'I11: VERIFIED, and the device does not hold the locked image';
  if (!isVerified && chain.events.at(-1)?.outcome === 'SUCCEEDED') {
    yield `I11: a unit that passed is ${report?.verdict ?? 'without evidence'} ${report?.code ?? ''}`;
  }
}

/** I9: the board that was only offered to a stopped station is as it came. */
function* checkUntouched(factory: SimFactory, { second }: Run): Generator<string> {
  if (second === null) return;
  if (!inspectBoard(second, IMAGE_ADDRESS, factory.image).isBlank) yield 'I9: a stopped station wrote to the next unit';
}

function readChain(evidence: Bytes): Chain {
  const intents: ProvisioningIntent[] = [];
  const events: ProvisioningEvent[] = [];
  for (const { envelope } of parseUnitEvidence(evidence).entries) {
    const header = parseStatementHeader(envelope.payload);
    if (header.predicateType === PREDICATE_TYPES.provisioningIntent) {
      intents.push(toStatement(provisioningIntent, header).predicate);
    } else if (header.predicateType === PREDICATE_TYPES.provisioningEvent) {
      events.push(toStatement(provisioningEvent, header).predicate);
    }
  }
  return { intents, events };
}

/**
 * I4: every checkpoint that was ever shown is a head of the one history that the log now holds. Rebuilds the tree from its
 * entries, so it is run once, after all runs.
 */
export async function checkOneHistory(factory: SimFactory): Promise<readonly string[]> {
  const shown = new Map<number, Set<string>>();
  for (const { checkpoint } of factory.wire.promised) {
    const { treeSize, rootHash } = openCheckpoint(checkpoint, factory.people.log.verifierKey);
    const roots = shown.get(treeSize) ?? new Set();
    shown.set(treeSize, roots.add(encodeHex(rootHash)));
  }
  const violations: string[] = [];
  const tree = Frontier.empty();
  for await (const entry of readPublishedEntries(factory)) {
    tree.append(hashLeaf(entry));
    const others = shown.get(tree.size);
    if (others === undefined) continue;
    const root = encodeHex(tree.root());
    for (const other of others) if (other !== root) violations.push(`I4: at size ${tree.size} another root was shown`);
    shown.delete(tree.size);
  }
  for (const treeSize of shown.keys())
    violations.push(`I4: a head of ${treeSize} was shown and the log has ${tree.size}`);
  return violations;
}

/** Every entry, from the files that the log shows to the world. */
async function* readPublishedEntries(factory: SimFactory): AsyncGenerator<Bytes> {
  const { log, logDirectory } = factory.line;
  await log.publish();
  const tiles = new TileStorage(logDirectory);
  for (let first = 0; first < log.size; first += TILE_WIDTH) {
    yield* await tiles.readEntries(first / TILE_WIDTH, Math.min(TILE_WIDTH, log.size - first));
  }
}
