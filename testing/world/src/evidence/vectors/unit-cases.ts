// SPDX-License-Identifier: Apache-2.0
/** What was observed on the device, who stood at the station, and the marks that records carry. */
import { formatInstant, type ReasonCode } from '@witnessmark/core';
import type { OperatorSession, ProvisioningEvent, ProvisioningIntent } from '@witnessmark/attestation';
import { CALENDAR, CAST, STRANGER } from '../cast.ts';
import { byBadge } from '../drafts.ts';
import type { Making } from '../world.ts';
import { logged } from './entries.ts';
import { edit, OTHER_DEVICE, play, scene, tampered, toMade, type VectorCase } from './scene.ts';

const HOUR_MS = 60 * 60 * 1000;

export const UNIT_CASES: readonly VectorCase[] = [
  observed(
    'EV-109',
    'measured-digest-differs',
    'What was read back is not the image, and the event claims success.',
    (event) => measured(event, { digest: { sha256: OTHER_DEVICE.deviceId } }),
  ),
  observed('EV-109', 'not-measured', 'The event claims success without a measurement.', (event) =>
    measured(event, { digest: null, result: 'NOT_RUN' }),
  ),
  observed('EV-109', 'measurement-without-digest', 'The measurement succeeded and shows no digest.', (event) =>
    measured(event, { digest: null }),
  ),
  observed('EV-306', 'content-only-commanded', 'The content was written and never read back.', (event) =>
    measured(event, { grade: 'commanded' }),
  ),
  observed('EV-118', 'left-open', 'The recipe demands a lock, the device was read back open.', (event) =>
    secured(event, { writeProtection: { state: 'open', grade: 'readBack' } }),
  ),
  observed('EV-118', 'lock-not-read', 'A54: the lock was set and never read back.', (event) =>
    secured(event, { writeProtection: { state: 'unknown', grade: 'commanded' } }),
  ),
  observed('EV-118', 'debug-port-open', 'A54: the write protection is set, the debug port is open.', (event) =>
    secured(event, { debugPort: { state: 'open', grade: 'readBack' } }),
  ),
  observed('EV-306', 'lock-only-commanded', 'The lock is claimed on the strength of a command.', (event) =>
    secured(event, { writeProtection: { state: 'locked', grade: 'commanded' } }),
  ),

  refused(
    'EV-112',
    'label-swapped',
    'A1: the label is that of another device; the file is named after the label.',
    async () => {
      const { serial } = OTHER_DEVICE;
      const { evidence } = await play({ intent: edit((intent) => labelled(intent, serial)) });
      return toMade({ ...evidence, serial });
    },
  ),
  refused('EV-112', 'label-mismatch-passed', 'The station saw that the label does not match and went on.', () =>
    scene({ intent: edit((intent) => identified(intent, { identityMatch: 'MISMATCH' })) }),
  ),
  refused('EV-112', 'label-not-read', 'No label was read.', () =>
    scene({ intent: edit((intent) => identified(intent, { label: null })) }),
  ),

  session('session-missing', 'The session that the records name is not in the file.', () =>
    tampered((evidence) => ({ ...evidence, entries: evidence.entries.slice(1) })),
  ),
  session('session-not-named', 'A session is in the file that no record names.', async () => {
    const { world, unit } = await play();
    unit.entries.push(await world.openSession());
    return toMade(await world.evidence(unit));
  }),
  session('session-signed-by-a-supervisor', 'A supervisor key opened the session in the name of an operator.', () =>
    scene({ session: { signers: [CAST.supervisor.key, CAST.line.key] } }),
  ),
  session('session-signed-by-a-stranger', 'A key of no trusted root opened the session.', () =>
    scene({ session: { signers: [STRANGER, CAST.line.key] } }),
  ),
  session('session-about-another-key', 'The session is about another key than the one that signed it.', () =>
    scene({ session: { subject: { name: 'operator', digest: { sha256: STRANGER.publicKey.keyid } } } }),
  ),
  session('session-of-another-station', 'A5: the session is of ST-08, the work was done at ST-07.', () =>
    scene({
      session: edit((draft) => ({ ...draft, station: { ...draft.station, id: CAST.otherStation.owner } })),
      intent: edit((draft) => ({ ...draft, station: { ...draft.station, id: CAST.station.owner } })),
    }),
  ),
  session('session-of-another-operator', 'The event names another operator than its session.', () =>
    scene({ event: edit((event) => ({ ...event, operator: { ...event.operator, id: 'op-4711' } })) }),
  ),
  session('session-with-another-role', 'The event names another role than the session.', () =>
    scene({ event: edit((event) => ({ ...event, operator: { ...event.operator, role: 'supervisor' } })) }),
  ),
  session('session-key-differs', 'The event names another operator key than its session.', () =>
    scene({
      event: edit((event) => ({
        ...event,
        operator: { ...event.operator, credentialKeyDigest: { sha256: STRANGER.publicKey.keyid } },
      })),
    }),
  ),
  session('session-of-another-grade', 'The event says badge and PIN, its session a card.', () =>
    scene({ event: edit((event) => ({ ...event, operator: { ...event.operator, credential: 'badge-pin' } })) }),
  ),
  session('session-file-as-card', 'The session says that a key in a file opened it; the key is on a card.', () =>
    scene({ session: edit((draft) => ({ ...draft, credential: { kind: 'software-key' } })) }),
  ),
  session('session-badge-by-a-person', 'A person says that a badge was checked; only the line can.', () =>
    scene({ session: edit((draft) => byBadge(draft, CAST.operator.key.publicKey.keyid)) }),
  ),
  session('session-expired', 'The session had ended before the work began.', () =>
    scene({ session: until(CALENDAR.intendedAt - HOUR_MS / 2) }),
  ),
  session('session-opened-afterwards', 'The session was opened after the work.', () =>
    scene({
      session: edit((draft) => ({
        ...draft,
        session: { ...draft.session, openedAt: formatInstant(CALENDAR.intendedAt + HOUR_MS) },
      })),
    }),
  ),
  session(
    'session-logged-afterwards',
    'The session says it is older than the work, and was logged after it.',
    async () => {
      const { world, unit, session: opened } = await play();
      unit.entries.shift();
      unit.entries.push(logged(world, opened.envelope));
      return toMade(await world.evidence(unit));
    },
  ),

  marked('EV-301', 'simulated', 'A simulated device, under a policy for real ones.', { simulated: true }),
  marked('EV-302', 'rehearsal', 'A rehearsal, under a policy for real work.', { rehearsal: true }),
  marked('EV-303', 'break-glass', 'A9: made under break-glass, which the policy does not accept.', {
    breakGlass: 'BG-2',
  }),
  refused('EV-304', 'software-key', 'A39: the station key is a file, which the policy does not accept.', () => {
    const { key, owner } = CAST.softStation;
    const signers = [key, CAST.line.key];
    return scene({
      session: edit((draft) => ({ ...draft, station: { ...draft.station, id: owner } })),
      intent: { signers },
      event: { signers },
    });
  }),
  refused('EV-305', 'clock-insane', 'A17: the clock of the station was wrong.', () =>
    scene({ event: withClock('INSANE') }),
  ),
  refused('EV-305', 'clock-degraded', 'The clock was not synchronised, under a policy that asks for it.', () =>
    scene({ event: withClock('DEGRADED') }),
  ),
  {
    ...refused('EV-305', 'clock-insane-under-trial', 'No policy can accept a wrong clock.', () =>
      scene({ event: withClock('INSANE') }),
    ),
    policy: 'trial-policy.json',
  },
];

function measured(
  event: ProvisioningEvent,
  change: Partial<ProvisioningEvent['components'][number]['measurement']>,
): ProvisioningEvent {
  const components = event.components.map((part) => ({ ...part, measurement: { ...part.measurement, ...change } }));
  return { ...event, components };
}

function secured(event: ProvisioningEvent, change: Partial<ProvisioningEvent['security']>): ProvisioningEvent {
  return { ...event, security: { ...event.security, ...change } };
}

function identified(intent: ProvisioningIntent, change: Partial<ProvisioningIntent['identity']>): ProvisioningIntent {
  return { ...intent, identity: { ...intent.identity, ...change } };
}

function labelled(intent: ProvisioningIntent, serial: string): ProvisioningIntent {
  return identified(intent, { label: { raw: serial, symbology: 'd2', serial, partNumber: null } });
}

function until(expiresAt: number): Making<OperatorSession> {
  return edit((draft) => ({ ...draft, session: { ...draft.session, expiresAt: formatInstant(expiresAt) } }));
}

function withClock(verdict: 'DEGRADED' | 'INSANE'): Making<ProvisioningEvent> {
  return edit((event) => ({ ...event, timing: { ...event.timing, clock: { ...event.timing.clock, verdict } } }));
}

function marked(
  code: ReasonCode,
  name: string,
  why: string,
  change: Partial<ProvisioningIntent['environment']>,
): VectorCase {
  return refused(code, name, why, () =>
    scene({ intent: edit((intent) => ({ ...intent, environment: { ...intent.environment, ...change } })) }),
  );
}

function observed(
  code: ReasonCode,
  name: string,
  why: string,
  change: (event: ProvisioningEvent) => ProvisioningEvent,
): VectorCase {
  return refused(code, name, why, () => scene({ event: edit(change) }));
}

function session(name: string, why: string, make: VectorCase['make']): VectorCase {
  return refused('EV-115', name, why, make);
}

function refused(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, make };
}
