// SPDX-License-Identifier: Apache-2.0
/**
 * Proving a station before it makes product (spec/golden-check.md): the golden unit must read back as good, the known-bad
 * unit must not. Nothing is ever written to either; what was found is signed and logged, whatever it is.
 */
import { formatInstant, sha256Hex, type ReasonCode } from '@witnessmark/core';
import {
  buildStatement,
  deviceSubject,
  goldenCheck,
  type GoldenCheck,
  type GoldenKind,
  type GoldenUnit,
} from '@witnessmark/attestation';
import type { LoggedEntry } from '@witnessmark/api';
import { requireSession } from '../session.ts';
import { StationError, StationRefusal } from '../error.ts';
import { Fixture, type DeviceReading } from '../fixture.ts';
import type { FlowTools } from '../flow-tools.ts';
import type { SignedInSession } from '../ports.ts';
import { signStatement } from '../signing.ts';
import type { GoldenRegister } from './golden-register.ts';

export interface GoldenCheckOrder {
  /** What the person has put in. */
  readonly kind: GoldenKind;
  readonly register: GoldenRegister;
  readonly session: SignedInSession | null;
  readonly signal?: AbortSignal;
}

export interface GoldenCheckResult extends Pick<GoldenCheck, 'kind' | 'result' | 'finding' | 'deviceId'> {
  /** LS-613 when it was not as expected. */
  readonly code: ReasonCode | null;
  readonly record: LoggedEntry;
}

/** How a known-bad unit must fail. */
const KNOWN_BAD: ReasonCode = 'UF-03';
/** What a device shows that answers no more. */
const SILENT: ReasonCode = 'UF-06';

type Finding = Pick<GoldenCheck, 'registrationId' | 'deviceId' | 'observed' | 'result' | 'code' | 'finding'>;

/** Throws LS-301, LS-501, LS-304, the line's refusal, or an `ApiError`: nothing is on record then, and it is done again. */
export async function checkGoldenUnit(tools: FlowTools, order: GoldenCheckOrder): Promise<GoldenCheckResult> {
  const { ports, recorder, time } = tools;
  time.requirePlausible();
  await time.synchronise();
  const session = requireSession(order.session, time.requireSane().now);
  const finding = await examine(new Fixture(ports.driver, order.signal), order);
  const { now, evidence } = time.requireSane();
  const { id, line, plant, slot, environment } = ports.identity;
  const check: GoldenCheck = {
    id: ports.newId(),
    station: { id, line, plant, ...(slot !== undefined && { slot }) },
    operatorId: session.statement.operator.id,
    kind: order.kind,
    ...finding,
    checkedAt: formatInstant(now),
    clock: evidence,
    environment: { ...environment, breakGlass: time.breakGlass, simulated: ports.driver.simulated },
  };
  const { publicKey } = ports.signer;
  const station = { name: 'station', digest: { sha256: publicKey.keyid } };
  const subject = check.deviceId === null ? station : deviceSubject(check.deviceId);
  const envelope = await signStatement(ports.signer, buildStatement(goldenCheck, subject, check));
  const record = await recorder.submit(envelope, { author: publicKey, at: now });
  await ports.journal.saveFloor();
  const code = check.result === 'asExpected' ? null : 'LS-613';
  return { kind: check.kind, result: check.result, finding: check.finding, deviceId: check.deviceId, code, record };
}

async function examine(fixture: Fixture, { kind, register }: GoldenCheckOrder): Promise<Finding> {
  let device: DeviceReading;
  try {
    device = await fixture.readDevice();
  } catch (error) {
    if (!(error instanceof StationRefusal)) throw error;
    return unexpected(null, { code: error.code, finding: error.message });
  }
  const { deviceId } = device;
  const unit = register.find(deviceId);
  if (unit?.kind !== kind || unit.hardwareUid.sha256 !== device.hardwareUid.sha256) {
    const found = unit === null ? 'a device that is not registered' : `the ${describe(unit.kind)} unit`;
    return unexpected(deviceId, { code: null, finding: `expected the ${describe(kind)} unit; found ${found}` });
  }
  const { observed, code } = await read(fixture, unit);
  const wanted = kind === 'golden' ? null : KNOWN_BAD;
  const finding = code === null ? 'content as registered' : `${code}: content ${observed ?? 'not read'}`;
  return {
    registrationId: unit.id,
    deviceId,
    observed: observed === null ? null : { sha256: observed },
    result: code === wanted ? 'asExpected' : 'unexpected',
    code,
    finding,
  };
}

/** What a unit of product with this content would have been told. */
async function read(
  fixture: Fixture,
  { content: { address, length, digest } }: GoldenUnit,
): Promise<{ readonly observed: string | null; readonly code: ReasonCode | null }> {
  try {
    const observed = sha256Hex(await fixture.readRange({ address, length }));
    return { observed, code: observed === digest.sha256 ? null : KNOWN_BAD };
  } catch (error) {
    if (error instanceof StationRefusal) return { observed: null, code: error.code };
    if (error instanceof StationError && error.code === 'ERR_STATION_DEVICE_UNKNOWN') {
      return { observed: null, code: SILENT };
    }
    throw error;
  }
}

function unexpected(deviceId: string | null, { code, finding }: Pick<Finding, 'code' | 'finding'>): Finding {
  return { registrationId: null, deviceId, observed: null, result: 'unexpected', code, finding };
}

function describe(kind: GoldenKind): string {
  return kind === 'golden' ? 'golden' : 'known-bad';
}
