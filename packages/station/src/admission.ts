// SPDX-License-Identifier: Apache-2.0
/** Everything that must hold before an intent: clock, operator, release, device, label, content, and the line's permit. */
import { hasCode, type Bytes, type Instant } from '@witnessmark/core';
import type { ReleaseManifest } from '@witnessmark/attestation';
import { ApiError } from '@witnessmark/api';
import { bindLabel, readLabel } from './binding.ts';
import { StationRefusal } from './error.ts';
import { requireVerified, toContent, type Fixture } from './fixture.ts';
import type { FlowTools, UnitOrder } from './flow-tools.ts';
import type { HeldRelease, SignedInSession, StationPorts } from './ports.ts';
import type { GrantedPermit } from './recorder.ts';
import { requireSessionForUnit } from './session.ts';
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
 * station itself, the operator, the release, the device, the label, the content, the line. `learn` hears what becomes known on the way, so
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
  const isOffline = await isLineAway(tools);
  const clock = time.requireSane();
  const { now } = clock;
  const start = (await ports.gate?.requireFit(clock)) ?? null;
  const session = requireSessionForUnit(order.session, now);
  learn({ operatorId: session.statement.operator.id });
  const release = await findRelease(tools, order, now, isOffline);
  requireNoPart(session, release);
  const { manifest } = release;
  fixture.requireLock(manifest.recipe.steps);
  await fixture.requireRoom(manifest.components);
  const device = await fixture.readDevice();
  learn({ deviceId: device.deviceId });
  const read = readLabel(label, manifest.labelRule);
  learn({ serial: read.serial });
  const rule = { labelRule: manifest.labelRule, sku: job.sku };
  ports.golden?.requireProduct(device.deviceId, read.serial);
  const { identity, mismatch } = bindLabel(device, read, rule);
  if (mismatch !== null) throw mismatch;
  const contents = await readContents(release);
  const { panel, retestReason } = order;
  const unit: BoundUnit = {
    transactionId,
    identity: panel === undefined ? identity : { ...identity, panel },
    ...{ job, release, session, start },
    ...(retestReason !== undefined && { retestReason }),
  };
  const permit = await grantUnit(tools, unit, isOffline);
  session.use.begin(now);
  return { unit, permit, contents };
}

/** LS-520: nobody makes units of a release they proposed, built or approved. */
function requireNoPart({ statement }: SignedInSession, { manifest, partakers }: HeldRelease): void {
  const { id } = statement.operator;
  if (!partakers.includes(id)) return;
  throw new StationRefusal('LS-520', {
    expected: `an operator who had no part in ${manifest.releaseId}`,
    observed: `${id}, who had`,
  });
}

/** Throws the `ApiError` where nobody works without the line. */
async function isLineAway({ time, offline }: FlowTools): Promise<boolean> {
  try {
    await time.synchronise();
    offline?.noteLine(false);
    return false;
  } catch (error) {
    if (!(error instanceof ApiError) || offline === null) throw error;
    offline.noteLine(true);
    if (!offline.isWorking) throw error;
    return true;
  }
}

/** By the line's permit, or by its allowance while it does not answer. */
async function grantUnit(tools: FlowTools, unit: BoundUnit, isOffline: boolean): Promise<GrantedPermit> {
  const { offline, time, ports } = tools;
  const clock = time.requireSane();
  if (isOffline && offline !== null) return offline.grant(unit, clock.now);
  await offline?.renew(unit, clock);
  return requestPermit(tools, unit, ports.newId());
}

/** Without the line, the metadata held last counts for as long as it is valid. */
async function refreshReleases({ releases }: StationPorts, now: Instant, isOffline: boolean): Promise<void> {
  try {
    await releases.refresh(now);
  } catch (error) {
    if (!isOffline || !hasCode(error, 'ERR_TRUST_UNREACHABLE')) throw error;
  }
}

async function findRelease(
  { ports }: FlowTools,
  { job }: UnitOrder,
  now: Instant,
  isOffline: boolean,
): Promise<HeldRelease> {
  await refreshReleases(ports, now, isOffline);
  const { sku, hwVersion, workOrder } = job;
  const release = await ports.releases.releaseInEffect({ sku, hwVersion, workOrder, at: now });
  requireFeasible(release.manifest, ports);
  requireOpenable(release.manifest, ports);
  return release;
}

/** A recipe this station cannot carry out to its end is refused before its beginning. */
function requireFeasible({ releaseId, recipe }: ReleaseManifest, { bootCheck }: StationPorts): void {
  if (recipe.steps.includes('bootDigest') && bootCheck === undefined) {
    throw new StationRefusal('LS-205', {
      expected: 'a recipe for a fixture that cannot start its board',
      observed: `${releaseId}, whose recipe asks the firmware for its digest`,
    });
  }
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
  { ports, recorder, time, offline }: FlowTools,
  unit: BoundUnit,
  requestId: string,
): Promise<GrantedPermit> {
  const clock = time.requireSane();
  const { breakGlass } = time;
  const spool = offline?.position;
  const context = { requestId, station: ports.identity, fixture: ports.driver, clock, breakGlass };
  const asked = toPermitRequest(unit, { ...context, ...(spool !== undefined && { spool }) });
  const request = await signStatement(ports.signer, formatPermitRequest(asked));
  return recorder.requestPermit(request, asked, clock.now);
}
