// SPDX-License-Identifier: Apache-2.0
/** The device in the fixture: driver outcomes as values, refusals, or "could not tell". */
import { hasCode, sha256Hex, toDigestSet, type Bytes, type DigestSet } from '@witnessmark/core';
import { toDeviceId, type Identity, type ReleaseComponent as Component } from '@witnessmark/attestation';
import {
  canLock,
  isPlaceholderId,
  isReadableWhenLocked,
  measureBoot,
  type BootCheck,
  type BootMeasurement,
  type DeviceDriver,
  type DriverOutcome,
  type FlashRange,
  type LockState,
  type OperationOptions,
  type ProgramProgress,
  type Retry,
} from '@witnessmark/device';
import { StationError, StationRefusal } from './error.ts';
import type { Measurement } from './event-statement.ts';

export type DeviceReading = Pick<Identity, 'deviceId' | 'scheme' | 'hardwareUid'>;

export class Fixture {
  readonly #driver: DeviceDriver;
  readonly #signal: AbortSignal | undefined;
  /** Every start of a tool that had to be repeated. */
  readonly retries: Retry[] = [];

  constructor(driver: DeviceDriver, signal: AbortSignal | undefined) {
    this.#driver = driver;
    this.#signal = signal;
  }

  /** Reads who is in the fixture. Throws UF-01 for nothing, for a silent one, and for an identifier that names no part. */
  async readDevice(): Promise<DeviceReading> {
    const outcome = await this.#driver.readHardwareId(this.#options());
    if (outcome.state === 'UNKNOWN') throw this.#silent(outcome.detail);
    const { scheme, value } = requireDone(outcome, 'a device that names itself');
    // Drivers refuse these as well; no unit may ever pass because one of them forgot.
    if (isPlaceholderId(value)) throw absent('an identifier that many devices bear');
    try {
      return { deviceId: toDeviceId({ scheme, value }), scheme, hardwareUid: toDigestSet(value) };
    } catch (error) {
      if (hasCode(error, 'ERR_HARDWARE_ID')) throw absent((error as Error).message);
      throw error;
    }
  }

  /** Refuses a recipe with a lock for a board that cannot be locked here; nothing is sent. */
  requireLock(steps: readonly string[]): void {
    const { lockRecipe, model } = this.#driver.profile;
    if (!steps.includes('lock') || canLock({ lockRecipe })) return;
    throw new StationRefusal('LS-205', {
      expected: 'a device whose lock can be set and read back, as the recipe asks',
      observed: `a ${model} in a fixture without that: ${lockRecipe.kind === 'none' ? lockRecipe.reason : ''}`,
    });
  }

  /** Refuses a release that the part cannot hold before anything is written. */
  async requireRoom(components: readonly Component[]): Promise<void> {
    const outcome = await this.#driver.identify(this.#options());
    if (outcome.state === 'UNKNOWN') throw this.#silent(outcome.detail);
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
    try {
      requireVerified(component, own);
      const order = { address: component.address, image: own, onProgress };
      const outcome = await this.#driver.program(order, this.#options());
      requireVerified(component, own);
      requireDone(outcome, `${component.name} to be written`);
    } finally {
      if (component.sealed !== undefined) own.fill(0);
    }
  }

  /** Reads the component's range in a run of its own and compares its digest. */
  async measure({ name, address, length, sha256, sealed }: MeasuredRange): Promise<Measurement> {
    const outcome = await this.#driver.readBack({ address, length }, this.#options());
    const bytes = requireDone(outcome, `${name} to be read back`);
    const digest = sha256Hex(bytes);
    if (sealed !== undefined) bytes.fill(0);
    return { digest: { sha256: digest }, result: digest === sha256 && bytes.length === length ? 'SUCCESS' : 'FAIL' };
  }

  /** Reads any range in a run of its own. */
  async readRange(range: FlashRange): Promise<Bytes> {
    return requireDone(await this.#driver.readBack(range, this.#options()), 'the content to be read back');
  }

  /** Starts the board. Silence, or something else on its line, is no answer. */
  async boot(check: BootCheck, expected: DigestSet): Promise<BootMeasurement> {
    const { signal } = this.#options();
    return requireDone(
      await measureBoot(check, expected, signal === undefined ? {} : { signal }),
      'a board that starts',
    );
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

  /** What a read says of the lock now; nothing is set. */
  async readLock(): Promise<LockState> {
    return requireDone(await this.#driver.readLockState(this.#options()), 'the lock to be read');
  }

  /** Whether the lock of this board keeps its content from being read. */
  get forbidsReading(): boolean {
    return !isReadableWhenLocked(this.#driver.profile);
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

  /** One that was not heard out because people ended the work is not a missing one. */
  #silent(observed: string): StationRefusal {
    if (this.#signal?.aborted !== true) return absent(observed);
    return new StationRefusal('HD-05', { expected: 'a device that names itself', observed });
  }

  #options(): OperationOptions {
    const onRetry = (retry: Retry): void => {
      this.retries.push(retry);
    };
    return this.#signal === undefined ? { onRetry } : { onRetry, signal: this.#signal };
  }
}

/** What the repository holds of a component: the image, or the envelope it is sealed in. */
export function toContent(component: Component): ContentReference {
  return component.sealed ?? component;
}

/** Where a component lies and what it must be. */
type MeasuredRange = Pick<Component, 'name' | 'address' | 'length' | 'sha256' | 'sealed'>;

type ContentReference = Pick<Component, 'targetPath' | 'sha256' | 'length'>;

/** Throws LS-201 for bytes that are not the ones the release names. */
export function requireVerified(component: ContentReference, image: Bytes): void {
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
