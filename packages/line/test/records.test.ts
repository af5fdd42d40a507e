// SPDX-License-Identifier: Apache-2.0
import { formatInstant, type ReasonCode } from '@witnessmark/core';
import type {
  OperatorSession,
  Permit,
  PermitRequest,
  ProvisioningEvent,
  ProvisioningIntent,
} from '@witnessmark/attestation';
import { STATEMENT_PAYLOAD_TYPE } from '@witnessmark/core';
import { signEnvelope } from '@witnessmark/custody';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAST } from './support/cast.ts';
import { PRODUCT, TestReleases, toManifest } from './support/release.ts';
import type { Signed } from './support/signed.ts';
import { codeOf, toDevice, World, type Changes } from './support/world.ts';

let world: World;
let session: Signed<OperatorSession>;
let number = 100;
const device = (): ReturnType<typeof toDevice> => toDevice((number += 1));

beforeAll(async () => {
  world = await World.open({ rules: { refusalsPerMinute: 1000 } });
  session = await world.signIn();
});
afterAll(() => world.close());

/** Refusals of these tests open stops; a supervisor releases the station each time. */
async function releaseStation(): Promise<void> {
  for (const stop of await world.line.openStops()) {
    const about = { ...stop, refusalDigest: { sha256: stop.refusalDigest } };
    const action = stop.code === 'LS-101' || stop.code === 'LS-104' ? 'quarantineUnit' : 'releaseStation';
    await world.line.submit((await world.disposition(about, { action })).envelope);
  }
}

describe('an intent', () => {
  interface Asked {
    readonly request: Signed<PermitRequest>;
    readonly permit: Signed<Permit>;
  }

  async function ask(): Promise<Asked> {
    const request = await world.permitRequest(device(), session);
    return { request, permit: await world.permit(request) };
  }

  it('is logged with the permit that covers it', async () => {
    const { request, permit } = await ask();
    const intent = await world.intent(request, permit);
    const entry = await world.line.submit(intent.envelope, { permit: permit.envelope });
    expect(entry.envelope.signatures.map(({ keyid }) => keyid)).toEqual([
      CAST.station.key.publicKey.keyid,
      CAST.evidence.key.publicKey.keyid,
    ]);
    expect(await world.line.unit(request.predicate.identity.deviceId)).toMatchObject({
      state: 'open',
      openTransaction: permit.predicate.transactionId,
    });
  });

  const changed = async (changes: (asked: Asked) => Changes<ProvisioningIntent>, asked?: Asked): Promise<string> => {
    const { request, permit } = asked ?? (await ask());
    const intent = await world.intent(request, permit, changes({ request, permit }));
    return codeOf(world.line.submit(intent.envelope, { permit: permit.envelope }));
  };

  const cases: readonly (readonly [string, ReasonCode, () => Promise<string>])[] = [
    [
      'without its permit',
      'LS-504',
      async () => {
        const { request, permit } = await ask();
        return codeOf(world.line.submit((await world.intent(request, permit)).envelope));
      },
    ],
    [
      'with the permit of another unit',
      'LS-504',
      async () => {
        const { request, permit } = await ask();
        const other = await ask();
        const intent = await world.intent(request, permit, { permitDigest: { sha256: other.permit.digest } });
        return codeOf(world.line.submit(intent.envelope, { permit: other.permit.envelope }));
      },
    ],
    [
      'with a permit other than it names',
      'LS-504',
      async () => {
        const { request, permit } = await ask();
        const intent = await world.intent(request, permit);
        return codeOf(world.line.submit(intent.envelope, { permit: (await ask()).permit.envelope }));
      },
    ],
    [
      'with a permit the station signed itself',
      'LS-504',
      async () => {
        const { request, permit } = await ask();
        const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, permit.envelope.payload, [CAST.station.key]);
        return codeOf(world.line.submit((await world.intent(request, permit)).envelope, { permit: envelope }));
      },
    ],
    [
      'with a permit of another line',
      'LS-504',
      async () => {
        const { request, permit } = await ask();
        const envelope = await signEnvelope(STATEMENT_PAYLOAD_TYPE, permit.envelope.payload, [CAST.otherEvidence.key]);
        return codeOf(world.line.submit((await world.intent(request, permit)).envelope, { permit: envelope }));
      },
    ],
    [
      'of another transaction than permitted',
      'LS-504',
      () => changed(({ permit }) => ({ event: { ...eventOf(permit), transactionId: world.newId() } })),
    ],
    ['for another lot than permitted', 'LS-504', () => changed(() => ({ product: { ...PRODUCT, lot: 'X' } }))],
    [
      'with another candidate than permitted',
      'LS-504',
      () =>
        changed(({ permit }) => ({
          release: { ...permit.predicate.release, candidateDigest: { sha256: '12'.repeat(32) } },
        })),
    ],
    [
      'for a release that is not in force',
      'LS-203',
      () => changed(({ permit }) => ({ release: { ...permit.predicate.release, id: 'gw-0.9' } })),
    ],
    [
      'with another recipe',
      'LS-506',
      () => changed(() => ({ recipe: { name: 'quick', version: '1', digest: { sha256: '34'.repeat(32) } } })),
    ],
    [
      'A15 with another image',
      'LS-506',
      () =>
        changed(() => ({
          components: [
            {
              name: 'application',
              slot: '0x1000',
              image: { name: 'images/application.bin', digest: { sha256: 'ba'.repeat(32) }, length: 4096 },
            },
          ],
        })),
    ],
    [
      'of a kind that needs an order (A72)',
      'LS-506',
      () => changed(({ permit }) => ({ event: { ...eventOf(permit), type: 'rework' } })),
    ],
    [
      'with a number out of order',
      'LS-106',
      () => changed(({ permit }) => ({ event: { ...eventOf(permit), seq: 2 } })),
    ],
    [
      'with a predecessor it does not have',
      'LS-106',
      () =>
        changed(({ permit }) => ({ event: { ...eventOf(permit), previousEventDigest: { sha256: '56'.repeat(32) } } })),
    ],
    ['with a wrong attempt', 'LS-106', () => changed(() => ({ attempt: 2 }))],
    [
      'that names another station',
      'LS-502',
      () => changed(({ request, permit }) => ({ station: { ...stationOf(request, permit), id: 'ST-2' } })),
    ],
    [
      'from a station in another plant',
      'LS-502',
      () => changed(({ request, permit }) => ({ station: { ...stationOf(request, permit), plant: 'P2' } })),
    ],
    [
      'dated an hour ago',
      'LS-301',
      () =>
        changed(() => ({
          timing: { intendedAt: formatInstant(world.clock.now() - 3_600_000), clock: world.clockEvidence },
        })),
    ],
    [
      'by a station other than the permitted one',
      'LS-504',
      async () => {
        const { request, permit } = await ask();
        const there = await world.signIn('secondStation', 'secondOperator');
        const intent = await world.intent(
          {
            ...request,
            predicate: {
              ...request.predicate,
              operator: (await world.permitRequest(device(), there)).predicate.operator,
            },
          },
          permit,
          {},
          { station: 'secondStation' },
        );
        return codeOf(world.line.submit(intent.envelope, { permit: permit.envelope }));
      },
    ],
  ];

  it.each(cases)('%s: %s', async (_, code, run) => {
    expect(await run()).toBe(code);
    await releaseStation();
  });

  it('is covered to the last millisecond of its permit, and no longer', async () => {
    const first = await ask();
    const second = await ask();
    world.clock.instant = Date.parse(first.permit.predicate.expiresAt) - 1;
    const intent = await world.intent(first.request, first.permit);
    await world.line.submit(intent.envelope, { permit: first.permit.envelope });
    world.clock.advance(1);
    expect(await changed(() => ({}), second)).toBe('LS-504');
  });

  it('is refused when its release was withdrawn after the permit', async () => {
    const asked = await ask();
    world.releases.withdrawn = [
      { releaseId: 'gw-1.4.0', reason: 'bug', withdrawnAt: formatInstant(world.clock.now()) },
    ];
    expect(await changed(() => ({}), asked)).toBe('LS-203');
    world.releases.withdrawn = [];
  });

  it('is refused when a stop was opened after the permit', async () => {
    const asked = await ask();
    await world.line.submit(
      (await world.stationRefusal({ code: 'LS-101', kind: 'LINE_STOP', deviceId: device().deviceId })).envelope,
    );
    expect(await changed(() => ({}), asked)).toBe('LS-503');
    await releaseStation();
  });

  const eventOf = (permit: Signed<Permit>): ProvisioningIntent['event'] => ({
    id: world.newId(),
    type: 'provision',
    seq: permit.predicate.chain.nextSeq,
    previousEventDigest: permit.predicate.chain.previousEventDigest,
    transactionId: permit.predicate.transactionId,
    reason: null,
    supersedes: null,
  });

  const stationOf = (_request: unknown, permit: Signed<Permit>): ProvisioningIntent['station'] => ({
    ...permit.predicate.station,
    softwareDigest: { sha256: '11'.repeat(32) },
    programmer: { model: 'simulated', serial: null, firmware: null },
  });
});

describe('an event', () => {
  type Sign = (intent: Signed<ProvisioningIntent>) => Changes<ProvisioningEvent>;
  const outcomeOf = async (changes: Sign, station: 'station' | 'secondStation' = 'station'): Promise<string> => {
    const intent = await world.begin(device(), session);
    const event = await world.event(intent, changes(intent), { station });
    return codeOf(world.line.submit(event.envelope));
  };
  const measured = (measurement: Partial<ProvisioningEvent['components'][number]['measurement']>): Sign => {
    return ({ predicate }) => ({
      components: predicate.components.map(({ name, slot, image }) => ({
        name,
        slot,
        image: { ...image, mediaType: 'application/octet-stream' },
        version: '1.4.0',
        securityCounter: 2,
        measurement: {
          recipe: 'flash-range',
          digest: image.digest,
          result: 'SUCCESS',
          grade: 'readBack',
          ...measurement,
        },
      })),
    });
  };
  const at = (milliseconds: number): string => formatInstant(world.clock.now() + milliseconds);
  const timing = (times: Partial<ProvisioningEvent['timing']>): Sign => {
    return ({ predicate }) => ({
      timing: {
        startedAt: predicate.timing.intendedAt,
        programmedAt: at(0),
        measuredAt: at(0),
        signedAt: at(0),
        clock: world.clockEvidence,
        ...times,
      },
    });
  };
  const link = (changes: Partial<ProvisioningEvent['event']>): Sign => {
    return ({ predicate, digest }) => ({
      event: {
        ...predicate.event,
        id: world.newId(),
        seq: predicate.event.seq + 1,
        previousEventDigest: { sha256: digest },
        ...changes,
      },
    });
  };

  it('closes its intent', async () => {
    const target = device();
    await world.provision(target, session);
    expect(await world.line.unit(target.deviceId)).toMatchObject({ state: 'passed', openTransaction: null });
  });

  it.each([
    ['FAILED', 'failed', 'UF-03'],
    ['ABORTED', 'failed', 'UF-02'],
    ['INDETERMINATE', 'held', 'UF-06'],
  ] as const)('that says %s leaves the unit %s', async (outcome, state, code) => {
    const target = device();
    await world.provision(target, session, { outcome, code });
    expect(await world.line.unit(target.deviceId)).toMatchObject({ state });
  });

  it('delivered late is as good as any', async () => {
    const intent = await world.begin(device(), session);
    const event = await world.event(intent);
    world.clock.advance(6 * 3_600_000);
    await world.line.submit(event.envelope);
    session = await world.signIn();
  });

  const cases: readonly (readonly [string, ReasonCode, () => Promise<string>])[] = [
    ['that measured another content', 'UF-03', () => outcomeOf(measured({ digest: { sha256: 'cd'.repeat(32) } }))],
    ['that measured nothing', 'UF-03', () => outcomeOf(measured({ digest: null }))],
    ['whose measurement failed', 'UF-03', () => outcomeOf(measured({ result: 'FAIL' }))],
    ['whose measurement was not run', 'UF-03', () => outcomeOf(measured({ result: 'NOT_RUN' }))],
    [
      'A54 that found the lock open',
      'UF-04',
      () =>
        outcomeOf(() => ({
          security: {
            writeProtection: { state: 'open', grade: 'readBack' },
            debugPort: null,
            lifecycleState: 'open',
            rollbackCounterAfter: null,
          },
        })),
    ],
    ['with a failed check', 'LS-506', () => outcomeOf(() => ({ checks: [{ name: 'dupKey', result: 'FAIL' }] }))],
    ['with a code beside success', 'LS-506', () => outcomeOf(() => ({ code: 'UF-03' }))],
    ['without a code beside failure', 'LS-506', () => outcomeOf(() => ({ outcome: 'FAILED' }))],
    ['with a code nobody knows', 'LS-506', () => outcomeOf(() => ({ outcome: 'FAILED', code: 'XX-1' }))],
    ['of another kind', 'LS-506', () => outcomeOf(link({ type: 'rework' }))],
    ['that holds a unit which succeeded', 'LS-506', () => outcomeOf(link({ type: 'hold' }))],
    ['with another intent digest', 'LS-506', () => outcomeOf(() => ({ intentDigest: { sha256: '99'.repeat(32) } }))],
    ['with another product', 'LS-506', () => outcomeOf(() => ({ product: { ...PRODUCT, workOrder: 'WO-2' } }))],
    [
      'by another operator',
      'LS-506',
      () => outcomeOf(({ predicate }) => ({ operator: { ...predicate.operator, id: 'op-ben' } })),
    ],
    ['with another attempt', 'LS-506', () => outcomeOf(() => ({ attempt: 2 }))],
    [
      'with another release',
      'LS-506',
      () => outcomeOf(({ predicate }) => ({ release: { ...predicate.release, releaseCounter: 99 } })),
    ],
    [
      'whose mark was taken away',
      'LS-506',
      () => outcomeOf(() => ({ environment: { simulated: false, rehearsal: false, breakGlass: null } })),
    ],
    [
      'of another transaction',
      'LS-106',
      () =>
        outcomeOf(({ predicate, digest }) => link({ transactionId: world.newId() })({ predicate, digest } as never)),
    ],
    ['with a number out of order', 'LS-106', () => outcomeOf(link({ seq: 3 }))],
    ['with another predecessor', 'LS-106', () => outcomeOf(link({ previousEventDigest: { sha256: '98'.repeat(32) } }))],
    ['signed before it was measured', 'LS-301', () => outcomeOf(timing({ signedAt: at(0), measuredAt: at(1) }))],
    ['started before it was intended', 'LS-301', () => outcomeOf(timing({ startedAt: at(-1) }))],
    ['A18 from the future', 'LS-301', () => outcomeOf(timing({ signedAt: at(5001) }))],
    [
      'that names another station',
      'LS-502',
      () => outcomeOf(({ predicate }) => ({ station: { ...predicate.station, id: 'ST-2' } })),
    ],
    ['A23 of another station than began', 'LS-105', () => outcomeOf(() => ({}), 'secondStation')],
    [
      'for a device without intent',
      'LS-106',
      async () => {
        const request = await world.permitRequest(device(), session);
        const event = await world.event(await world.intent(request, await world.permit(request)));
        return codeOf(world.line.submit(event.envelope));
      },
    ],
    [
      'for a unit that is closed already',
      'LS-106',
      async () => {
        const intent = await world.begin(device(), session);
        await world.line.submit((await world.event(intent)).envelope);
        return codeOf(world.line.submit((await world.event(intent)).envelope));
      },
    ],
  ];

  it.each(cases)('%s: %s', async (_, code, run) => {
    expect(await run()).toBe(code);
    await releaseStation();
  });

  it('5 s ahead of the line is still now', async () => {
    const intent = await world.begin(device(), session);
    await world.line.submit((await world.event(intent, timing({ signedAt: at(5000) })(intent))).envelope);
  });

  it('may hold a unit whose state nobody knows', async () => {
    const intent = await world.begin(device(), session);
    const event = await world.event(intent, {
      ...link({ type: 'hold' })(intent),
      outcome: 'INDETERMINATE',
      code: 'UF-06',
    });
    await world.line.submit(event.envelope);
  });

  it('may add the mark of a simulated device', async () => {
    const request = await world.permitRequest(device(), session, {
      environment: { simulated: false, rehearsal: false, breakGlass: null },
    });
    const permit = await world.permit(request);
    const intent = await world.intent(request, permit);
    await world.line.submit(intent.envelope, { permit: permit.envelope });
    const event = await world.event(intent, { environment: { simulated: true, rehearsal: false, breakGlass: null } });
    await world.line.submit(event.envelope);
  });
});

describe('a recipe with keys', () => {
  it('A42 A55 takes each public key once, whoever is first', async () => {
    const manifest = toManifest({ recipe: { name: 'keyed', version: '1', steps: ['program', 'measure', 'key'] } });
    const keyed = await World.open({ releases: await TestReleases.create(manifest) });
    try {
      const badge = await keyed.signIn();
      const close = async (target: number, digests: readonly string[]): Promise<unknown> => {
        const intent = await keyed.begin(toDevice(target), badge, 'station', manifest);
        const keys = digests.map((sha256) => ({
          purpose: 'idevid',
          origin: 'deviceGenerated' as const,
          publicKeyDigest: { sha256 },
          certificateDigest: null,
          custodyGrade: 'selfReported' as const,
        }));
        return keyed.line.submit((await keyed.event(intent, { keys }, { manifest })).envelope);
      };
      await close(1, ['aa'.repeat(32)]);
      expect(await codeOf(close(2, []))).toBe('UF-05');
      expect(await codeOf(close(3, ['aa'.repeat(32)]))).toBe('LS-102');
      expect((await keyed.line.openStops()).map(({ code }) => code)).toEqual(['LS-102']);
    } finally {
      await keyed.close();
    }
  });
});
