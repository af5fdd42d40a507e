// SPDX-License-Identifier: Apache-2.0
/** Which release applies (spec/effectivity.md): pure, the same answer at station, line and gate. */
import type { Effectivity, EffectivityRule } from '@witnessmark/attestation';
import { formatInstant, parseInstant, RefusedError, type Instant } from '@witnessmark/core';

export interface EffectivityQuery {
  readonly sku: string;
  readonly hwVersion: string;
  readonly workOrder: string | null;
  readonly at: Instant;
}

/**
 * The first rule that covers the unit. Throws LS-205 when none does, and LS-203 when that rule's release was withdrawn:
 * a withdrawal never falls through to an older release.
 */
export function releaseInEffect(effectivity: Effectivity, query: EffectivityQuery): EffectivityRule {
  const rule = effectivity.rules.find((candidate) => covers(candidate, query));
  if (rule === undefined) {
    const order = query.workOrder === null ? 'without a work order' : `work order ${query.workOrder}`;
    throw new RefusedError(
      'LS-205',
      `no rule of ${effectivity.plant} ${effectivity.line} version ${effectivity.version} covers ${query.sku} hardware ${query.hwVersion}, ${order}, at ${formatInstant(query.at)}`,
    );
  }
  const withdrawal = effectivity.withdrawn.find((entry) => entry.releaseId === rule.releaseId);
  if (withdrawal !== undefined) {
    throw new RefusedError('LS-203', `${rule.releaseId} was withdrawn at ${withdrawal.withdrawnAt}`);
  }
  return rule;
}

/**
 * The next version of `effectivity` with `rule` in front. Older rules that the new one covers wholly end where it begins,
 * so that nothing older comes back when it ends; those that would never apply again are dropped.
 */
export function supersede(effectivity: Effectivity, rule: EffectivityRule, now: Instant): Effectivity {
  const start = parseInstant(rule.validFrom);
  const kept = effectivity.rules
    .map((older) => (coversRule(rule, older) ? endAt(older, start) : older))
    .filter((older) => endOf(older) > Math.max(parseInstant(older.validFrom), now));
  return { ...effectivity, version: effectivity.version + 1, rules: [rule, ...kept] };
}

/** The next version of `effectivity` with `releaseId` withdrawn; the same document when it is withdrawn already. */
export function withdrawRelease(
  effectivity: Effectivity,
  releaseId: string,
  reason: string,
  withdrawnAt: Instant,
): Effectivity {
  if (effectivity.withdrawn.some((entry) => entry.releaseId === releaseId)) return effectivity;
  return {
    ...effectivity,
    version: effectivity.version + 1,
    withdrawn: [...effectivity.withdrawn, { releaseId, reason, withdrawnAt: formatInstant(withdrawnAt) }],
  };
}

function covers(rule: EffectivityRule, query: EffectivityQuery): boolean {
  return (
    rule.sku === query.sku &&
    rule.hwVersions.includes(query.hwVersion) &&
    (rule.workOrders === null || (query.workOrder !== null && rule.workOrders.includes(query.workOrder))) &&
    parseInstant(rule.validFrom) <= query.at &&
    query.at < endOf(rule)
  );
}

function coversRule(newer: EffectivityRule, older: EffectivityRule): boolean {
  const { workOrders } = newer;
  return (
    newer.sku === older.sku &&
    older.hwVersions.every((version) => newer.hwVersions.includes(version)) &&
    (workOrders === null || (older.workOrders?.every((order) => workOrders.includes(order)) ?? false))
  );
}

function endAt(rule: EffectivityRule, end: Instant): EffectivityRule {
  return endOf(rule) <= end ? rule : { ...rule, validUntil: formatInstant(end) };
}

/** Exclusive. */
function endOf(rule: EffectivityRule): Instant {
  return rule.validUntil === null ? Infinity : parseInstant(rule.validUntil);
}
