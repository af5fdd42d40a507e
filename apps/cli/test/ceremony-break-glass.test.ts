// SPDX-License-Identifier: Apache-2.0
import { breakGlassClosing, parseStatement, type BreakGlassOpening, type TrustedRoot } from '@witnessmark/attestation';
import type { SiteRecordView } from '@witnessmark/api';
import { encodeBase64, parseInstant, sha256Hex, STATEMENT_PAYLOAD_TYPE, type Envelope } from '@witnessmark/core';
import { generateSoftwareKey, signEnvelope, type SoftwareKey } from '@witnessmark/custody';
import { beforeEach, describe, expect, it } from 'vitest';
import { readOpening, signOpening } from '../src/break-glass.ts';
import { LineBreakGlass } from '../src/ceremony/line-break-glass.ts';

const AT = '2026-11-20T08:00:00.000Z';
const PLACE = { plant: 'PEN', line: 'L3', station: null };
const KEYS = {
  's.kim': generateSoftwareKey('ecdsa-sha2-nistp256'),
  'l.meyer': generateSoftwareKey('ecdsa-sha2-nistp256'),
};
const ROLES = { 's.kim': 'supervisor', 'l.meyer': 'approver' } as const;
const ROOT: TrustedRoot = {
  mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
  name: 'house',
  version: 1,
  logs: [],
  witnesses: [],
  keys: Object.entries(KEYS).map(([owner, key]: [string, SoftwareKey]) => ({
    role: ROLES[owner as keyof typeof ROLES],
    publicKey: encodeBase64(key.publicKey.spki),
    owner,
    scope: 'release',
    custody: 'software',
    validFrom: AT,
    validUntil: null,
  })),
  certificateAuthorities: [],
  revocations: [],
};
const ORDER = {
  id: '0197a8a2-0000-8000-8000-000000000001',
  scope: ['attemptLimit'],
  reason: 'forty boards wait in the oven',
  ticket: 'INC-12',
  minutes: 30,
  requestedBy: 's.kim',
  confirmedBy: 'l.meyer',
  openedAt: AT,
};

/** Keeps what it is sent and shows it, as the line's views do. */
class Line {
  readonly records: SiteRecordView[] = [];

  siteRecords = (kind: string): Promise<readonly SiteRecordView[]> =>
    Promise.resolve(this.records.filter((record) => record.kind === kind));

  submit = (envelope: Envelope) => {
    const { predicateType, predicate } = JSON.parse(Buffer.from(envelope.payload).toString()) as {
      predicateType: string;
      predicate: { id: string };
    };
    const kind = /spec\/(break-glass-[a-z]+)\/v1$/.exec(predicateType)![1]!;
    const digest = sha256Hex(envelope.payload);
    const rest = { state: 'open', relatedId: null, station: null, actor: 'x', at: AT };
    this.records.push({ id: predicate.id, kind, digest, index: this.records.length, envelope, ...rest });
    return Promise.resolve({ index: this.records.length } as never);
  };
}

describe('break-glass ceremonies at a line', () => {
  let line: Line;
  let port: LineBreakGlass;

  beforeEach(() => {
    line = new Line();
    port = new LineBreakGlass({ line, trustedRoot: ROOT, place: PLACE });
  });

  it('sign the very statement that the command would', async () => {
    const payload = await port.opening(ORDER);
    const command = await signOpening({
      signer: KEYS['s.kim'],
      trustedRoot: ROOT,
      id: ORDER.id,
      now: parseInstant(AT),
      place: PLACE,
      scope: ORDER.scope as BreakGlassOpening['scope'],
      minutes: ORDER.minutes,
      reason: ORDER.reason,
      ticket: ORDER.ticket,
      second: 'l.meyer',
    });
    const toJson = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());
    expect(toJson(payload)).toEqual(toJson(command.payload));
    const signed = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [KEYS['s.kim']]);
    expect(readOpening(signed, ROOT)).toMatchObject({ id: ORDER.id, confirmedBy: { id: 'l.meyer', role: 'approver' } });
  });

  it('find what is in the log, and close it', async () => {
    expect(await port.find(ORDER.id)).toBeNull();
    const keys = Object.values(KEYS);
    const opened = await port.submit(await signEnvelope(STATEMENT_PAYLOAD_TYPE, await port.opening(ORDER), keys));
    expect(opened.until).toBe('2026-11-20T08:30:00.000Z');
    expect(await port.find(ORDER.id)).toEqual(opened);
    const id = '0197a8a2-0000-8000-8000-000000000002';
    const order = { id, openingId: ORDER.id, done: 'emptied', seal: 'TEB-9', resealedBy: 'l.meyer', resealedAt: AT };
    const closing = await port.closing(order);
    expect(parseStatement(breakGlassClosing, closing)).toMatchObject({
      subject: [{ name: 'opening', digest: { sha256: opened.payloadDigest } }],
      predicate: { openingDigest: { sha256: opened.payloadDigest }, place: PLACE, resealedBy: { role: 'approver' } },
    });
    const closed = await port.submit(await signEnvelope(STATEMENT_PAYLOAD_TYPE, closing, [KEYS['l.meyer']]));
    expect(await port.find(id)).toEqual(closed);
    expect(closed.until).toBeNull();
  });

  it('refuse people who may not, rules that do not exist and openings nobody made', async () => {
    expect(() => port.opening({ ...ORDER, confirmedBy: 'n.lee' })).toThrow(expect.objectContaining({ code: 'CE-214' }));
    expect(() => port.opening({ ...ORDER, scope: ['evidence'] })).toThrow(expect.objectContaining({ code: 'CE-219' }));
    const order = { id: ORDER.id, openingId: ORDER.id, done: 'x', seal: null, resealedBy: 's.kim', resealedAt: AT };
    await expect(port.closing(order)).rejects.toMatchObject({ code: 'CE-219' });
  });
});
