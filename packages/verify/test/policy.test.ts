// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, hasCode } from '@witnessmark/core';
import { formatPolicy, parsePolicy, type Policy } from '@witnessmark/verify';
import { PRODUCTION_POLICY } from '../../../testing/world/src/evidence/index.ts';
import { isGradeEnough } from '../src/policy.ts';

function parse(value: unknown): Policy {
  return parsePolicy(encodeUtf8(JSON.stringify(value)));
}

function refusal(value: unknown): unknown {
  try {
    parse(value);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('policy', () => {
  it('reads what it writes', () => {
    expect(parsePolicy(formatPolicy(PRODUCTION_POLICY))).toEqual(PRODUCTION_POLICY);
  });

  it.each([
    ['an unknown member', { ...PRODUCTION_POLICY, skip: ['label'] }],
    ['an unknown member inside', { ...PRODUCTION_POLICY, allow: { ...PRODUCTION_POLICY.allow, everything: true } }],
    ['a missing member', { ...PRODUCTION_POLICY, witnesses: undefined }],
    ['a threshold of nobody', { ...PRODUCTION_POLICY, approvals: { threshold: 0, requiredRoles: [] } }],
    ['half a person', { ...PRODUCTION_POLICY, approvals: { threshold: 1.5, requiredRoles: [] } }],
    ['a negative number of witnesses', { ...PRODUCTION_POLICY, witnesses: { threshold: -1 } }],
    ['insane clocks', { ...PRODUCTION_POLICY, clock: { accept: ['SANE', 'INSANE'] } }],
    ['no clock at all', { ...PRODUCTION_POLICY, clock: { accept: [] } }],
    ['an unknown grade', { ...PRODUCTION_POLICY, grades: { content: 'secured', protection: 'readBack' } }],
    ['another media type', { ...PRODUCTION_POLICY, mediaType: 'application/json' }],
  ])('I20: refuses %s', (_what, value) => {
    expect(hasCode(refusal(value), 'ERR_DOCUMENT_FORMAT')).toBe(true);
  });

  it('orders grades: requested < commanded < readBack < measured < attested', () => {
    expect(isGradeEnough('readBack', 'readBack')).toBe(true);
    expect(isGradeEnough('attested', 'readBack')).toBe(true);
    expect(isGradeEnough('commanded', 'readBack')).toBe(false);
    expect(isGradeEnough('requested', 'commanded')).toBe(false);
    expect(isGradeEnough('readBack', 'measured')).toBe(false);
  });
});
