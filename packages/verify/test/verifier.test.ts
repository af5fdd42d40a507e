// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, hasCode, RefusedError, type Bytes } from '@witnessmark/core';
import { formatTrustedRoot, type TrustedRoot } from '@witnessmark/attestation';
import { formatUnitEvidence, parseUnitEvidence, type UnitEvidence } from '@witnessmark/bundle';
import { formatPolicy, inspectBundle, Verifier, verifyBundle, type VerificationReport } from '@witnessmark/verify';
import {
  CALENDAR,
  CAST,
  EvidenceWorld,
  PRODUCTION_POLICY,
  testDevice,
  testTrustedRoot,
  TRIAL_POLICY,
} from '../../../testing/world/src/evidence/index.ts';
import { findVector } from './vectors.ts';

const { evidence, trust, time, expected } = findVector('one-pass');

function inspect(changes: Partial<Parameters<typeof inspectBundle>[0]> = {}): VerificationReport {
  return inspectBundle({ evidence, ...trust, time, fileName: expected.file, ...changes });
}

function outcomes(report: VerificationReport): Record<string, string> {
  return Object.fromEntries(report.checks.map(({ name, outcome, code }) => [name, code ?? outcome]));
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('inspectBundle', () => {
  it('says what the unit is, what was checked and what was not', () => {
    const report = inspect();
    expect(report).toMatchObject({
      verdict: 'VERIFIED',
      code: null,
      sku: 'GW-210',
      release: { id: 'gateway-4.2.0' },
      trustedRoot: { name: 'vectors', version: 1 },
      policy: { name: 'production', version: 1 },
      checkedAt: '2026-06-01T00:00:00.000Z',
    });
    expect(`${report.serial ?? ''}.evidence.json`).toBe(expected.file);
    expect(report.notChecked[0]).toBe('witnesses: this policy asks for no witness');
    expect(report.checks.every(({ outcome }) => outcome === 'pass' || outcome === 'skip')).toBe(true);
  });

  it('takes the name apart from its folder, on any system', () => {
    for (const folder of ['', './', '/srv/evidence/', 'C:\\evidence\\', '../..\\x/']) {
      expect(inspect({ fileName: folder + expected.file }).verdict).toBe('VERIFIED');
    }
    expect(inspect({ fileName: `${expected.file}/` }).code).toBe('EV-108');
    expect(inspect({ fileName: expected.file.toLowerCase() }).code).toBe('EV-108');
  });

  it('lists the file name as not checked when there is none', () => {
    const report = inspect({ fileName: undefined });
    expect(report.verdict).toBe('VERIFIED');
    expect(report.notChecked[0]).toBe('file name: no file name was given');
  });

  it('runs every check that an earlier failure does not make pointless', () => {
    const mixed = findVector('station-signature-bit-flip_fail');
    const report = inspectBundle({ evidence: mixed.evidence, ...mixed.trust, time });
    expect(outcomes(report)).toMatchObject({
      'station signature': 'EV-102',
      'line countersignature': 'pass',
      'log inclusion': 'EV-104',
      'event chain': 'skip',
      clock: 'pass',
    });
    expect(report.checks.find(({ name }) => name === 'event chain')).toMatchObject({ blockedBy: 'log inclusion' });
  });

  it('FAILED beats NOT VERIFIED', () => {
    const file = parseUnitEvidence(evidence);
    const withoutProof = (position: number, unit: UnitEvidence): UnitEvidence => ({
      ...unit,
      entries: unit.entries.map((entry, index) => (index === position ? { ...entry, proof: '' } : entry)),
    });
    const untold = inspect({ evidence: formatUnitEvidence(withoutProof(0, file)) });
    expect(untold).toMatchObject({ verdict: 'NOT VERIFIED', code: 'EV-201' });
    const failed = inspect({ evidence: formatUnitEvidence(withoutProof(0, { ...file, serial: 'GW-1' })) });
    expect(failed).toMatchObject({ verdict: 'FAILED', code: 'EV-108' });
  });

  it('a file without records is never VERIFIED', () => {
    const file = parseUnitEvidence(evidence);
    const empty = formatUnitEvidence({ ...file, entries: [], releases: [] });
    expect(inspect({ evidence: empty })).toMatchObject({ verdict: 'NOT VERIFIED', code: 'EV-204' });
  });

  it('names nothing of a file it cannot read', () => {
    expect(inspect({ evidence: encodeUtf8('{') })).toMatchObject({
      verdict: 'FAILED',
      code: 'EV-101',
      serial: null,
      deviceId: null,
      components: [],
    });
  });
});

describe('the stated time', () => {
  const signedAt = CALENDAR.intendedAt + 42_000;

  it('may be the instant of the last record, and not before it', () => {
    expect(inspect({ time: signedAt }).verdict).toBe('VERIFIED');
    expect(inspect({ time: signedAt - 1 })).toMatchObject({ verdict: 'FAILED', code: 'EV-114' });
  });

  it('I19: old evidence stays VERIFIED after every key in it has expired', () => {
    expect(inspect({ time: Date.UTC(2126, 0, 1) }).verdict).toBe('VERIFIED');
  });
});

describe('trusted root and policy', () => {
  const root = testTrustedRoot();
  const broken: readonly (readonly [string, Bytes | TrustedRoot, Bytes])[] = [
    ['no JSON', encodeUtf8('keys'), formatPolicy(PRODUCTION_POLICY)],
    ['a policy in place of the root', formatPolicy(PRODUCTION_POLICY), formatPolicy(PRODUCTION_POLICY)],
    ['a root in place of the policy', formatTrustedRoot(root), formatTrustedRoot(root)],
    ['a log listed twice', { ...root, logs: [...root.logs, ...root.logs] }, formatPolicy(PRODUCTION_POLICY)],
    [
      'a log key that is none',
      { ...root, logs: [{ ...root.logs[0]!, verifierKey: 'log.example/line-1+00000000+AAAA' }] },
      formatPolicy(PRODUCTION_POLICY),
    ],
    [
      'A34: a key that is no point of the curve',
      { ...root, keys: [{ ...root.keys[0]!, publicKey: root.keys[0]!.publicKey.replace(/.{4}$/, 'AAAA') }] },
      formatPolicy(PRODUCTION_POLICY),
    ],
    [
      'base64 that is none',
      { ...root, keys: [{ ...root.keys[0]!, publicKey: '****' }] },
      formatPolicy(PRODUCTION_POLICY),
    ],
  ];

  it.each(broken)('with %s nothing is verified', (_what, trustedRoot, policy) => {
    const report = inspect({ trustedRoot, policy });
    expect(report).toMatchObject({ verdict: 'NOT VERIFIED', code: 'EV-205', trustedRoot: null, policy: null });
    expect(report.checks.slice(1).every(({ blockedBy }) => blockedBy === 'trust')).toBe(true);
    const error = thrownBy(() => new Verifier({ trustedRoot, policy }));
    expect(error).toBeInstanceOf(RefusedError);
    expect(hasCode(error, 'EV-205')).toBe(true);
  });

  it('may be given as bytes or as values', () => {
    const asValues = inspect({ trustedRoot: root, policy: PRODUCTION_POLICY });
    expect(asValues).toEqual(inspect());
  });

  it('a trusted root without the keys makes the same file FAILED', () => {
    expect(inspect({ trustedRoot: { ...root, keys: [] } })).toMatchObject({ verdict: 'FAILED', code: 'EV-102' });
  });

  it('a trusted root without the log makes the same file NOT VERIFIED', () => {
    expect(inspect({ trustedRoot: { ...root, logs: [] } })).toMatchObject({ verdict: 'NOT VERIFIED', code: 'EV-202' });
  });

  it('a key revoked after it signed does not undo what it signed, one revoked before does', () => {
    const { keyid } = CAST.station.key.publicKey;
    const revokedAt = (instant: number): TrustedRoot => ({
      ...root,
      revocations: [{ keyid, revokedAt: new Date(instant).toISOString(), reason: 'lost' }],
    });
    const signedAt = CALENDAR.intendedAt + 42_000;
    expect(inspect({ trustedRoot: revokedAt(signedAt + 1) }).verdict).toBe('VERIFIED');
    expect(inspect({ trustedRoot: revokedAt(signedAt) })).toMatchObject({ verdict: 'FAILED', code: 'EV-103' });
  });

  it('what a trial policy accepts, a production policy refuses', () => {
    const trial = findVector('trial');
    expect(inspectBundle({ evidence: trial.evidence, ...trial.trust, time, policy: TRIAL_POLICY }).verdict).toBe(
      'VERIFIED',
    );
    const refused = inspectBundle({ evidence: trial.evidence, ...trial.trust, time, policy: PRODUCTION_POLICY });
    expect(outcomes(refused)).toMatchObject({
      'measured content': 'EV-306',
      protection: 'EV-306',
      clock: 'EV-305',
      'real device': 'EV-301',
      'no rehearsal': 'EV-302',
      'key custody': 'EV-304',
    });
  });

  it('no key comes from the evidence: a complete world of strangers proves nothing', async () => {
    const world = new EvidenceWorld();
    const unit = world.unit(testDevice('strangers'));
    await world.pass(unit, { session: await world.openSession(), release: await world.release() });
    const bytes = formatUnitEvidence(await world.evidence(unit));
    const nobody = { ...root, keys: [], logs: [], witnesses: [] };
    const report = inspect({ evidence: bytes, trustedRoot: nobody, policy: TRIAL_POLICY, fileName: undefined });
    expect(report).toMatchObject({ verdict: 'FAILED', code: 'EV-102' });
  });
});

describe('verifyBundle', () => {
  it('returns the unit', () => {
    const unit = verifyBundle({ evidence, ...trust, time });
    expect(unit.serial).toBe(expected.file.replace('.evidence.json', ''));
    expect(unit.components.map(({ name }) => name)).toEqual(['firmware']);
    expect(unit.logEntries.map(({ index }) => index)).toEqual([37, 41, 45]);
  });

  it('throws the check that decided', () => {
    const error = thrownBy(() => verifyBundle({ evidence, ...trust, time: CALENDAR.intendedAt }));
    expect(error).toMatchObject({ name: 'VerifyError', code: 'EV-114', check: 'order of times', verdict: 'FAILED' });
  });

  it('throws for an unusable trusted root', () => {
    const error = thrownBy(() => verifyBundle({ evidence, ...trust, trustedRoot: encodeUtf8(''), time }));
    expect(error).toMatchObject({ code: 'EV-205', check: 'trust', verdict: 'NOT VERIFIED' });
  });
});
