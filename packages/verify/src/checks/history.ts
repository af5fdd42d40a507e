// SPDX-License-Identifier: Apache-2.0
/** Do the records join into one complete history that ends well? */
import { describeReasonCode, isReasonCode } from '@witnessmark/core';
import { cannotTell, count, fail, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, lastEvent, recordsOf, type Evidence, type Logged, type LoggedStatement } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';
import { findFlag } from './unit-checks.ts';

export const eventChain: Check = {
  name: 'event chain',
  whyItMatters: 'a failed or second pass could be left out of the history',
  after: ['records', 'one unit', 'log inclusion'],
  run: checkChain,
};

export const intentAndEvent: Check = {
  name: 'intent and event',
  whyItMatters: 'what was done must be what had been declared before the first byte was written',
  after: ['event chain'],
  run: checkPairs,
};

export const outcome: Check = {
  name: 'outcome',
  whyItMatters: 'a complete and honest history can be that of a bad unit',
  after: ['event chain'],
  run: checkOutcome,
};

export const exceptions: Check = {
  name: 'exceptions',
  whyItMatters: 'a stopped unit may go on only after somebody answerable decided so',
  after: ['records'],
  run: checkExceptions,
};

/** The work that can end in a unit fit to ship; hold, scrap, rma and golden cannot. */
const SHIPPABLE_WORK = new Set([
  'provision',
  'program',
  'verify',
  'lock',
  'rework',
  'reflash',
  'release',
  'reissue',
  'relabel',
]);

/** Refusals after which this device may be worked on again only by a supervisor's decision. */
const NEEDS_DISPOSITION = new Set(['LS-101']);

/** Decisions after which a line refuses the device for ever. */
const ENDS_UNIT = new Set(['quarantineUnit', 'scrapUnit']);

function checkChain({ evidence }: Examination): Finding {
  const disorder = findDisorder(evidence);
  if (disorder !== undefined) return fail('EV-106', disorder);
  let previous: string | null = null;
  for (const [index, record] of evidence.chain.entries()) {
    const { seq, previousEventDigest } = record.predicate.event;
    if (seq !== index + 1) return fail('EV-106', `expected number ${index + 1}, ${describeRecord(record)} has ${seq}`);
    if ((previousEventDigest?.sha256 ?? null) !== previous) {
      return fail('EV-106', `${describeRecord(record)} does not follow the record before it`);
    }
    previous = record.payloadDigest;
  }
  const last = evidence.chain.at(-1);
  if (last === undefined) return cannotTell('EV-204', 'the file holds no event');
  if (last.kind === 'intent') {
    return cannotTell('EV-204', `${describeRecord(last)} is open: what came of it is not in this file`);
  }
  return pass(`1 to ${evidence.chain.length}, complete up to entry ${last.entry}`);
}

/** Entries stand in the order of their log; a log holds one entry at one place. */
function findDisorder({ records }: Evidence): string | undefined {
  const newest = new Map<string, number>();
  for (const record of records) {
    if (record.place.state !== 'placed') continue;
    const { index, head } = record.place;
    if (index <= (newest.get(head.origin) ?? -1)) return `${describeRecord(record)} is out of the order of the log`;
    newest.set(head.origin, index);
  }
  return undefined;
}

function checkPairs({ evidence }: Examination): Finding {
  let open: Logged<'intent'> | undefined;
  let closed = 0;
  for (const record of evidence.chain) {
    if (record.kind === 'intent') {
      if (open !== undefined) return fail('EV-117', `${describeRecord(open)} was never closed`);
      open = record;
      continue;
    }
    if (open === undefined) return fail('EV-117', `${describeRecord(record)} has no intent`);
    const difference = findDifference(open, record);
    if (difference !== undefined)
      return fail('EV-117', `${describeRecord(record)} and its intent differ in ${difference}`);
    open = undefined;
    closed += 1;
  }
  return pass(`${count(closed, 'event')}, each as intended`);
}

function findDifference(intent: Logged<'intent'>, { predicate: event }: Logged<'event'>): string | undefined {
  const planned = intent.predicate;
  if (event.intentDigest.sha256 !== intent.payloadDigest) return 'the digest of the intent';
  // A unit may be put on hold instead of what was intended; nothing else may take the place of the intended work.
  const intendedType = event.event.type === 'hold' ? 'hold' : planned.event.type;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['transaction', planned.event.transactionId, event.event.transactionId],
    ['type', intendedType, event.event.type],
    ['station', [planned.station.id, planned.station.line], [event.station.id, event.station.line]],
    ['label', planned.identity.label?.serial, event.identity.label?.serial],
    ['product', planned.product, event.product],
    ['release', planned.release, event.release],
    ['recipe', planned.recipe, event.recipe],
    ['attempt', planned.attempt, event.attempt],
    ['images', planned.components.map(toPlannedImage), event.components.map(toPlannedImage)],
  ];
  return pairs.find(([, left, right]) => !isSame(left, right))?.[0];
}

/** Deep equality of values that came out of JSON. */
function isSame(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left === right;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => isSame((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key]))
  );
}

function toPlannedImage(component: {
  readonly name: string;
  readonly slot: string;
  readonly image: { readonly name: string; readonly length: number; readonly digest: { readonly sha256: string } };
}): readonly (string | number)[] {
  const { name, slot, image } = component;
  return [name, slot, image.name, image.length, image.digest.sha256];
}

function checkOutcome({ evidence }: Examination): Finding {
  const last = lastEvent(evidence);
  if (last === undefined) return cannotTell('EV-204', 'the file holds no closing event');
  const { event, outcome: result, code, checks } = last.predicate;
  if (result !== 'SUCCEEDED') {
    const meaning = code !== null && isReasonCode(code) ? `: ${describeReasonCode(code).operatorText}` : '';
    return fail('EV-113', `the last event ended ${result}${code === null ? '' : ` ${code}`}${meaning}`);
  }
  if (code !== null) return fail('EV-113', `the last event succeeded and still carries the code ${code}`);
  if (!SHIPPABLE_WORK.has(event.type)) return fail('EV-113', `the last event of the unit is "${event.type}"`);
  const failed = checks.find((check) => check.result === 'FAIL');
  if (failed !== undefined) return fail('EV-113', `the last event succeeded, but its check ${failed.name} did not`);
  return pass(`${event.type} succeeded, attempt ${last.predicate.attempt}`);
}

function checkExceptions({ evidence }: Examination): Finding {
  const refusals = recordsOf(evidence, 'refusal');
  const dispositions = recordsOf(evidence, 'disposition');
  for (const decision of dispositions) {
    const { id } = decision.predicate.decidedBy;
    const found = findSigner(decision.signers, { role: 'supervisor', owner: id, scope: undefined, at: decision.at });
    if ('missing' in found) {
      return fail(
        found.missing === 'expired' ? 'EV-103' : 'EV-102',
        `${describeRecord(decision)} is not signed by ${id}`,
      );
    }
    const { action, refusalDigest } = decision.predicate;
    if (decision.subject.digest.sha256 !== refusalDigest.sha256) {
      return fail('EV-107', `${describeRecord(decision)} names another refusal than its subject`);
    }
    if (ENDS_UNIT.has(action)) return fail('EV-113', `${describeRecord(decision)} took the unit out: ${action}`);
  }
  for (const refusal of refusals) {
    if (!NEEDS_DISPOSITION.has(refusal.predicate.code) || !isFollowedByWork(evidence, refusal)) continue;
    const isDecided = dispositions.some(
      (decision) =>
        decision.predicate.refusalDigest.sha256 === refusal.payloadDigest &&
        decision.entry > refusal.entry &&
        !isWorkBetween(evidence, refusal, decision),
    );
    if (!isDecided) {
      return cannotTell(
        'EV-204',
        `work went on after ${describeRecord(refusal)} and no decision about it is in the file`,
      );
    }
  }
  const flag = findFlag(evidence);
  if (flag !== undefined) return flag;
  const checks = recordsOf(evidence, 'unitCheck').length;
  if (refusals.length + dispositions.length + checks === 0) return pass('none in this file');
  const told = [count(refusals.length, 'refusal'), count(dispositions.length, 'decision')];
  return pass([...told, ...(checks === 0 ? [] : [count(checks, 'later check')])].join(', '));
}

function isFollowedByWork({ chain }: Evidence, record: LoggedStatement): boolean {
  return chain.some(({ kind, entry }) => kind === 'intent' && entry > record.entry);
}

function isWorkBetween({ chain }: Evidence, after: LoggedStatement, before: LoggedStatement): boolean {
  return chain.some(({ kind, entry }) => kind === 'intent' && entry > after.entry && entry < before.entry);
}
