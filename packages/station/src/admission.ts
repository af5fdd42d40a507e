// SPDX-License-Identifier: Apache-2.0
/** Everything that must hold before an intent: clock, operator, release, device, label, content, and the line's permit. */
import { parseInstant, type Bytes, type Instant } from '@witnessmark/core';
import type { ReleaseManifest } from '@witnessmark/attestation';
import { bindLabel, readLabel } from './binding.ts';
import { StationRefusal } from './error.ts';
import { requireVerified, toContent, type Fixture } from './fixture.ts';
import type { FlowTools, UnitOrder } from './flow-tools.ts';
import type { HeldRelease, SignedInSession, StationPorts } from './ports.ts';
import type { GrantedPermit } from './recorder.ts';
import { signStatement } from './signing.ts';
import { formatPermitRequest, toPermitRequest, type BoundUnit } from './statements.ts';

/** A unit with its permit, and the bytes that were verified for it, by component name: images, or envelopes of sealed ones. */
export interface Admission {
  readonly unit: BoundUnit;
  readonly permit: GrantedPermit;
  readonly contents: ReadonlyMap<string, Bytes>;
}

export interface KnownUnit {
  readonly deviceId: string | null;
  readonly serial: string | null;
  readonly operatorId: string | null;
}

/**
 * Asks in this order: the clock (neither a signature nor the expiry of metadata means anything under a wrong one), the
 * operator, the release, the device, the label, the content, the line. `learn` hears what becomes known on the way, so
 * that a refusal can say it.
 */
export async function admitUnit(
  tools: FlowTools,
  order: UnitOrder,
  context: {
    readonly transactionId: string;
    readonly fixture: Fixture;
    readonly learn: (known: Partial<KnownUnit>) => void;
  },
): Promise<Admission> {
  const { ports, time } = tools;
  const { transactionId, fixture, learn } = context;
  const { job, label } = order;
  // Before the line's answer hides it.
  time.requirePlausible();
  await time.synchronise();
  const { now } = time.requireSane();
  const session = requireSession(order.session, now);
  learn({ operatorId: session.statement.operator.id });
  const release = await findRelease(tools, order, now);
  const { manifest } = release;
  fixture.requireLock(manifest.recipe.steps);
  await fixture.requireRoom(manifest.components);
  const device = await fixture.readDevice();
  learn({ deviceId: device.deviceId });
  const read = readLabel(label, manifest.labelRule);
  learn({ serial: read.serial });
  const rule = { labelRule: manifest.labelRule, sku: job.sku };
  const { identity, mismatch } = bindLabel(device, read, rule);
  if (mismatch !== null) throw mismatch;
  const contents = await readContents(release);
  const unit = { transactionId, identity, job, release, session };
  const permit = await requestPermit(tools, unit, ports.newId());
  return { unit, permit, contents };
}

function requireSession(session: SignedInSession | null, now: Instant): SignedInSession {
  const expected = 'an operator signed in at this station';
  if (session === null) throw new StationRefusal('LS-501', { expected, observed: 'nobody' });
  const { operator, session: term } = session.statement;
  if (now < parseInstant(term.expiresAt)) return session;
  throw new StationRefusal('LS-501', {
    expected,
    observed: `the session of ${operator.id}, which ended at ${term.expiresAt}`,
  });
}

async function findRelease({ ports }: FlowTools, { job }: UnitOrder, now: Instant): Promise<HeldRelease> {
  await ports.releases.refresh(now);
  const { sku, hwVersion, workOrder } = job;
  const release = await ports.releases.releaseInEffect({ sku, hwVersion, workOrder, at: now });
  requireFeasible(release.manifest);
  requireOpenable(release.manifest, ports);
  return release;
}

/** A recipe this station cannot carry out to its end is refused before its beginning. */
function requireFeasible({ releaseId, recipe }: ReleaseManifest): void {
  if (!recipe.steps.includes('key')) return;
  throw new StationRefusal('LS-205', {
    expected: 'a recipe for a device without key storage',
    observed: `${releaseId}, whose recipe makes a device key`,
  });
}

/** Refused before the device is touched, and before anybody is asked for a key. */
function requireOpenable({ releaseId, components }: ReleaseManifest, { unsealing }: StationPorts): void {
  if (unsealing !== undefined || components.every(({ sealed }) => sealed === undefined)) return;
  throw new StationRefusal('BX-206', {
    expected: 'a station that opens sealed images',
    observed: `${releaseId}, which is sealed`,
  });
}

async function readContents(release: HeldRelease): Promise<ReadonlyMap<string, Bytes>> {
  const contents = new Map<string, Bytes>();
  for (const component of release.manifest.components) {
    const content = await release.readImage(component);
    requireVerified(toContent(component), content);
    contents.set(component.name, content);
  }
  return contents;
}

async function requestPermit(
  { ports, recorder, time }: FlowTools,
  unit: BoundUnit,
  requestId: string,
): Promise<GrantedPermit> {
  const clock = time.requireSane();
  const { breakGlass } = time;
  const context = { requestId, station: ports.identity, fixture: ports.driver, clock, breakGlass };
  const asked = toPermitRequest(unit, context);
  const request = await signStatement(ports.signer, formatPermitRequest(asked));
  return recorder.requestPermit(request, asked, clock.now);
}
