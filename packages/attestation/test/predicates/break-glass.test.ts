// SPDX-License-Identifier: Apache-2.0
import { BREAK_GLASS_SCOPES, breakGlassOpening, MAX_BREAK_GLASS_MINUTES } from '@witnessmark/attestation';
import { describe, expect, it } from 'vitest';

const OPENING = {
  id: '01900000-0000-7000-8000-000000000021',
  place: { plant: 'P1', line: 'L1', station: null },
  scope: ['openStop'],
  reason: 'r',
  ticket: 'INC-7',
  requestedBy: { id: 'sam', role: 'supervisor' },
  confirmedBy: { id: 'ben', role: 'approver' },
  openedAt: '2026-03-02T06:05:00.000Z',
  minutes: 30,
};
const isTaken = (change: object): boolean => breakGlassOpening.schema.safeParse({ ...OPENING, ...change }).success;

describe('A9: a break-glass opening', () => {
  it('suspends rules of a closed list, at least one', () => {
    expect(isTaken({ scope: [...BREAK_GLASS_SCOPES] })).toBe(true);
    expect(isTaken({ scope: [] })).toBe(false);
    for (const scope of ['evidence', 'signatures', 'measurement', 'approvals', 'quota', 'readBack', 'log', '*']) {
      expect(isTaken({ scope: [scope] })).toBe(false);
      expect(BREAK_GLASS_SCOPES).not.toContain(scope);
    }
  });

  it('is for one minute to one working day', () => {
    expect([0, 1, MAX_BREAK_GLASS_MINUTES, MAX_BREAK_GLASS_MINUTES + 1].map((minutes) => isTaken({ minutes }))).toEqual(
      [false, true, true, false],
    );
  });

  it('says why, and under which ticket', () => {
    expect(isTaken({ reason: '' })).toBe(false);
    expect(isTaken({ ticket: '' })).toBe(false);
  });
});
