// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  disposition,
  isGoodUnit,
  operatorSession,
  parseStatement,
  permit,
  permitRequest,
  PREDICATE_TYPES,
  provisioningEvent,
  provisioningIntent,
  refusal,
  releaseApproval,
  releaseCandidate,
  releaseWithdrawal,
  type PredicateDefinition,
  type ProvisioningEvent,
} from '@witnessmark/attestation';
import { CALENDAR } from '../../../../testing/world/src/evidence/cast.ts';
import {
  draftApproval,
  draftCandidate,
  draftDisposition,
  draftEvent,
  draftIntent,
  draftManifest,
  draftRefusal,
  draftSession,
  IdSource,
  testDevice,
} from '../../../../testing/world/src/evidence/drafts.ts';

const DIGEST = 'ab'.repeat(32);
const NOW = '2026-03-02T06:10:00.000Z';
const ids = new IdSource();
const device = testDevice('one');
const manifest = draftManifest();
const session = draftSession(ids.next(), DIGEST);
const intent = draftIntent({
  ids,
  device,
  manifest,
  candidateDigest: DIGEST,
  session,
  sessionDigest: DIGEST,
  chain: { seq: 1, previousEventDigest: null },
  attempt: 1,
  at: CALENDAR.intendedAt,
});
const event = draftEvent(ids, intent, DIGEST, manifest);
const refused = draftRefusal(ids, device, CALENDAR.intendedAt);
const { identity, product, operator, environment, release } = intent;

/** One complete example of each predicate. */
const EXAMPLES: readonly (readonly [string, PredicateDefinition<unknown>, object])[] = [
  ['operatorSession', operatorSession, session],
  [
    'permitRequest',
    permitRequest,
    {
      requestId: ids.next(),
      transactionId: ids.next(),
      identity,
      product,
      releaseId: null,
      operator,
      requestedAt: NOW,
      clock: intent.timing.clock,
      environment,
    },
  ],
  [
    'permit',
    permit,
    {
      requestId: ids.next(),
      transactionId: ids.next(),
      deviceId: device.deviceId,
      labelSerial: device.serial,
      product,
      release,
      station: { id: 'ST-07', line: 'L1', plant: 'P1' },
      operatorId: 'op-3310',
      chain: { nextSeq: 1, previousEventDigest: null },
      attempt: 1,
      issuedAt: NOW,
      expiresAt: NOW,
    },
  ],
  ['provisioningIntent', provisioningIntent, intent],
  ['provisioningEvent', provisioningEvent, event],
  ['refusal', refusal, refused],
  ['disposition', disposition, draftDisposition(ids, refused, DIGEST, CALENDAR.intendedAt)],
  ['releaseCandidate', releaseCandidate, draftCandidate(manifest)],
  [
    'releaseApproval',
    releaseApproval,
    draftApproval(draftCandidate(manifest), { id: 'b.okafor', role: 'release' }, CALENDAR.firstApprovalAt),
  ],
  [
    'releaseWithdrawal',
    releaseWithdrawal,
    {
      releaseId: manifest.releaseId,
      withdrawnBy: { id: 'c.lind', role: 'security' },
      reason: 'watchdog',
      ticket: 'REL-91',
      withdrawnAt: NOW,
    },
  ],
] as const;

describe.each(EXAMPLES)('%s', (name, definition, example) => {
  const subject = deviceSubject(device.deviceId);

  it('reads what it writes', () => {
    const payload = buildStatement(definition, subject, example);
    expect(parseStatement(definition, payload)).toMatchObject({ subject: [subject], predicate: example });
    expect(definition.predicateType).toBe(PREDICATE_TYPES[name as keyof typeof PREDICATE_TYPES]);
  });

  it('is refused when any member that it always has is missing, null or of another type', () => {
    for (const path of listPaths(example)) {
      for (const wrong of [undefined, { nobody: 'expects this' }]) {
        const damaged = changeAt(example, path, wrong);
        expect(() => buildStatement(definition, subject, damaged), path.join('.')).toThrow(TypeError);
      }
    }
  });

  it('holds printable names of up to 128 characters, in any script', () => {
    const texts = listPaths(example).filter((path) => isName(valueAt(example, path)));
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.string({ unit: 'grapheme', minLength: 1 }), (path, text) => {
        const changed = changeAt(example, path, text);
        if (!definition.schema.safeParse(changed).success) return;
        const read = parseStatement(definition, buildStatement(definition, subject, changed));
        expect(valueAt(read.predicate as object, path)).toBe(text);
      }),
    );
  });

  it('survives any rearrangement of its members', () => {
    const text = JSON.stringify({
      predicate: reverseKeys(example),
      predicateType: definition.predicateType,
      subject: [subject],
      _type: 'https://in-toto.io/Statement/v1',
    });
    expect(parseStatement(definition, encodeUtf8(text)).predicate).toEqual(example);
  });
});

describe('every predicate type', () => {
  it('has an example here', () => {
    expect(EXAMPLES.map(([name]) => name).sort()).toEqual(Object.keys(PREDICATE_TYPES).sort());
  });
});

describe('isGoodUnit', () => {
  const withMeasurement = (change: object): ProvisioningEvent => ({
    ...event,
    components: event.components.map((part) => ({ ...part, measurement: { ...part.measurement, ...change } })),
  });

  it('is true for an event that succeeded with a matching label and equal measurements', () => {
    expect(isGoodUnit(event)).toBe(true);
  });

  it.each<[string, ProvisioningEvent]>([
    ['that failed', { ...event, outcome: 'FAILED' }],
    ['that nobody knows the end of', { ...event, outcome: 'INDETERMINATE' }],
    ['with a label that does not match', { ...event, identity: { ...identity, identityMatch: 'MISMATCH' } }],
    ['with a label that was not read', { ...event, identity: { ...identity, identityMatch: 'NOT_READ' } }],
    ['without a measurement', withMeasurement({ result: 'NOT_RUN', digest: null })],
    ['with a measurement without digest', withMeasurement({ digest: null })],
    ['with another digest', withMeasurement({ digest: { sha256: DIGEST } })],
  ])('is false for an event %s', (_what, changed) => {
    expect(isGoodUnit(changed)).toBe(false);
  });
});

type Path = readonly string[];

/** Members that are always there: not optional, and not inside a list's elements beyond the first. */
function listPaths(value: object, path: Path = []): Path[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const here = [...path, key];
    return typeof inner === 'object' && inner !== null && !isEmptyList(inner)
      ? [...(Array.isArray(value) ? [] : [here]), ...listPaths(inner, here)]
      : Array.isArray(value)
        ? []
        : [here];
  });
}

function isEmptyList(value: object): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isName(value: unknown): boolean {
  return typeof value === 'string';
}

function valueAt(value: object, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
}

function changeAt(value: object, path: Path, replacement: unknown): object {
  const copy = structuredClone(value) as Record<string, unknown>;
  const parent = path.slice(0, -1).reduce((inner, key) => inner[key] as Record<string, unknown>, copy);
  const last = path.at(-1) as string;
  if (replacement === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = replacement;
  return copy;
}

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reverseKeys(inner)]),
  );
}
