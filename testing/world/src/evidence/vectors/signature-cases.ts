// SPDX-License-Identifier: Apache-2.0
/** Signatures that are missing, wrong, by the wrong key, or by a key that was not valid then. */
import { countersign } from '@witnessmark/custody';
import { CALENDAR, CAST, STRANGER } from '../cast.ts';
import {
  changeEnvelope,
  edit,
  flipPayloadBit,
  flipSignatureBit,
  play,
  scene,
  tampered,
  toMade,
  type Made,
  type VectorCase,
} from './scene.ts';
import type { TestKey } from '../test-key.ts';

export const SIGNATURE_CASES: readonly VectorCase[] = [
  wrong('station-signature-bit-flip', 'One bit of the station signature of the event is wrong.', () =>
    tampered((evidence) => changeEnvelope(evidence, -1, (envelope) => flipSignatureBit(envelope, 0))),
  ),
  wrong('line-signature-bit-flip', 'One bit of the countersignature of the event is wrong.', () =>
    tampered((evidence) => changeEnvelope(evidence, -1, (envelope) => flipSignatureBit(envelope, 1))),
  ),
  wrong('intent-payload-bit-flip', 'One bit of the intent is not what was signed.', () =>
    tampered((evidence) => changeEnvelope(evidence, 1, flipPayloadBit)),
  ),
  wrong('payload-type-changed', 'The payload type belongs to the signed bytes.', () =>
    tampered((evidence) => changeEnvelope(evidence, -1, (envelope) => ({ ...envelope, payloadType: 'text/plain' }))),
  ),
  wrong('station-signature-missing', 'Only the line signed the event.', () => eventBy([CAST.line.key])),
  wrong('station-key-unknown', 'The event is signed by a key of no trusted root, in place of the station.', () =>
    eventBy([STRANGER, CAST.line.key]),
  ),
  wrong('station-key-of-another-station', 'ST-08 signed an event that says ST-07.', () =>
    eventBy([CAST.otherStation.key, CAST.line.key]),
  ),
  wrong('station-key-of-another-role', 'An operator key signed in place of the station.', () =>
    eventBy([CAST.operator.key, CAST.line.key]),
  ),
  wrong('line-signature-missing', 'The event was logged without a countersignature.', () =>
    eventBy([CAST.station.key]),
  ),
  wrong('line-key-of-another-line', 'Another line countersigned.', () =>
    eventBy([CAST.station.key, CAST.otherLine.key]),
  ),
  wrong('line-key-of-another-role', 'A second station countersigned in place of the line.', () =>
    eventBy([CAST.station.key, CAST.otherStation.key]),
  ),
  wrong('candidate-payload-bit-flip', 'A30: one bit of the candidate was changed after approval.', () =>
    tampered(({ releases: [release, ...others], ...evidence }) => ({
      ...evidence,
      releases: [{ ...release!, candidate: flipPayloadBit(release!.candidate) }, ...others],
    })),
  ),
  wrong('approval-signature-bit-flip', 'One bit of an approval signature is wrong.', () =>
    tampered(({ releases: [release, ...others], ...evidence }) => {
      const [first, second] = release!.approvals;
      return { ...evidence, releases: [{ ...release!, approvals: [flipSignatureBit(first!), second!] }, ...others] };
    }),
  ),
  wrong(
    'approval-with-a-stray-signature',
    'An approval carries a second signature that nobody can judge.',
    async () => {
      const { evidence } = await play();
      const [release] = evidence.releases;
      const [first, second] = release!.approvals;
      const approvals = [await countersign(first!, STRANGER), second!];
      return toMade({ ...evidence, releases: [{ ...release!, approvals }] });
    },
  ),
  wrong('decision-by-the-station', 'A station, not a supervisor, decided about a line stop.', () =>
    scene({
      before: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + 60_000);
        await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 120_000, {
          signers: [CAST.station.key, CAST.line.key],
        });
      },
    }),
  ),

  outdated('station-key-expired', 'The station key had expired.', () => passAt(CAST.expiredStation)),
  outdated('station-key-revoked', 'The station key had been revoked.', () => passAt(CAST.revokedStation)),
  outdated('line-key-revoked', 'The key of the line had been revoked.', () =>
    eventBy([CAST.station.key, CAST.revokedLine.key]),
  ),
  outdated('author-key-expired', 'The author key had expired when the release was proposed.', () =>
    scene({
      release: {
        edit: (candidate) => ({ ...candidate, proposedBy: { id: CAST.expiredAuthor.owner } }),
        signers: [CAST.expiredAuthor.key],
      },
    }),
  ),
  outdated('approver-key-expired', 'The key of one approver had expired at the time of approval.', () =>
    scene({
      release: {
        approvals: [
          { by: CAST.releaseApprover, at: CALENDAR.firstApprovalAt },
          { by: CAST.expiredApprover, at: CALENDAR.secondApprovalAt },
        ],
      },
    }),
  ),
  outdated('operator-key-expired', 'The operator key had expired when the session was opened.', () => {
    const { key, owner } = CAST.expiredOperator;
    return scene({
      session: {
        edit: (session) => ({
          ...session,
          operator: { ...session.operator, id: owner, credentialKeyDigest: { sha256: key.publicKey.keyid } },
        }),
        signers: [key, CAST.line.key],
      },
    });
  }),
  outdated('supervisor-key-expired', 'The key of the supervisor had expired at the time of the decision.', () =>
    scene({
      before: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + 60_000);
        await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 120_000, {
          edit: (decision) => ({ ...decision, decidedBy: { ...decision.decidedBy, id: CAST.expiredSupervisor.owner } }),
          signers: [CAST.expiredSupervisor.key, CAST.line.key],
        });
      },
    }),
  ),
];

function eventBy(signers: readonly TestKey[]): Promise<Made> {
  return scene({ event: { signers } });
}

/** A whole pass at another station. */
function passAt(station: { readonly key: TestKey; readonly owner: string }): Promise<Made> {
  const signers = [station.key, CAST.line.key];
  return scene({
    session: edit((session) => ({ ...session, station: { ...session.station, id: station.owner } })),
    intent: { signers },
    event: { signers },
  });
}

function wrong(name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code: 'EV-102', make };
}

function outdated(name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code: 'EV-103', make };
}
