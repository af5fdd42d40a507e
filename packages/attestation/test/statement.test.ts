// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, hasCode, type Bytes } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  operatorSession,
  parseStatement,
  parseStatementHeader,
  permit,
  PREDICATE_TYPES,
  readPredicateType,
  STATEMENT_TYPE,
  toStatement,
} from '@witnessmark/attestation';
import { draftSession } from '../../../testing/world/src/evidence/drafts.ts';

const ID = '01950000-0000-7000-8000-000000000001';
const subject = deviceSubject('0'.repeat(64));
const session = draftSession(ID, 'a'.repeat(64));
const payload = buildStatement(operatorSession, subject, session);
const value = JSON.parse(new TextDecoder().decode(payload));

function write(change: (copy: typeof value) => void): Bytes {
  const copy = structuredClone(value);
  change(copy);
  return encodeUtf8(JSON.stringify(copy));
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

describe('statement', () => {
  it('is an in-toto Statement v1 with exactly one subject', () => {
    expect(value).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [subject],
      predicateType: 'https://witnessmark.dev/spec/operator-session/v1',
    });
    expect(parseStatement(operatorSession, payload)).toEqual({ ...value, predicate: session });
    expect(STATEMENT_TYPE).toBe(value._type);
  });

  it('is read in two steps where several types are possible', () => {
    const header = parseStatementHeader(payload);
    expect(header.predicateType).toBe(PREDICATE_TYPES.operatorSession);
    expect(readPredicateType(payload)).toBe(header.predicateType);
    expect(toStatement(operatorSession, header)).toEqual(parseStatement(operatorSession, payload));
    expect(codeOf(() => toStatement(permit, header))).toBe('ERR_STATEMENT_PREDICATE_TYPE');
  });

  it('ignores members it does not know, as in-toto demands', () => {
    const extended = write((copy) => {
      copy.note = 1;
      copy.subject[0].note = 1;
      copy.predicate.note = 1;
      copy.predicate.operator.note = 1;
    });
    expect(parseStatement(operatorSession, extended)).toEqual(parseStatement(operatorSession, payload));
  });

  it('of one type is not read as another', () => {
    expect(codeOf(() => parseStatement(permit, payload))).toBe('ERR_STATEMENT_PREDICATE_TYPE');
  });

  it.each<[string, (copy: typeof value) => void]>([
    ['another statement type', (copy) => (copy._type = 'https://in-toto.io/Statement/v0.1')],
    ['no subject', (copy) => (copy.subject = [])],
    ['two subjects', (copy) => copy.subject.push(copy.subject[0])],
    ['a subject without SHA-256', (copy) => (copy.subject[0].digest = { sha512: '00' })],
    ['a digest in capitals', (copy) => (copy.subject[0].digest.sha256 = 'A'.repeat(64))],
    ['no predicate type', (copy) => delete copy.predicateType],
    ['a predicate that is no object', (copy) => (copy.predicate = 'SUCCEEDED')],
    ['a member of another type', (copy) => (copy.predicate.session.id = 7)],
    ['a missing member', (copy) => delete copy.predicate.operator.id],
    ['a name with a line break', (copy) => (copy.predicate.operator.id = 'op\nadmin')],
    ['a name of 129 characters', (copy) => (copy.predicate.operator.id = 'x'.repeat(129))],
    ['an empty name', (copy) => (copy.predicate.operator.id = '')],
    ['a name that turns the text around', (copy) => (copy.predicate.operator.id = 'op\u202e3310')],
    ['a local time', (copy) => (copy.predicate.session.openedAt = '2026-03-02T06:00:00+01:00')],
    ['30 February', (copy) => (copy.predicate.session.openedAt = '2026-02-30T06:00:00Z')],
    ['an id that is no UUID', (copy) => (copy.predicate.session.id = ID.replace('1', 'A'))],
  ])('is refused with %s', (_what, damage) => {
    expect(codeOf(() => parseStatement(operatorSession, write(damage)))).toBe('ERR_STATEMENT_FORMAT');
  });

  it('is refused when a key is there twice', () => {
    const text = new TextDecoder().decode(payload).replace('"role":', '"role":"supervisor","role":');
    expect(codeOf(() => parseStatement(operatorSession, encodeUtf8(text)))).toBe('ERR_JSON_DUPLICATE_KEY');
  });

  it('has as many subjects as its type allows, and one more is refused', () => {
    const several = { ...operatorSession, maxSubjects: 2 };
    const two = buildStatement(several, [subject, subject], session);
    expect(parseStatement(several, two).subject).toHaveLength(2);
    expect(codeOf(() => parseStatement(operatorSession, two))).toBe('ERR_STATEMENT_FORMAT');
    expect(() => buildStatement(several, [subject, subject, subject], session)).toThrow(TypeError);
  });

  it('is not built from a predicate that could not be read back', () => {
    const broken = { ...session, session: { ...session.session, openedAt: 'yesterday' } };
    expect(() => buildStatement(operatorSession, subject, broken)).toThrow(TypeError);
  });

  it('I16: an error names the place and never the content', () => {
    const damaged = write((copy) => (copy.predicate.operator.id = 'secret\n'));
    try {
      parseStatement(operatorSession, damaged);
      expect.unreachable();
    } catch (error) {
      expect(hasCode(error, 'ERR_STATEMENT_FORMAT')).toBe(true);
      expect(String(error)).toContain('operator.id');
      expect(String(error)).not.toContain('secret');
    }
  });
});
