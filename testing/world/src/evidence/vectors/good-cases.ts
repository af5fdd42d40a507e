// SPDX-License-Identifier: Apache-2.0
/** Evidence that verifies: the twins of everything that does not. */
import { formatInstant } from '@witnessmark/core';
import { CALENDAR, CAST, WITNESSES } from '../cast.ts';
import { byBadge, draftManifest } from '../drafts.ts';
import { edit, play, scene, toMade, type VectorCase } from './scene.ts';

const HOUR_MS = 60 * 60 * 1000;

export const GOOD_CASES: readonly VectorCase[] = [
  good('one-pass', 'A unit programmed once, by the book.', () => scene({})),
  good('signed-in-by-badge', 'The operator showed badge and PIN, which the line checked and says so.', () =>
    scene({
      session: {
        ...edit((draft) => byBadge(draft, CAST.line.key.publicKey.keyid)),
        signers: [CAST.line.key],
      },
    }),
  ),
  good('second-attempt', 'The first attempt failed and is part of the history; the second succeeded.', () =>
    scene({
      event: edit((event) => ({
        ...event,
        outcome: 'FAILED',
        code: 'UF-02',
        components: event.components.map((component) => ({
          ...component,
          measurement: { ...component.measurement, result: 'NOT_RUN', digest: null, grade: 'requested' },
        })),
        security: { ...event.security, writeProtection: { state: 'open', grade: 'readBack' } },
      })),
      after: async ({ world, unit, session, release }) => {
        await world.pass(unit, { session, release, attempt: 2, at: CALENDAR.intendedAt + HOUR_MS });
      },
    }),
  ),
  good('rework-with-newer-release', 'Two passes under two releases with rising counters.', () =>
    scene({
      after: async ({ world, unit, session }) => {
        const release = await world.release({ manifest: draftManifest('gateway-4.3.0', 42) });
        await world.pass(unit, {
          session,
          release,
          at: CALENDAR.intendedAt + HOUR_MS,
          intent: edit((intent) => ({ ...intent, event: { ...intent.event, type: 'rework', reason: 'RW-7' } })),
        });
      },
    }),
  ),
  good('label-stop-decided', 'A label mismatch stopped the line, a supervisor decided, work went on.', () =>
    scene({
      before: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + 60_000);
        await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 120_000);
      },
    }),
  ),
  good('station-released', 'A decision about the station, not the device, that ended a stop of this device.', () =>
    scene({
      before: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + 60_000);
        await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 120_000, {
          edit: (decision) => ({ ...decision, action: 'releaseStation', deviceId: null }),
        });
      },
    }),
  ),
  good('proven-to-two-heads', 'The session is proven to an older head of the same log than the rest.', async () => {
    const { world, session, unit, evidence } = await play();
    const proof = await world.log.prove(session.index, { treeSize: session.index + 2 });
    const [first, ...others] = evidence.entries;
    return toMade({ ...evidence, entries: [{ envelope: (first ?? unit.entries[0]!).envelope, proof }, ...others] });
  }),
  good('three-approvals', 'More approvals than the policy asks for.', () =>
    scene({
      release: {
        approvals: [
          { by: CAST.releaseApprover, at: CALENDAR.firstApprovalAt },
          { by: CAST.qualityApprover, at: CALENDAR.firstApprovalAt },
          { by: CAST.securityApprover, at: CALENDAR.secondApprovalAt },
        ],
      },
    }),
  ),
  good('recipe-without-lock', 'The release demands no lock, so none has to be shown.', () =>
    scene({
      release: {
        manifest: { ...draftManifest(), recipe: { name: 'spi-nor', version: '3', steps: ['program', 'measure'] } },
      },
      event: edit((event) => ({
        ...event,
        security: { ...event.security, writeProtection: { state: 'open', grade: 'readBack' } },
      })),
    }),
  ),
  good(
    'assigned-label',
    'The serial is assigned, not derived; the station read the label and it matched.',
    async () => {
      const serial = 'GW210-004418';
      const { evidence } = await play({
        release: { manifest: { ...draftManifest(), labelRule: 'assigned' } },
        intent: edit((intent) => ({
          ...intent,
          identity: { ...intent.identity, label: { raw: serial, symbology: 'd2', serial, partNumber: null } },
        })),
      });
      return toMade({ ...evidence, serial });
    },
  ),
  good('ended-after-session', 'The session ended while the unit was being worked on.', () =>
    scene({
      session: edit((session) => ({
        ...session,
        session: { ...session.session, expiresAt: formatInstant(CALENDAR.intendedAt + 10_000) },
      })),
    }),
  ),
  {
    ...good('witnessed', 'Two witnesses with different owners cosigned the head.', () =>
      scene({ proof: { witnesses: WITNESSES.slice(0, 2), witnessedAt: CALENDAR.sessionExpiresAt } }),
    ),
    policy: 'witnessed-policy.json',
  },
  {
    ...good('trial', 'Everything that a trial policy allows and a production policy refuses.', () =>
      scene({
        session: edit((session) => ({ ...session, station: { ...session.station, id: CAST.softStation.owner } })),
        intent: {
          edit: (intent) => ({
            ...intent,
            environment: { simulated: true, rehearsal: true, breakGlass: null },
            timing: { ...intent.timing, clock: { ...intent.timing.clock, verdict: 'DEGRADED' } },
          }),
          signers: [CAST.softStation.key, CAST.line.key],
        },
        event: {
          edit: (event) => ({
            ...event,
            components: event.components.map((component) => ({
              ...component,
              measurement: { ...component.measurement, grade: 'commanded' },
            })),
            security: { ...event.security, writeProtection: { state: 'locked', grade: 'commanded' } },
          }),
          signers: [CAST.softStation.key, CAST.line.key],
        },
      }),
    ),
    policy: 'trial-policy.json',
  },
];

function good(name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name, why, verdict: 'VERIFIED', code: null, make };
}
