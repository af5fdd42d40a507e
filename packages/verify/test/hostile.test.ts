// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, MAX_ENVELOPE_SIGNATURES, type Envelope } from '@witnessmark/core';
import { formatUnitEvidence, parseUnitEvidence, UNIT_EVIDENCE_LIMITS } from '@witnessmark/bundle';
import { Verifier } from '@witnessmark/verify';
import { readEvidence } from '../src/evidence.ts';
import { newMemory } from '../src/memory.ts';
import { toTrustStore } from '../src/trust-store.ts';
import { testTrustedRoot } from '../../../testing/world/src/evidence/index.ts';
import { findVector } from './vectors.ts';

const { evidence, trust, time } = findVector('one-pass');
const file = parseUnitEvidence(evidence);
const verifier = new Verifier(trust);

describe('bounds', () => {
  it('one signature costs at most one verification, however many keys are trusted and signatures claimed', () => {
    const [, intent] = file.entries;
    const [signature] = intent!.envelope.signatures;
    const repeated: Envelope = {
      ...intent!.envelope,
      signatures: Array.from({ length: MAX_ENVELOPE_SIGNATURES }, () => signature!),
    };
    const { records } = readEvidence(
      { ...file, entries: [{ envelope: repeated, proof: intent!.proof }] },
      toTrustStore(testTrustedRoot()),
      newMemory(),
    );
    expect(records[0]?.signers).toHaveLength(1);
  });

  it('the largest possible number of entries is judged, one more is refused', () => {
    const entry = { ...file.entries[0]!, proof: '' };
    const many = (count: number) => formatAnyway({ ...file, entries: Array.from({ length: count }, () => entry) });
    const judged = verifier.inspect(many(UNIT_EVIDENCE_LIMITS.maxEntries), time);
    expect(judged).toMatchObject({ verdict: 'FAILED', deviceId: file.deviceId });
    const refused = verifier.inspect(many(UNIT_EVIDENCE_LIMITS.maxEntries + 1), time);
    expect(refused.code).toBe('EV-101');
  });

  it('an envelope too large to be a log entry is refused', () => {
    const [first, ...others] = file.entries;
    const padded = { ...first!.envelope, payload: new Uint8Array(50_000) };
    const bytes = formatUnitEvidence({ ...file, entries: [{ ...first!, envelope: padded }, ...others] });
    expect(verifier.inspect(bytes, time).code).toBe('EV-101');
  });

  it('a proof of a million lines, a note of a thousand signatures and a file of brackets are refused', () => {
    const withProof = (proof: string) =>
      formatAnyway({ ...file, entries: file.entries.map((entry) => ({ ...entry, proof })) });
    const { proof } = file.entries[0]!;
    expect(verifier.inspect(withProof(`c2sp.org/tlog-proof@v1\nindex 0\n${'A\n'.repeat(60_000)}`), time).code).toBe(
      'EV-104',
    );
    expect(verifier.inspect(withProof(proof + (proof.split('\n').at(-2) ?? '').repeat(70)), time).code).toBe('EV-105');
    const signatureLine = `${proof.split('\n').at(-2) ?? ''}\n`;
    expect(verifier.inspect(withProof(proof + signatureLine.repeat(1000)), time).code).toMatch(/^EV-10[145]$/);
    expect(verifier.inspect(encodeUtf8('['.repeat(100_000)), time).code).toBe('EV-101');
    expect(verifier.inspect(encodeUtf8(`[${'0,'.repeat(200_000)}0]`), time).code).toBe('EV-101');
    expect(verifier.inspect(new Uint8Array(UNIT_EVIDENCE_LIMITS.maxBytes + 1), time).code).toBe('EV-101');
  });
});

/** Without the writer's own check of its limits. */
function formatAnyway(value: typeof file): Uint8Array {
  const [first] = value.entries;
  const template = formatUnitEvidence({ ...value, entries: [] });
  const entry = JSON.parse(
    new TextDecoder().decode(formatUnitEvidence({ ...value, entries: [{ ...first!, proof: '' }] })),
  ).entries[0];
  const entries = value.entries.map(({ proof }) => ({ ...entry, proof }));
  return encodeUtf8(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(template)), entries }));
}
