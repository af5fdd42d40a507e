// SPDX-License-Identifier: Apache-2.0
import { parseEffectivity, type Effectivity, type EffectivityRule } from '@witnessmark/attestation';
import { formatInstant, formatJson, hasCode } from '@witnessmark/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { releaseInEffect, supersede, withdrawRelease } from '../src/index.ts';
import { DAY, NOW } from './support/world.ts';

const RULE: EffectivityRule = {
  sku: 'GW-210',
  hwVersions: ['C', 'D'],
  workOrders: null,
  releaseId: 'GW-210-4.2.1',
  eco: 'ECO-7731',
  validFrom: formatInstant(NOW),
  validUntil: null,
  maxUnits: null,
};
const EMPTY: Effectivity = {
  mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
  plant: 'PEN',
  line: 'L3',
  version: 1,
  rules: [],
  withdrawn: [],
  default: 'STOP',
};
const QUERY = { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: NOW };

const rules = (...list: readonly Partial<EffectivityRule>[]): Effectivity => ({
  ...EMPTY,
  rules: list.map((rule) => ({ ...RULE, ...rule })),
});

function codeOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return ['LS-203', 'LS-205'].find((code) => hasCode(error, code)) ?? String(error);
  }
}

describe('releaseInEffect', () => {
  it('finds the first rule that covers the unit', () => {
    const effectivity = rules({ releaseId: 'first' }, { releaseId: 'second' });
    expect(releaseInEffect(effectivity, QUERY).releaseId).toBe('first');
  });

  it.each([
    ['no rule at all', EMPTY, QUERY],
    ['another SKU', rules({}), { ...QUERY, sku: 'GW-211' }],
    ['another hardware version', rules({}), { ...QUERY, hwVersion: 'B' }],
    ['another work order', rules({ workOrders: ['WO-1'] }), { ...QUERY, workOrder: 'WO-2' }],
    ['no work order where one is asked for', rules({ workOrders: ['WO-1'] }), QUERY],
    ['a millisecond before it begins', rules({}), { ...QUERY, at: NOW - 1 }],
    ['the moment it ends', rules({ validUntil: formatInstant(NOW + DAY) }), { ...QUERY, at: NOW + DAY }],
  ])('stops for %s (LS-205)', (_, effectivity, query) => {
    expect(codeOf(() => releaseInEffect(effectivity, query))).toBe('LS-205');
  });

  it.each([
    ['its work order', rules({ workOrders: ['WO-1'] }), { ...QUERY, workOrder: 'WO-1' }],
    ['any work order', rules({}), { ...QUERY, workOrder: 'WO-7' }],
    ['the last millisecond', rules({ validUntil: formatInstant(NOW + DAY) }), { ...QUERY, at: NOW + DAY - 1 }],
  ])('applies for %s', (_, effectivity, query) => {
    expect(releaseInEffect(effectivity, query).releaseId).toBe('GW-210-4.2.1');
  });

  it('stops for a withdrawn release and does not fall through to an older one (LS-203)', () => {
    const effectivity = rules({ releaseId: 'newer' }, { releaseId: 'older' });
    const withdrawn = withdrawRelease(effectivity, 'newer', 'boot loop', NOW);
    expect(codeOf(() => releaseInEffect(withdrawn, QUERY))).toBe('LS-203');
    expect(releaseInEffect(withdrawRelease(effectivity, 'older', 'boot loop', NOW), QUERY).releaseId).toBe('newer');
  });
});

describe('withdrawRelease', () => {
  it('is one new version, however often', () => {
    const once = withdrawRelease(rules({}), RULE.releaseId, 'boot loop', NOW);
    expect(once).toMatchObject({ version: 2, withdrawn: [{ releaseId: RULE.releaseId, reason: 'boot loop' }] });
    expect(withdrawRelease(once, RULE.releaseId, 'again', NOW + 1)).toBe(once);
  });
});

describe('supersede', () => {
  it('puts the new rule in front and lets what it covers end where it begins', () => {
    const start = NOW + DAY;
    const next = supersede(rules({ releaseId: 'old' }), { ...RULE, validFrom: formatInstant(start) }, NOW);
    expect(next.version).toBe(2);
    expect(releaseInEffect(next, { ...QUERY, at: start - 1 }).releaseId).toBe('old');
    expect(releaseInEffect(next, { ...QUERY, at: start }).releaseId).toBe(RULE.releaseId);
  });

  it('never brings an older release back when the new rule ends', () => {
    const next = supersede(rules({ releaseId: 'old' }), { ...RULE, validUntil: formatInstant(NOW + DAY) }, NOW);
    expect(next.rules).toHaveLength(1);
    expect(codeOf(() => releaseInEffect(next, { ...QUERY, at: NOW + DAY }))).toBe('LS-205');
  });

  it('leaves other products, hardware versions and work orders alone', () => {
    const others = rules({ sku: 'GW-211' }, { hwVersions: ['C', 'E'] }, { workOrders: null });
    expect(supersede(others, { ...RULE, workOrders: ['WO-1'] }, NOW).rules).toHaveLength(4);
    expect(supersede(others, RULE, NOW).rules.map((rule) => rule.sku)).toEqual(['GW-210', 'GW-211', 'GW-210']);
    const orders = rules({ workOrders: ['WO-1'] }, { workOrders: ['WO-1', 'WO-2'] });
    expect(supersede(orders, { ...RULE, workOrders: ['WO-1'] }, NOW).rules).toHaveLength(2);
  });

  it('gives a document that reads back, whatever came before', () => {
    const day = fc.integer({ min: -5, max: 5 });
    const rule = fc
      .record({
        hwVersions: fc.uniqueArray(fc.constantFrom('B', 'C', 'D'), { minLength: 1 }),
        workOrders: fc.option(fc.uniqueArray(fc.constantFrom('WO-1', 'WO-2'))),
        from: day,
        length: fc.option(fc.integer({ min: 0, max: 5 })),
        releaseId: fc.stringMatching(/^r[0-9]{1,3}$/),
      })
      .map(({ from, length, ...rest }) => ({
        ...RULE,
        ...rest,
        validFrom: formatInstant(NOW + from * DAY),
        validUntil: length === null ? null : formatInstant(NOW + (from + length) * DAY),
      }));
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), rule, day, (older, newer, at) => {
        const next = supersede({ ...EMPTY, rules: older }, newer, NOW);
        expect(parseEffectivity(formatJson(next))).toEqual(next);
        // While the new rule applies it decides, for every unit it covers.
        const instant = NOW + at * DAY;
        const isActive =
          Date.parse(newer.validFrom) <= instant &&
          (newer.validUntil === null || instant < Date.parse(newer.validUntil));
        for (const hwVersion of newer.hwVersions) {
          const query = { ...QUERY, hwVersion, workOrder: newer.workOrders?.[0] ?? null, at: instant };
          const covers = newer.workOrders === null || newer.workOrders.length > 0;
          if (isActive && covers) expect(releaseInEffect(next, query)).toEqual(newer);
        }
      }),
    );
  });
});
