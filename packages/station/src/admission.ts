// SPDX-License-Identifier: Apache-2.0
/** Everything that must hold before an intent: clock, operator, release, device, label, content, and the line's permit. */
import { parseInstant, type Bytes, type Instant } from '@witnessmark/core';
import type { ReleaseManifest } from '@witnessmark/attestation';
import { bindLabel, readSerial } from './binding.ts';
import { StationRefusal } from './error.ts';
import { requireVerified, type Fixture } from './fixture.ts';
import type { FlowTools, UnitOrder } from './flow-tools.ts';
import type { HeldRelease, SignedInSession } from './ports.ts';
import type { GrantedPermit } from './recorder.ts';
import { signStatement } from './signing.ts';
import { formatPermitRequest, toPermitRequest, type BoundUnit } from './statements.ts';

/** A unit with its permit, and the image bytes that were verified for it, by component name. */
export interface Admission {
  readonly unit: BoundUnit;
  readonly permit: GrantedPermit;
  readonly images: ReadonlyMap<string, Bytes>;
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
  time.requireSane();
  await time.synchronise();
  const { now } = time.requireSane();
  const session = requireSession(order.session, now);
  learn({ operatorId: session.statement.operator.id });
  const release = await findRelease(tools, order, now);
  const { manifest } = release;
  await fixture.requireRoom(manifest.components);
  const device = await fixture.readDevice();
  learn({ deviceId: device.deviceId });
  const serial = readSerial(label, manifest.labelRule);
  learn({ serial });
  const rule = { labelRule: manifest.labelRule, sku: job.sku };
  const { identity, mismatch } = bindLabel(device, { ...label, serial }, rule);
  if (mismatch !== null) throw mismatch;
  const images = await readImages(release);
  const unit = { transactionId, identity, job, release, session };
  const permit = await requestPermit(tools, unit, ports.newId());
  return { unit, permit, images };
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

async function readImages(release: HeldRelease): Promise<ReadonlyMap<string, Bytes>> {
  const images = new Map<string, Bytes>();
  for (const component of release.manifest.components) {
    const image = await release.readImage(component);
    requireVerified(component, image);
    images.set(component.name, image);
  }
  return images;
}

async function requestPermit(
  { ports, recorder, time }: FlowTools,
  unit: BoundUnit,
  requestId: string,
): Promise<GrantedPermit> {
  const clock = time.requireSane();
  const context = { requestId, station: ports.identity, fixture: ports.driver, clock };
  const asked = toPermitRequest(unit, context);
  const request = await signStatement(ports.signer, formatPermitRequest(asked));
  return recorder.requestPermit(request, asked, clock.now);
}
