// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import {
  badgeEvent,
  badgeSignIn,
  breakGlassClosing,
  breakGlassOpening,
  breakGlassReview,
  cachePurge,
  buildStatement,
  ceremony,
  counterException,
  debugBundle,
  deviceSubject,
  disposition,
  imageUnsealing,
  gateRefusal,
  goldenCheck,
  goldenUnit,
  isGoodUnit,
  keyEnrolment,
  labelEvent,
  mediaTransfer,
  offlineAllowance,
  offlineDelivery,
  offlineRequest,
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
  sessionEnd,
  stationAdmission,
  stationBuild,
  stationEnrolment,
  stationRetirement,
  stationStart,
  timeHierarchy,
  trustApproval,
  trustChange,
  unitCheck,
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
const openingPlace = { plant: 'P1', line: 'L1', station: 'ST-1' };
const aboutOpening = { openingId: ids.next(), openingDigest: { sha256: DIGEST }, place: openingPlace };

const stationPlace = { id: 'ST-07', line: 'L3', plant: 'PEN' };

const EXAMPLES: readonly (readonly [string, PredicateDefinition<unknown>, object])[] = [
  ['operatorSession', operatorSession, session],
  [
    'sessionEnd',
    sessionEnd,
    {
      id: ids.next(),
      sessionId: session.session.id,
      sessionDigest: { sha256: DIGEST },
      operator: { id: 'op-1' },
      station: { id: 'ST-1', line: 'L1' },
      reason: 'signedOut',
      endedAt: NOW,
    },
  ],
  [
    'badgeSignIn',
    badgeSignIn,
    {
      requestId: ids.next(),
      badge: '3310',
      station: { id: 'ST-1', line: 'L1' },
      endsOther: false,
      durationMinutes: 480,
      requestedAt: NOW,
    },
  ],
  [
    'badgeEvent',
    badgeEvent,
    {
      id: ids.next(),
      action: 'enrol',
      person: 'op-lee',
      badgeDigest: { sha256: DIGEST },
      enrolmentId: null,
      pinRecordDigest: { sha256: DIGEST },
      line: 'L1',
      decidedBy: { id: 'sv-kim', role: 'supervisor' },
      reason: 'new hire',
      at: NOW,
    },
  ],
  [
    'breakGlassOpening',
    breakGlassOpening,
    {
      id: ids.next(),
      place: openingPlace,
      scope: ['openStop', 'attemptLimit'],
      reason: 'last board of an order',
      ticket: 'INC-7',
      requestedBy: { id: 'sv-kim', role: 'supervisor' },
      confirmedBy: { id: 'ap-ada', role: 'approver' },
      openedAt: NOW,
      minutes: 30,
    },
  ],
  [
    'breakGlassClosing',
    breakGlassClosing,
    {
      id: ids.next(),
      ...aboutOpening,
      done: 'one board',
      seal: 'S-118',
      resealedBy: { id: 'sv-kim', role: 'supervisor' },
      resealedAt: NOW,
    },
  ],
  [
    'breakGlassReview',
    breakGlassReview,
    {
      id: ids.next(),
      ...aboutOpening,
      verdict: 'justified',
      findings: 'as described',
      reviewedBy: { id: 'ap-cy', role: 'approver' },
      reviewedAt: NOW,
    },
  ],
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
  [
    'imageUnsealing',
    imageUnsealing,
    {
      id: ids.next(),
      transactionId: ids.next(),
      identity,
      product,
      release,
      images: [{ name: 'images/gw.bin', digest: { sha256: DIGEST }, sealedDigest: { sha256: DIGEST } }],
      transportKey: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE',
      permitDigest: { sha256: DIGEST },
      station: { id: 'ST-07', line: 'L1', plant: 'P1' },
      operator,
      requestedAt: NOW,
      clock: intent.timing.clock,
      environment,
    },
  ],
  [
    'offlineRequest',
    offlineRequest,
    {
      id: ids.next(),
      station: { id: 'ST-07', line: 'L1', plant: 'P1' },
      product,
      releaseId: release.id,
      operator,
      requestedAt: NOW,
      clock: intent.timing.clock,
      environment,
    },
  ],
  [
    'offlineAllowance',
    offlineAllowance,
    {
      id: ids.next(),
      number: 3,
      station: { id: 'ST-07', line: 'L1', plant: 'P1' },
      product,
      release,
      operatorId: operator.id,
      sessionDigest: operator.sessionDigest,
      maxUnits: 20,
      spool: { seq: 6, digest: { sha256: DIGEST } },
      requestDigest: { sha256: DIGEST },
      issuedAt: NOW,
      notAfter: NOW,
    },
  ],
  [
    'offlineDelivery',
    offlineDelivery,
    {
      id: ids.next(),
      station: { id: 'ST-07', line: 'L1', plant: 'P1' },
      allowanceDigest: { sha256: DIGEST },
      firstSeq: 7,
      lastSeq: 8,
      previousDigest: { sha256: DIGEST },
      lastDigest: { sha256: DIGEST },
      deliveredAt: NOW,
      clock: intent.timing.clock,
      environment,
    },
  ],
  [
    'cachePurge',
    cachePurge,
    {
      id: ids.next(),
      station: { id: 'ST-07', line: 'L1', plant: 'P1' },
      reason: 'damage',
      entries: [{ digest: DIGEST, bytes: 16_384, finding: 'LS-321' }],
      purgedAt: NOW,
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
  [
    'ceremony',
    ceremony,
    {
      ceremonyId: 'root-2027',
      type: 'trustRoot',
      purpose: 'the first root',
      outcome: 'completed',
      script: { name: 'trust-root', version: 1, digest: { sha256: DIGEST } },
      environment,
      location: 'room K2',
      tool: { version: '0.1.0', digest: { sha256: DIGEST } },
      people: [
        { id: 'a.rossi', role: 'administrator', keyid: DIGEST },
        { id: 'j.abe', role: 'witness', keyid: DIGEST },
        { id: 's.kim', role: 'holder', keyid: null },
      ],
      quorum: { threshold: 2, of: 3 },
      equipment: [{ name: 'card-1', label: 'officer-a', serial: '17402231', bag: null }],
      inputs: [{ name: 'ticket', value: 'ECO-7731' }],
      startedAt: NOW,
      finishedAt: NOW,
      steps: [
        {
          id: 'make-key',
          intendedAt: NOW,
          attempts: 1,
          origin: 'performed',
          performedAt: NOW,
          witnessedAt: NOW,
          resultDigest: { sha256: DIGEST },
          facts: [{ name: 'slot', value: '9c' }],
          digests: [{ name: 'public key', digest: { sha256: DIGEST } }],
        },
      ],
      keys: [
        {
          step: 'make-key',
          name: 'approver',
          change: 'made',
          keyid: DIGEST,
          checkValue: null,
          holder: 's.kim',
          token: { label: 'officer-a', serial: '17402231', manufacturer: 'ACME', model: 'C1', firmware: '1.0' },
          attributes: [{ name: 'CKA_EXTRACTABLE', value: 'false' }],
          grade: 'vendorAttested',
          certificateDigests: [{ sha256: DIGEST }],
        },
      ],
      exceptions: [{ step: null, at: NOW, text: 'the door was open', by: 'j.abe' }],
      breaks: [{ from: NOW, until: NOW, kind: 'break', reason: 'lunch' }],
      open: [],
      journal: { records: 6, digest: { sha256: DIGEST } },
    },
  ],
  [
    'counterException',
    counterException,
    {
      exceptionId: 'E-0001',
      sku: 'GW-210',
      component: 'firmware',
      published: 13,
      allowed: 12,
      requestedBy: { id: 'a.meyer' },
      reason: 'the new radio fails at -20 °C',
      ticket: 'REL-92',
      requestedAt: NOW,
      expiresAt: NOW,
    },
  ],
  [
    'goldenUnit',
    goldenUnit,
    {
      id: ids.next(),
      action: 'retire',
      registrationId: ids.next(),
      kind: 'golden',
      deviceId: DIGEST,
      hardwareUid: { sha256: DIGEST },
      labelSerial: device.serial,
      content: { address: 0, length: 4096, digest: { sha256: DIGEST } },
      site: { plant: 'PEN', line: 'L3' },
      reason: 'worn out',
      person: { id: 'sam', role: 'supervisor' },
      registeredAt: NOW,
    },
  ],
  [
    'goldenCheck',
    goldenCheck,
    {
      id: ids.next(),
      station: { id: 'ST-07', line: 'L3', plant: 'PEN' },
      operatorId: 'op-3310',
      kind: 'knownBad',
      registrationId: ids.next(),
      deviceId: DIGEST,
      observed: { sha256: DIGEST },
      result: 'asExpected',
      code: 'UF-03',
      finding: 'UF-03: content differs',
      checkedAt: NOW,
      clock: event.timing.clock,
      environment: event.environment,
    },
  ],
  [
    'stationBuild',
    stationBuild,
    {
      id: ids.next(),
      place: { plant: 'PEN', line: 'L3' },
      stations: ['ST-07'],
      version: 2,
      manifest: { digest: { sha256: DIGEST }, lines: 412 },
      tolerated: ['hardware *'],
      kit: { digest: { sha256: DIGEST }, files: 9, bytes: 4096 },
      proposedBy: { id: 'sam', role: 'supervisor' },
      approvedBy: { id: 'ben', role: 'approver' },
      reason: 'flashrom 1.4',
      ticket: 'ECO-812',
      proposedAt: NOW,
    },
  ],
  [
    'stationStart',
    stationStart,
    {
      id: ids.next(),
      station: stationPlace,
      keyDigest: { sha256: DIGEST },
      sequence: 2,
      previous: { digest: { sha256: DIGEST }, index: 41 },
      reason: 'prove',
      nonce: 'audit-2026-11-18',
      bootId: 'b1a6',
      fingerprint: { sha256: DIGEST },
      softwareDigest: { sha256: DIGEST },
      build: { digest: { sha256: DIGEST }, version: 2 },
      manifest: { digest: { sha256: DIGEST }, lines: 412 },
      drift: [{ section: 'packages', change: 'added', line: 'flashrom:amd64 1.4.0-1' }],
      driftCount: 1,
      known: { head: { treeSize: 42, rootHash: DIGEST }, lastReceipt: 40, pending: [DIGEST] },
      measuredAt: NOW,
      clock: event.timing.clock,
      quote: {
        attestationKey: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE',
        quoted: 'RkNH',
        signature: 'MEQC',
        registers: [{ index: 7, value: DIGEST }],
      },
    },
  ],
  [
    'stationEnrolment',
    stationEnrolment,
    {
      enrolmentId: ids.next(),
      station: stationPlace,
      keyEnrolment: { sha256: DIGEST },
      certificateRequest: 'MIIB',
      machine: {
        digest: DIGEST,
        parts: { system: DIGEST, board: DIGEST, cpu: DIGEST, disks: 'unreadable', network: DIGEST, tpm: 'absent' },
      },
      attestationKey: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE',
      nonce: DIGEST,
      requestedAt: NOW,
    },
  ],
  [
    'stationAdmission',
    stationAdmission,
    {
      station: stationPlace,
      changeId: 'T-0002',
      certificate: 'MIIB',
      authority: 'MIIB',
      admittedBy: { id: 'alex' },
      admittedAt: NOW,
    },
  ],
  [
    'stationRetirement',
    stationRetirement,
    {
      retirementId: ids.next(),
      station: stationPlace,
      retiredBy: { id: 'sam' },
      reason: 'replaced by ST-09',
      retiredAt: NOW,
    },
  ],
  [
    'mediaTransfer',
    mediaTransfer,
    {
      transferId: ids.next(),
      direction: 'export',
      medium: { id: '5A1C-0B2E', learntFrom: 'filesystemUuid', serial: null, form: 'directory' },
      tree: { files: 2, bytes: 48 },
      expected: null,
      batch: { sequence: 2, previous: { sha256: DIGEST } },
      receivedBatch: null,
      person: { id: 'sam', role: 'supervisor' },
      site: { plant: 'PEN', line: 'L3' },
      result: 'refused',
      code: 'BX-111',
      findings: [{ path: 'holiday.jpg', code: 'BX-111' }],
      findingCount: 1,
      secretClasses: { name: 'default', version: 1, digest: { sha256: DIGEST } },
      purpose: 'release of the week',
      ticket: null,
      transferredAt: NOW,
    },
  ],
  [
    'debugBundle',
    debugBundle,
    {
      act: 'propose',
      bundleId: 'DB-0001',
      requester: { id: 'rita', role: 'author' },
      recipients: [{ id: 'eve', recipient: 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p' }],
      contents: [{ path: 'a.log', bytes: 4, digest: { sha256: DIGEST }, class: 'log', symbols: 'none' }],
      policies: { contentsList: { sha256: DIGEST }, secretClasses: { sha256: DIGEST }, markers: null },
      reseals: null,
      purpose: 'verify failures',
      ticket: 'INC-77',
      proposedAt: NOW,
      expiresAt: NOW,
    },
  ],
  [
    'gateRefusal',
    gateRefusal,
    {
      id: ids.next(),
      action: 'approve',
      code: 'PL-101',
      about: 'P-0193',
      requestedBy: { id: 'a.meyer', role: 'approver', keyid: DIGEST },
      site: { plant: 'P1', line: 'L1' },
      detail: 'a.meyer proposed P-0193 and cannot approve it',
      count: 1,
      firstAt: NOW,
      refusedAt: NOW,
    },
  ],
  [
    'keyEnrolment',
    keyEnrolment,
    {
      owner: 'e.novak',
      role: 'approver',
      scope: 'security',
      uses: ['root', 'targets'],
      custody: 'hardware',
      custodyGrade: 'vendorAttested',
      attestation: { serial: 11_000_003, certificates: ['MIIB', 'MIIC'] },
      rehearsal: false,
      token: { label: 'card e.novak', serial: '11000003' },
      publicKey: 'MFkw',
      requestedAt: NOW,
    },
  ],
  [
    'labelEvent',
    labelEvent,
    {
      id: ids.next(),
      action: 'reprinted',
      labelId: ids.next(),
      replaces: ids.next(),
      labelWas: 'printed',
      copy: 2,
      serial: 'GW-210-7Q3K-9ZD2-M4XT',
      sku: 'GW-210',
      record: { seq: 2, digest: { sha256: DIGEST } },
      previous: { sha256: DIGEST },
      symbolDigest: { sha256: DIGEST },
      printer: 'tcp:10.0.0.5:9100',
      reason: 'smeared',
      authority: { id: 'sv-07', role: 'supervisor' },
      station: { id: 'ST-07', line: 'L3', plant: 'PEN' },
      operator: intent.operator,
      madeAt: NOW,
      clock: intent.timing.clock,
      environment: intent.environment,
    },
  ],
  [
    'unitCheck',
    unitCheck,
    {
      id: ids.next(),
      record: { serial: 'GW-210-7Q3K-9ZD2-M4XT', seq: 2, digest: { sha256: DIGEST }, logIndex: 7 },
      label: { serial: 'GW-210-7Q3K-9ZD2-M4XT', labelId: ids.next(), symbolDigest: { sha256: DIGEST } },
      labelUnit: {
        deviceId: DIGEST,
        record: { serial: 'GW-210-0000-0000-0000', seq: 2, digest: { sha256: DIGEST }, logIndex: 9 },
      },
      measurements: [
        {
          name: 'firmware',
          expected: { sha256: DIGEST },
          digest: { sha256: DIGEST },
          result: 'SUCCESS',
          grade: 'readBack',
        },
      ],
      protection: 'locked',
      result: 'flagged',
      code: 'LB-117',
      findings: [{ code: 'LB-117', expected: 'one label', observed: 'another' }],
      clears: { sha256: DIGEST },
      authority: { id: 'sv-07', role: 'supervisor' },
      station: { id: 'ST-07', line: 'L3', plant: 'PEN' },
      operator: intent.operator,
      checkedAt: NOW,
      clock: intent.timing.clock,
      environment: intent.environment,
    },
  ],
  [
    'timeHierarchy',
    timeHierarchy,
    {
      plant: 'PEN',
      line: 'L3',
      version: 3,
      sources: [{ address: '10.0.0.1', authentication: 'nts', maxStratum: 2 }],
      sane: { maxOffsetMs: 200, maxRootDistanceMs: 500, maxAgeMs: 60_000, minSources: 2, maxFalsetickers: 0 },
      degraded: { maxOffsetMs: 5000, maxRootDistanceMs: 3000, maxAgeMs: 90_000, minSources: 0, maxFalsetickers: 1 },
      minAnsweredPolls: 3,
      minSamples: 3,
      approvedBy: [
        { id: 'b.okafor', role: 'approver' },
        { id: 'sv-07', role: 'supervisor' },
      ],
      issuedAt: NOW,
      validUntil: NOW,
    },
  ],
  [
    'trustChange',
    trustChange,
    {
      changeId: 'T-0001',
      root: { version: 5, digest: { sha256: DIGEST } },
      targets: { version: 89, digest: { sha256: DIGEST } },
      trustedRootVersion: 12,
      enrolments: [{ sha256: DIGEST }],
      proposedBy: { id: 'a.meyer' },
      proposedAt: NOW,
      expiresAt: NOW,
      ticket: 'SEC-7',
      reason: 'a card was lost',
    },
  ],
  [
    'trustApproval',
    trustApproval,
    {
      changeId: 'T-0001',
      decision: 'approve',
      holder: { id: 'c.lind' },
      meaning: 'compared with the paper',
      ticket: 'SEC-7',
      approvedAt: NOW,
      expiresAt: NOW,
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
