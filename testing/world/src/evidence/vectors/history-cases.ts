// SPDX-License-Identifier: Apache-2.0
/** Histories with a link missing, doubled, exchanged or left open, and units that did not end well. */
import { formatInstant, type ReasonCode } from '@witnessmark/core';
import type { ProvisioningEvent, ProvisioningIntent } from '@witnessmark/attestation';
import { CALENDAR } from '../cast.ts';
import { draftManifest } from '../drafts.ts';
import { edit, OTHER_DEVICE, scene, tampered, type ScenePlan, type VectorCase } from './scene.ts';

const HOUR_MS = 60 * 60 * 1000;
const MINUTE_MS = 60 * 1000;

/** A second pass, an hour later. */
const TWO_PASSES: ScenePlan = {
  after: async ({ world, unit, session, release }) => {
    await world.pass(unit, { session, release, attempt: 2, at: CALENDAR.intendedAt + HOUR_MS });
  },
};

export const HISTORY_CASES: readonly VectorCase[] = [
  refused('EV-106', 'first-pass-left-out', 'The history begins with its third link.', () =>
    tampered(
      ({ entries: [session, , , ...others], ...evidence }) => ({ ...evidence, entries: [session!, ...others] }),
      TWO_PASSES,
    ),
  ),
  refused('EV-106', 'link-left-out', 'The second intent is missing from the middle of the history.', () =>
    tampered((evidence) => ({ ...evidence, entries: evidence.entries.toSpliced(3, 1) }), TWO_PASSES),
  ),
  refused('EV-106', 'entry-doubled', 'The last entry is in the file twice.', () =>
    tampered((evidence) => ({ ...evidence, entries: [...evidence.entries, evidence.entries.at(-1)!] })),
  ),
  refused('EV-106', 'session-doubled', 'The session is in the file twice.', () =>
    tampered((evidence) => ({ ...evidence, entries: [evidence.entries[0]!, ...evidence.entries] })),
  ),
  refused('EV-106', 'entries-reordered', 'Intent and event stand in the wrong order.', () =>
    tampered(({ entries: [session, intent, event], ...evidence }) => ({
      ...evidence,
      entries: [session!, event!, intent!],
    })),
  ),
  refused('EV-106', 'number-repeated', 'The event repeats the number of its intent.', () =>
    scene({ event: edit((event) => ({ ...event, event: { ...event.event, seq: 1 } })) }),
  ),
  refused('EV-106', 'predecessor-exchanged', 'The event names another predecessor than the one before it.', () =>
    scene({
      event: edit((event) => ({
        ...event,
        event: { ...event.event, previousEventDigest: { sha256: OTHER_DEVICE.deviceId } },
      })),
    }),
  ),
  refused('EV-106', 'first-link-with-predecessor', 'The first link of the history names a predecessor.', () =>
    scene({
      intent: edit((intent) => ({
        ...intent,
        event: { ...intent.event, previousEventDigest: { sha256: OTHER_DEVICE.deviceId } },
      })),
    }),
  ),
  untold('EV-204', 'last-event-left-out', 'Older but valid: the intent is there, what came of it is not.', () =>
    tampered((evidence) => ({ ...evidence, entries: evidence.entries.slice(0, -1) })),
  ),
  untold('EV-204', 'second-attempt-open', 'A second pass was begun and not closed.', () =>
    scene({
      after: async ({ world, unit, session, release }) => {
        const at = CALENDAR.intendedAt + HOUR_MS;
        await world.pass(unit, { session, release, attempt: 2, at, isInterrupted: true });
      },
    }),
  ),
  untold('EV-204', 'no-events', 'The file holds nothing that was done to the unit.', () =>
    tampered((evidence) => ({ ...evidence, releases: [], entries: [] })),
  ),
  untold('EV-204', 'work-after-stop', 'Work went on after a label mismatch, and nobody decided about it.', () =>
    scene({
      before: async ({ world, unit }) => {
        await world.refuse(unit, CALENDAR.sessionOpenedAt + MINUTE_MS);
      },
    }),
  ),

  refused('EV-117', 'event-without-intent', 'The event closes an intent that is not its own.', () =>
    scene({ event: edit((event) => ({ ...event, intentDigest: { sha256: OTHER_DEVICE.deviceId } })) }),
  ),
  refused('EV-117', 'begins-with-an-event', 'The history begins with an event that nobody had intended.', () =>
    tampered((evidence) => ({ ...evidence, entries: evidence.entries.toSpliced(1, 1) }), {
      event: edit((event) => ({ ...event, event: { ...event.event, seq: 1, previousEventDigest: null } })),
    }),
  ),
  refused('EV-117', 'event-of-another-transaction', 'Intent and event name different transactions.', () =>
    scene({
      event: edit((event) => ({
        ...event,
        event: { ...event.event, transactionId: '01950000-0000-7000-8000-ffffffffffff' },
      })),
    }),
  ),
  refused('EV-117', 'other-image-than-intended', 'The event names another image file than the intent.', () =>
    scene({
      event: edit((event) => ({
        ...event,
        components: event.components.map((part) => ({ ...part, image: { ...part.image, name: 'images/other.bin' } })),
      })),
    }),
  ),
  refused('EV-117', 'other-lot-than-intended', 'The event books the unit into another lot than the intent.', () =>
    scene({ event: edit((event) => ({ ...event, product: { ...event.product, lot: 'K8' } })) }),
  ),
  refused('EV-117', 'two-intents', 'A second intent follows the first, which was never closed.', () =>
    scene({
      pass: { isInterrupted: true },
      after: async ({ world, unit, session, release }) => {
        await world.pass(unit, { session, release, attempt: 2, at: CALENDAR.intendedAt + HOUR_MS });
      },
    }),
  ),

  ended('unit-failed', 'The content check failed, and the record says so.', (event) => ({
    ...event,
    outcome: 'FAILED',
    code: 'UF-03',
    components: event.components.map((component) => ({
      ...component,
      measurement: { ...component.measurement, digest: { sha256: OTHER_DEVICE.deviceId }, result: 'FAIL' },
    })),
  })),
  ended('unit-aborted', 'The operator gave up, for a reason that nobody wrote down.', (event) => ({
    ...event,
    outcome: 'ABORTED',
  })),
  ended('unit-interrupted', 'Nobody knows how the last pass ended.', (event) => ({
    ...event,
    outcome: 'INDETERMINATE',
    code: 'HD-02',
  })),
  ended('unit-on-hold', 'The last event puts the unit on hold.', (event) => ({
    ...event,
    event: { ...event.event, type: 'hold' },
  })),
  ended('success-with-a-code', 'The event claims success and carries a reason for failing.', (event) => ({
    ...event,
    code: 'UF-04',
  })),
  ended('success-with-a-failed-check', 'The event claims success over a check that failed.', (event) => ({
    ...event,
    checks: [{ name: 'hardwareIdAfter', result: 'FAIL' }],
  })),
  refused('EV-113', 'unit-scrapped', 'Scrapping succeeded; that does not make the unit good.', () =>
    scene({
      after: async ({ world, unit, session, release }) => {
        const intent = edit<ProvisioningIntent>((draft) => ({
          ...draft,
          event: { ...draft.event, type: 'scrap', reason: 'cracked' },
        }));
        await world.pass(unit, { session, release, at: CALENDAR.intendedAt + HOUR_MS, intent });
      },
    }),
  ),
  refused('EV-113', 'unit-quarantined', 'A supervisor quarantined the unit after its last pass.', () =>
    scene({
      after: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionExpiresAt);
        await world.dispose(unit, refused, CALENDAR.sessionExpiresAt + MINUTE_MS, {
          edit: (decision) => ({ ...decision, action: 'quarantineUnit' }),
        });
      },
    }),
  ),
  refused('EV-113', 'quarantine-worked-on', 'A unit that a supervisor had quarantined was worked on again.', () =>
    scene({
      before: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + MINUTE_MS);
        await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 2 * MINUTE_MS, {
          edit: (decision) => ({ ...decision, action: 'quarantineUnit' }),
        });
      },
    }),
  ),
  refused('EV-113', 'scrap-worked-on', 'A71: a unit that a supervisor had scrapped was worked on again.', () =>
    scene({
      before: async ({ world, unit }) => {
        const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + MINUTE_MS);
        await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 2 * MINUTE_MS, {
          edit: (decision) => ({ ...decision, action: 'scrapUnit' }),
        });
      },
    }),
  ),

  contradicts('event-before-intent', 'The event is dated before its intent.', {
    event: edit((event) => ({
      ...event,
      timing: { ...event.timing, programmedAt: null, measuredAt: null, ...endsAt(CALENDAR.intendedAt - MINUTE_MS) },
    })),
  }),
  contradicts('measured-before-programmed', 'The measurement is dated before the programming.', {
    event: edit((event) => ({
      ...event,
      timing: { ...event.timing, measuredAt: formatInstant(CALENDAR.intendedAt + 1000) },
    })),
  }),
  contradicts('ended-before-it-began', 'The pass began after it ended.', {
    event: edit((event) => ({
      ...event,
      timing: { ...event.timing, startedAt: formatInstant(CALENDAR.intendedAt + HOUR_MS) },
    })),
  }),
  contradicts('work-before-approval', 'The unit was programmed before the second approval was given.', {
    release: {
      edit: (candidate) => ({
        ...candidate,
        effectivity: { ...candidate.effectivity, validFrom: formatInstant(CALENDAR.proposedAt) },
      }),
    },
    session: edit((session) => ({
      ...session,
      session: {
        ...session.session,
        openedAt: formatInstant(CALENDAR.firstApprovalAt + HOUR_MS),
        expiresAt: formatInstant(CALENDAR.secondApprovalAt),
      },
    })),
    pass: { at: CALENDAR.firstApprovalAt + 2 * HOUR_MS },
    intent: edit((intent) => ({
      ...intent,
      timing: { ...intent.timing, clock: { ...intent.timing.clock, monotonicMs: 1 } },
    })),
    event: edit((event) => ({
      ...event,
      timing: { ...event.timing, clock: { ...event.timing.clock, monotonicMs: 2 } },
    })),
  }),
  contradicts('dated-in-the-future', 'The pass is dated after the time of checking.', {
    session: edit((session) => ({
      ...session,
      session: {
        ...session.session,
        openedAt: formatInstant(CALENDAR.checkedAt + HOUR_MS),
        expiresAt: formatInstant(CALENDAR.checkedAt + 4 * HOUR_MS),
      },
    })),
    pass: { at: CALENDAR.checkedAt + 2 * HOUR_MS },
    intent: edit((intent) => ({
      ...intent,
      release: {
        ...intent.release,
        tuf: { ...intent.release.tuf, timestampExpiresAt: formatInstant(CALENDAR.checkedAt + 4 * HOUR_MS) },
      },
    })),
  }),
  contradicts(
    'monotonic-clock-fell',
    'A17: within one boot the monotonic clock fell: the wall clock was tampered with.',
    {
      event: edit((event) => ({
        ...event,
        timing: { ...event.timing, clock: { ...event.timing.clock, monotonicMs: 1000 } },
      })),
    },
  ),
  {
    ...contradicts('second-pass-before-first', 'The second pass is dated before the first.', {
      after: async ({ world, unit, session, release }) => {
        const at = CALENDAR.sessionOpenedAt + MINUTE_MS;
        await world.pass(unit, {
          session,
          release,
          attempt: 2,
          at,
          intent: edit((intent) => ({
            ...intent,
            timing: { ...intent.timing, clock: { ...intent.timing.clock, bootId: 'second boot' } },
          })),
          event: edit((event) => ({
            ...event,
            timing: { ...event.timing, clock: { ...event.timing.clock, bootId: 'second boot' } },
          })),
        });
      },
    }),
  },
  refused('EV-111', 'release-counter-fell', 'A36: a rework put an older release on the unit.', () =>
    scene({
      after: async ({ world, unit, session }) => {
        const release = await world.release({ manifest: draftManifest('gateway-4.1.0', 40) });
        await world.pass(unit, { session, release, attempt: 2, at: CALENDAR.intendedAt + HOUR_MS });
      },
    }),
  ),
];

function endsAt(instant: number): Pick<ProvisioningEvent['timing'], 'startedAt' | 'signedAt'> {
  return { startedAt: formatInstant(instant - MINUTE_MS), signedAt: formatInstant(instant) };
}

function ended(name: string, why: string, change: (event: ProvisioningEvent) => ProvisioningEvent): VectorCase {
  return refused('EV-113', name, why, () => scene({ event: edit(change) }));
}

function contradicts(name: string, why: string, plan: ScenePlan): VectorCase {
  return refused('EV-114', name, why, () => scene(plan));
}

function refused(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, make };
}

function untold(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_unverified`, why, verdict: 'NOT VERIFIED', code, make };
}
