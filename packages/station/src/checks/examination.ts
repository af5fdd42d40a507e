// SPDX-License-Identifier: Apache-2.0
/** What a finished device shows when it is only read: content, lock, and that it is one and the same device. */
import { RefusedError } from '@witnessmark/core';
import type { ProvisioningEvent, UnitCheck } from '@witnessmark/attestation';
import { StationRefusal } from '../error.ts';
import type { DeviceReading, Fixture } from '../fixture.ts';

export type CheckFinding = Pick<StationRefusal, 'code' | 'expected' | 'observed'>;

export interface DeviceExamination {
  readonly measurements: UnitCheck['measurements'];
  readonly protection: UnitCheck['protection'];
  readonly findings: readonly CheckFinding[];
}

/** Reads what the record says was measured, and compares. Throws only for a device that gives no answer. */
export async function examineDevice(
  fixture: Fixture,
  device: DeviceReading,
  { components, security }: Pick<ProvisioningEvent, 'components' | 'security'>,
): Promise<DeviceExamination> {
  const findings: CheckFinding[] = [];
  const isLocked = security.writeProtection.state === 'locked';
  const protection = isLocked ? await fixture.readLock() : null;
  if (isLocked && protection !== 'locked') {
    findings.push({
      code: 'LB-116',
      expected: 'a locked device',
      observed: `one that reads ${protection ?? 'nothing'}`,
    });
  }
  const measurements: UnitCheck['measurements'] = [];
  for (const component of components) {
    const measurement = await measure(fixture, component, fixture.forbidsReading && protection === 'locked');
    measurements.push(measurement);
    if (measurement.result !== 'FAIL') continue;
    findings.push({
      code: 'LB-116',
      expected: `${component.name} with SHA-256 ${component.image.digest.sha256}`,
      observed: measurement.digest?.sha256 ?? 'content that cannot be read',
    });
  }
  await requireSame(fixture, device, findings);
  return { measurements, protection, findings };
}

async function measure(
  fixture: Fixture,
  { name, slot, image }: ProvisioningEvent['components'][number],
  isUnreadable: boolean,
): Promise<UnitCheck['measurements'][number]> {
  const expected = image.digest;
  if (isUnreadable) return { name, expected, digest: null, result: 'NOT_RUN', grade: 'requested' };
  const range = { name, address: Number(slot), length: image.length, sha256: expected.sha256 };
  const { digest, result } = await fixture.measure(range);
  return { name, expected, digest, result: result === 'SUCCESS' ? 'SUCCESS' : 'FAIL', grade: 'readBack' };
}

/** A second device that answers for the first shows when it is asked again. */
async function requireSame(fixture: Fixture, device: DeviceReading, findings: CheckFinding[]): Promise<void> {
  try {
    await fixture.requireSame(device);
  } catch (error) {
    if (!(error instanceof StationRefusal) || error.code !== 'UF-07') throw error;
    findings.push({ code: 'LB-119', expected: error.expected, observed: error.observed });
  }
}

/** A "no" as a finding; anything else is thrown on. */
export function toFinding(error: unknown): CheckFinding {
  if (error instanceof StationRefusal) return { code: error.code, expected: error.expected, observed: error.observed };
  if (error instanceof RefusedError)
    return { code: error.code, expected: 'a label of this unit', observed: error.message };
  throw error;
}
