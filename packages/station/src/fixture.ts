// SPDX-License-Identifier: Apache-2.0
/** The device in the fixture: driver outcomes as values, refusals, or "could not tell". */
import { hasCode, sha256Hex, toDigestSet, type Bytes } from '@witnessmark/core';
import { toDeviceId, type Identity, type ReleaseManifest } from '@witnessmark/attestation';
import type { DeviceDriver, DriverOutcome, LockState, ProgramProgress } from '@witnessmark/device';
import { StationError, StationRefusal } from './error.ts';
import type { Measurement } from './statements.ts';

export type DeviceReading = Pick<Identity, 'deviceId' | 'scheme' | 'hardwareUid'>;

type Component = ReleaseManifest['components'][number];

export class Fixture {
  readonly #driver: DeviceDriver;
  readonly #signal: AbortSignal | undefined;

  constructor(driver: DeviceDriver, signal: AbortSignal | undefined) {
    this.#driver = driver;
    this.#signal = signal;
  }

  /** Reads who is in the fixture. Throws UF-01 for nothing, for a silent one, and for an identifier that names no part. */
  async readDevice(): Promise<DeviceReading> {
    const outcome = await this.#driver.readHardwareId(this.#options());
    if (outcome.state === 'UNKNOWN') throw absent(outcome.detail);
    const { scheme, value } = requireDone(outcome, 'a device that names itself');
    try {
      return { deviceId: toDeviceId({ scheme, value }), scheme, hardwareUid: toDigestSet(value) };
    } catch (error) {
      if (hasCode(error, 'ERR_HARDWARE_ID')) throw absent((error as Error).message);
      throw error;
    }
  }

  /** Refuses a release that the part cannot hold before anything is written. */
  async requireRoom(components: readonly Component[]): Promise<void> {
    const outcome = await this.#driver.identify(this.#options());
    if (outcome.state === 'UNKNOWN') throw absent(outcome.detail);
    const { model, sizeBytes } = requireDone(outcome, 'a device that answers');
    for (const { name, address, length } of components) {
      if (address + length <= sizeBytes) continue;
      throw new StationRefusal('LS-205', {
        expected: `room for ${name} up to byte ${address + length}`,
        observed: `a ${model} of ${sizeBytes} bytes`,
      });
    }
  }

  /**
   * Writes an image. The bytes given to the driver are a copy of our own, hashed before and after: they are the
   * verified ones, whatever happens to the file they came from.
   */
  async program(component: Component, image: Bytes, onProgress: (progress: ProgramProgress) => void): Promise<void> {
    const own = Uint8Array.from(image);
    requireVerified(component, own);
    const order = { address: component.address, image: own, onProgress };
    const outcome = await this.#driver.program(order, this.#options());
    requireVerified(component, own);
    requireDone(outcome, `${component.name} to be written`);
  }

  /** Reads the component's range in a run of its own and compares its digest. */
  async measure({ name, address, length, sha256 }: Component): Promise<Measurement> {
    const outcome = await this.#driver.readBack({ address, length }, this.#options());
    const bytes = requireDone(outcome, `${name} to be read back`);
    const digest = sha256Hex(bytes);
    return { digest: { sha256: digest }, result: digest === sha256 && bytes.length === length ? 'SUCCESS' : 'FAIL' };
  }

  /** The device must still be the one the unit began with. Throws UF-07. */
  async requireSame(expected: DeviceReading): Promise<void> {
    const outcome = await this.#driver.readHardwareId(this.#options());
    const { scheme, value } = requireDone(outcome, 'the device to name itself again');
    const observed = sha256Hex(value);
    if (scheme === expected.scheme && observed === expected.hardwareUid.sha256) return;
    throw new StationRefusal('UF-07', {
      expected: `hardware identifier ${expected.hardwareUid.sha256.slice(0, 16)}… as before (its SHA-256)`,
      observed: `${observed.slice(0, 16)}…`,
    });
  }

  /** Sets the lock, takes power, and returns what a read then says. */
  async lock(): Promise<LockState> {
    requireDone(await this.#driver.lock(this.#options()), 'the lock to be set');
    return this.readLockAfterReset();
  }

  async readLockAfterReset(): Promise<LockState> {
    requireDone(await this.#driver.reset(this.#options()), 'the device to be reset');
    return requireDone(await this.#driver.readLockState(this.#options()), 'the lock to be read');
  }

  #options(): { readonly signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal };
  }
}

/** Throws LS-201 for bytes that are not the ones the release names. */
export function requireVerified(component: Component, image: Bytes): void {
  const observed = sha256Hex(image);
  if (observed === component.sha256 && image.length === component.length) return;
  throw new StationRefusal('LS-201', {
    expected: `${component.targetPath} with SHA-256 ${component.sha256} and ${component.length} bytes`,
    observed: `SHA-256 ${observed} and ${image.length} bytes`,
  });
}

function requireDone<T>(outcome: DriverOutcome<T>, expected: string): T {
  switch (outcome.state) {
    case 'DONE':
      return outcome.value;
    case 'FAILED':
      throw new StationRefusal(outcome.code, { expected, observed: outcome.detail });
    case 'UNKNOWN':
      throw new StationError('ERR_STATION_DEVICE_UNKNOWN', outcome.detail);
  }
}

function absent(observed: string): StationRefusal {
  return new StationRefusal('UF-01', { expected: 'a device that names itself', observed });
}
