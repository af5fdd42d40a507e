// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeUtf8,
  formatEnvelope,
  formatJson,
  fromEnvelope,
  hasCode,
  MAX_ENVELOPE_SIGNATURES,
  sha256Hex,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import {
  formatUnitEvidence,
  parseUnitEvidence,
  UNIT_EVIDENCE_LIMITS,
  UNIT_EVIDENCE_MEDIA_TYPE,
  unitEvidenceFileName,
  type UnitEvidence,
} from '@witnessmark/bundle';

const bytes = (maxLength: number): fc.Arbitrary<Bytes> => fc.uint8Array({ minLength: 1, maxLength });
const envelope: fc.Arbitrary<Envelope> = fc.record({
  payloadType: fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' }),
  payload: fc.uint8Array({ maxLength: 300 }).map((array) => Uint8Array.from(array)),
  signatures: fc.array(
    fc.record({ keyid: fc.string({ maxLength: 64, unit: 'grapheme' }).filter(isShort), sig: bytes(72) }),
    { minLength: 1, maxLength: MAX_ENVELOPE_SIGNATURES },
  ),
});
const releases = fc.uniqueArray(
  fc.record({
    candidate: envelope,
    approvals: fc.uniqueArray(envelope, { maxLength: 3, selector: ({ payload }) => sha256Hex(payload) }),
  }),
  { maxLength: 3, selector: ({ candidate }) => sha256Hex(candidate.payload) },
);
const unitEvidence: fc.Arbitrary<UnitEvidence> = fc.record({
  mediaType: fc.constant(UNIT_EVIDENCE_MEDIA_TYPE),
  serial: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  deviceId: fc.stringMatching(/^[0-9a-f]{64}$/),
  releases,
  entries: fc.array(
    fc.record({
      envelope,
      proof: fc.string({ unit: 'grapheme', maxLength: 200 }).filter((text) => text.isWellFormed()),
    }),
    { maxLength: 5 },
  ),
});

const ENVELOPE: Envelope = {
  payloadType: 'application/vnd.in-toto+json',
  payload: encodeUtf8('{}'),
  signatures: [{ keyid: 'a', sig: Uint8Array.of(1) }],
};
const EMPTY: UnitEvidence = {
  mediaType: UNIT_EVIDENCE_MEDIA_TYPE,
  serial: 'GW-210-7Q3K-9ZD2-M4XT',
  deviceId: '0'.repeat(64),
  releases: [],
  entries: [],
};

function isShort(text: string): boolean {
  return text.isWellFormed() && text.length <= 128;
}

function withPayload(text: string): Envelope {
  return { ...ENVELOPE, payload: encodeUtf8(text) };
}

function parse(value: unknown): UnitEvidence {
  return parseUnitEvidence(encodeUtf8(JSON.stringify(value)));
}

function toValue(evidence: UnitEvidence): ReturnType<typeof JSON.parse> {
  return JSON.parse(new TextDecoder().decode(formatUnitEvidence(evidence)));
}

function refusedWith(code: string, work: () => unknown): boolean {
  try {
    work();
  } catch (error) {
    return hasCode(error, code);
  }
  return false;
}

describe('unit evidence', () => {
  it('reads what it writes, whatever is in it', () => {
    fc.assert(
      fc.property(unitEvidence, (evidence) => {
        const written = formatUnitEvidence(evidence);
        const read = parseUnitEvidence(written);
        expect(read).toEqual(canonical(evidence));
        expect(formatUnitEvidence(read)).toEqual(written);
      }),
    );
  });

  it('writes one text for one content, in whatever order releases and approvals came', () => {
    fc.assert(
      fc.property(unitEvidence, (evidence) => {
        const reversed = {
          ...evidence,
          releases: evidence.releases
            .toReversed()
            .map((release) => ({ ...release, approvals: release.approvals.toReversed() })),
        };
        expect(formatUnitEvidence(reversed)).toEqual(formatUnitEvidence(evidence));
      }),
    );
  });

  it('holds envelopes as log entries hold them', () => {
    fc.assert(
      fc.property(envelope, (value) => {
        expect(formatEnvelope(value)).toEqual(formatJson(fromEnvelope(value)));
      }),
    );
  });

  it('ends in a newline and is one line', () => {
    const text = new TextDecoder().decode(formatUnitEvidence(EMPTY));
    expect(text.indexOf('\n')).toBe(text.length - 1);
  });
});

describe('what is refused', () => {
  const good = toValue({
    ...EMPTY,
    releases: [{ candidate: ENVELOPE, approvals: [withPayload('1'), withPayload('2')] }],
    entries: [{ envelope: ENVELOPE, proof: '' }],
  });

  it('is not the good twin', () => {
    expect(parse(good).entries).toHaveLength(1);
  });

  it.each<[string, (value: typeof good) => void]>([
    ['an unknown member of the file', (value) => (value.note = '')],
    ['an unknown member of a release', (value) => (value.releases[0].note = '')],
    ['an unknown member of an entry', (value) => (value.entries[0].note = '')],
    ['an unknown member of an envelope', (value) => (value.entries[0].envelope.note = '')],
    ['an unknown member of a signature', (value) => (value.entries[0].envelope.signatures[0].note = '')],
    ['a signature without key id', (value) => delete value.entries[0].envelope.signatures[0].keyid],
    ['a missing member', (value) => delete value.releases],
    ['a missing proof', (value) => delete value.entries[0].proof],
    ['another media type', (value) => (value.mediaType = 'application/json')],
    ['a serial that is a path', (value) => (value.serial = '../GW')],
    ['a serial that begins with a dot', (value) => (value.serial = '.GW')],
    ['an empty serial', (value) => (value.serial = '')],
    ['a device id that is none', (value) => (value.deviceId = 'A'.repeat(64))],
    ['approvals out of order', (value) => value.releases[0].approvals.reverse()],
    ['one approval twice', (value) => value.releases[0].approvals.fill(value.releases[0].approvals[0])],
    ['one release twice', (value) => value.releases.push(value.releases[0])],
    ['entries that are no list', (value) => (value.entries = {})],
  ])('%s', (_what, damage) => {
    const value = structuredClone(good);
    damage(value);
    expect(refusedWith('ERR_BUNDLE_FORMAT', () => parse(value))).toBe(true);
  });

  it.each<[string, string, (value: typeof good) => void]>([
    ['an envelope that is none', 'ERR_DSSE_FORMAT', (value) => (value.entries[0].envelope = null)],
    ['an envelope without signatures', 'ERR_DSSE_FORMAT', (value) => (value.releases[0].candidate.signatures = [])],
    ['URL-safe base64', 'ERR_DSSE_FORMAT', (value) => (value.entries[0].envelope.payload = '_-8=')],
  ])('%s', (_what, code, damage) => {
    const value = structuredClone(good);
    damage(value);
    expect(refusedWith(code, () => parse(value))).toBe(true);
  });

  it.each<[string, string, string]>([
    ['no JSON', '', 'ERR_JSON_SYNTAX'],
    ['two values', `${JSON.stringify(good)}{}`, 'ERR_JSON_SYNTAX'],
    ['a key twice', `{"serial":"a","serial":"b"}`, 'ERR_JSON_DUPLICATE_KEY'],
    ['a prototype', `{"__proto__":{}}`, 'ERR_JSON_FORBIDDEN_KEY'],
  ])('%s', (_what, text, code) => {
    expect(refusedWith(code, () => parseUnitEvidence(encodeUtf8(text)))).toBe(true);
  });

  it('by the writer: what the reader would refuse', () => {
    const twice = [withPayload('1'), withPayload('1')];
    expect(() => formatUnitEvidence({ ...EMPTY, serial: 'a/b' })).toThrow(TypeError);
    expect(() => formatUnitEvidence({ ...EMPTY, releases: [{ candidate: ENVELOPE, approvals: twice }] })).toThrow(
      TypeError,
    );
  });
});

describe('limits, reached and passed by one', () => {
  const entry = { envelope: ENVELOPE, proof: '' };

  it('entries', () => {
    const value = toValue({ ...EMPTY, entries: [entry] });
    const many = (count: number) => ({ ...value, entries: Array.from({ length: count }, () => value.entries[0]) });
    expect(parse(many(UNIT_EVIDENCE_LIMITS.maxEntries)).entries).toHaveLength(UNIT_EVIDENCE_LIMITS.maxEntries);
    expect(refusedWith('ERR_BUNDLE_FORMAT', () => parse(many(UNIT_EVIDENCE_LIMITS.maxEntries + 1)))).toBe(true);
  });

  it('releases', () => {
    const many = (count: number): UnitEvidence => ({
      ...EMPTY,
      releases: Array.from({ length: count }, (_, index) => ({ candidate: withPayload(`${index}`), approvals: [] })),
    });
    const { maxReleases } = UNIT_EVIDENCE_LIMITS;
    const atLimit = formatUnitEvidence(many(maxReleases));
    expect(parseUnitEvidence(atLimit).releases).toHaveLength(maxReleases);
    expect(() => formatUnitEvidence(many(maxReleases + 1))).toThrow(TypeError);
    const value = toValue(many(maxReleases));
    value.releases.push(value.releases[0]);
    expect(refusedWith('ERR_BUNDLE_FORMAT', () => parse(value))).toBe(true);
  });

  it('approvals', () => {
    const many = (count: number): UnitEvidence => ({
      ...EMPTY,
      releases: [
        { candidate: ENVELOPE, approvals: Array.from({ length: count }, (_, index) => withPayload(`${index}`)) },
      ],
    });
    const { maxApprovals } = UNIT_EVIDENCE_LIMITS;
    expect(parseUnitEvidence(formatUnitEvidence(many(maxApprovals))).releases[0]?.approvals).toHaveLength(maxApprovals);
    expect(() => formatUnitEvidence(many(maxApprovals + 1))).toThrow(TypeError);
  });

  it('length of a proof', () => {
    const long = (length: number): UnitEvidence => ({ ...EMPTY, entries: [{ ...entry, proof: 'x'.repeat(length) }] });
    const { maxProofLength } = UNIT_EVIDENCE_LIMITS;
    expect(parseUnitEvidence(formatUnitEvidence(long(maxProofLength))).entries).toHaveLength(1);
    expect(() => formatUnitEvidence(long(maxProofLength + 1))).toThrow(TypeError);
  });

  it('bytes', () => {
    const { maxBytes } = UNIT_EVIDENCE_LIMITS;
    const text = new TextDecoder().decode(formatUnitEvidence(EMPTY));
    expect(parseUnitEvidence(encodeUtf8(text + ' '.repeat(maxBytes - text.length)))).toEqual(EMPTY);
    const tooLong = encodeUtf8(text + ' '.repeat(maxBytes + 1 - text.length));
    expect(refusedWith('ERR_BUNDLE_TOO_LARGE', () => parseUnitEvidence(tooLong))).toBe(true);
    const { maxProofLength } = UNIT_EVIDENCE_LIMITS;
    const fat = Array.from({ length: 100 }, () => ({ ...entry, proof: 'x'.repeat(maxProofLength) }));
    expect(refusedWith('ERR_BUNDLE_TOO_LARGE', () => formatUnitEvidence({ ...EMPTY, entries: fat }))).toBe(true);
  });

  it('depth and number of values', () => {
    expect(refusedWith('ERR_JSON_TOO_DEEP', () => parseUnitEvidence(encodeUtf8('['.repeat(9) + ']'.repeat(9))))).toBe(
      true,
    );
    const values = encodeUtf8(`[${'0,'.repeat(120_000)}0]`);
    expect(refusedWith('ERR_JSON_TOO_MANY_VALUES', () => parseUnitEvidence(values))).toBe(true);
  });
});

describe('the name of the file', () => {
  it('is the serial', () => {
    expect(unitEvidenceFileName('GW-210-7Q3K-9ZD2-M4XT')).toBe('GW-210-7Q3K-9ZD2-M4XT.evidence.json');
    expect(unitEvidenceFileName('x'.repeat(128))).toHaveLength(128 + '.evidence.json'.length);
  });

  it.each(['', '.', '..', 'a/b', 'a\\b', 'a b', '-a', 'a\n', 'ä', 'x'.repeat(129)])('is no path: %j', (serial) => {
    expect(() => unitEvidenceFileName(serial)).toThrow(TypeError);
  });
});

function canonical(evidence: UnitEvidence): UnitEvidence {
  const byDigest = (left: Envelope, right: Envelope) => (sha256Hex(left.payload) < sha256Hex(right.payload) ? -1 : 1);
  return {
    ...evidence,
    releases: evidence.releases
      .map(({ candidate, approvals }) => ({ candidate, approvals: approvals.toSorted(byDigest) }))
      .sort((left, right) => byDigest(left.candidate, right.candidate)),
  };
}
