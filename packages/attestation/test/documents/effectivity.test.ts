// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, hasCode } from '@witnessmark/core';
import { formatEffectivity, parseEffectivity, type Effectivity } from '@witnessmark/attestation';
import { draftEffectivity, draftManifest } from '../../../../testing/world/src/evidence/drafts.ts';

const effectivity: Effectivity = {
  mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
  plant: 'P1',
  line: 'L1',
  version: 57,
  rules: [draftEffectivity(draftManifest())],
  withdrawn: [{ releaseId: 'gateway-4.1.0', reason: 'watchdog', withdrawnAt: '2026-02-01T00:00:00Z' }],
  default: 'STOP',
};

function isRefused(change: (copy: ReturnType<typeof JSON.parse>) => void): boolean {
  const copy = structuredClone(effectivity);
  change(copy);
  try {
    parseEffectivity(encodeUtf8(JSON.stringify(copy)));
  } catch (error) {
    return hasCode(error, 'ERR_DOCUMENT_FORMAT');
  }
  return false;
}

describe('effectivity', () => {
  it('reads what it writes', () => {
    expect(parseEffectivity(formatEffectivity(effectivity))).toEqual(effectivity);
  });

  it.each<[string, (copy: ReturnType<typeof JSON.parse>) => void]>([
    ['a default other than STOP', (copy) => (copy.default = 'LATEST')],
    ['no default', (copy) => delete copy.default],
    ['a rule without hardware versions', (copy) => (copy.rules[0].hwVersions = [])],
    ['a rule for no units', (copy) => (copy.rules[0].maxUnits = 0)],
    ['a rule without a beginning', (copy) => (copy.rules[0].validFrom = null)],
    ['1,001 rules', (copy) => (copy.rules = Array(1001).fill(copy.rules[0]))],
    ['an unknown member of a rule', (copy) => (copy.rules[0].orNewer = true)],
  ])('with %s is refused', (_what, damage) => {
    expect(isRefused(damage)).toBe(true);
  });

  it('with 1,000 rules, open ends and no quota is read', () => {
    expect(
      isRefused((copy) => (copy.rules = Array(1000).fill({ ...copy.rules[0], validUntil: null, maxUnits: null }))),
    ).toBe(false);
  });
});
