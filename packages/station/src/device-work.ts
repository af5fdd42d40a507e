// SPDX-License-Identifier: Apache-2.0
/** The moves that touch the device: program, measure, lock – and, after an interruption, reading it back. */
import { hasCode, type Bytes, type ReasonCode } from '@witnessmark/core';
import { bootComponentOf, type Identity } from '@witnessmark/attestation';
import type { BootCheck } from '@witnessmark/device';
import { isClockTrouble } from './clock-check.ts';
import { StationRefusal } from './error.ts';
import { Findings } from './findings.ts';
import type { Fixture } from './fixture.ts';
import type { KeptMeasurement, MeasurementKeeper } from './kept-measurement.ts';
import type { OpenUnit } from './open-unit.ts';
import type { UnitFindings } from './event-statement.ts';
import type { StepReport, StepWatch } from './step-watch.ts';
import type { TimeKeeper } from './time-keeper.ts';
import type { Move } from './transitions.ts';

/** The reason an event gives when the unit was finished after an interruption. */
export const RESUMED = 'resumed';

const UNIT_FAILURES: ReadonlySet<ReasonCode> = new Set<ReasonCode>(['UF-02', 'UF-03', 'UF-04', 'UF-05']);

interface DeviceWorkOptions {
  readonly fixture: Fixture;
  /** Null at a fixture that cannot start its board. */
  readonly bootCheck: BootCheck | null;
  /** Outlives this process, where a locked board cannot be measured again. */
  readonly keeper: MeasurementKeeper;
  readonly watch: StepWatch;
  readonly time: TimeKeeper;
  /** Takes the unit to the next phase. */
  readonly move: (move: Move) => void;
  /** The operator's or the system's wish to end. */
  readonly signal: AbortSignal | undefined;
}

export class DeviceWork {
  readonly #fixture: Fixture;
  readonly #bootCheck: BootCheck | null;
  readonly #keeper: MeasurementKeeper;
  readonly #watch: StepWatch;
  readonly #time: TimeKeeper;
  readonly #move: (move: Move) => void;
  readonly #signal: AbortSignal | undefined;

  constructor({ fixture, bootCheck, keeper, watch, time, move, signal }: DeviceWorkOptions) {
    this.#fixture = fixture;
    this.#bootCheck = bootCheck;
    this.#keeper = keeper;
    this.#watch = watch;
    this.#time = time;
    this.#move = move;
    this.#signal = signal;
  }

  /**
   * Programs the unit and proves it. A bad unit is a finding, and so is one that fell silent: it is read back, once,
   * and never programmed again. Errors are left for what is not the device's: clock, disk, line.
   */
  async perform(unit: OpenUnit, images: ReadonlyMap<string, Bytes>): Promise<UnitFindings> {
    const findings = new Findings(this.#fixture.retries);
    try {
      await this.#watch.run('intended', 'program', (report) => this.#program(unit, images, report));
      findings.programmed(this.#time.requireSane().now);
      this.#move('program');
      await this.#prove(unit, findings, false);
      return findings.succeeded(null);
    } catch (error) {
      if (isUnitFailure(error)) return findings.failed(error.code, error.message);
      if (isExchange(error)) return findings.held(error.code, error.message);
      if (!isDeviceDoubt(error) || this.#signal?.aborted === true) throw error;
      this.#move('interrupt');
      return this.examine(unit, error.message);
    }
  }

  /** Reads an interrupted device back: finished when it proves to hold everything, on hold when that is not certain. */
  async examine(unit: OpenUnit, interruption: string): Promise<UnitFindings> {
    const findings = new Findings(this.#fixture.retries);
    this.#move('resume');
    try {
      await this.#requireDevice(unit, findings);
      const { kept } = this.#keeper;
      if (kept !== null && (await this.#fixture.readLockAfterReset()) === 'locked') {
        await this.#proveByKept(unit, findings, kept);
      } else {
        await this.#prove(unit, findings, true);
      }
      return findings.succeeded(RESUMED);
    } catch (error) {
      if (error instanceof StationRefusal && error.code === 'UF-04') return findings.failed('UF-04', error.message);
      if (!isDeviceDoubt(error)) throw error;
      return findings.held('HD-02', `${interruption}; ${error.message}`);
    }
  }

  async #program(
    { manifest }: OpenUnit,
    images: ReadonlyMap<string, Bytes>,
    report: (going: StepReport) => void,
  ): Promise<void> {
    for (const component of manifest.components) {
      const image = images.get(component.name);
      if (image === undefined) throw new TypeError(`no image was verified for ${component.name}`);
      await this.#fixture.program(component, image, ({ phase, doneBytes, totalBytes }) => {
        report({ step: phase, doneBytes, totalBytes });
      });
    }
  }

  /** Measure, then lock when the recipe says so; the device must be the same one after each. */
  async #prove(unit: OpenUnit, findings: Findings, isResumed: boolean): Promise<void> {
    await this.#watch.run('programmed', 'measure', () => this.#measure(unit, findings));
    this.#move('measure');
    await this.#boot(unit, findings);
    if (!unit.manifest.recipe.steps.includes('lock')) return;
    await this.#keeper.keep(unit, this.#time.requireSane().now);
    await this.#watch.run('measured', 'lock', () => this.#lock(unit, findings, isResumed));
    this.#move('lock');
  }

  /**
   * For a board that took its lock and can be read no more: the measurement from before the lock, and the lock itself, which
   * was just put to the test. Taking the lock off again would have erased the board.
   */
  async #proveByKept({ intent, manifest }: OpenUnit, findings: Findings, kept: KeptMeasurement): Promise<void> {
    await this.#watch.run('programmed', 'measure', async () => {
      for (const { name } of manifest.components) {
        const sha256 = kept.digests.get(name) as string;
        findings.measured(name, { digest: { sha256 }, result: 'SUCCESS' }, kept.measuredAt);
        findings.check(`content of ${name} before the lock`, 'SUCCESS');
      }
      await this.#requireSame(intent.identity, findings);
    });
    this.#move('measure');
    await this.#boot({ intent, manifest }, findings);
    findings.protection('locked');
    findings.check('protection', 'SUCCESS');
    this.#move('lock');
  }

  async #measure({ manifest, intent }: OpenUnit, findings: Findings): Promise<void> {
    const different: string[] = [];
    for (const component of manifest.components) {
      const measurement = await this.#fixture.measure(component);
      findings.measured(component.name, measurement, this.#time.requireSane().now);
      findings.check(`content of ${component.name}`, measurement.result);
      if (measurement.result !== 'SUCCESS') different.push(component.name);
    }
    await this.#requireSame(intent.identity, findings);
    if (different.length === 0) return;
    throw new StationRefusal('UF-03', {
      expected: 'the approved images when read back',
      observed: `other content in ${different.join(', ')}`,
    });
  }

  /** Starts the board, when the recipe says so: its firmware must name the digest of the component it starts from. */
  async #boot({ manifest, intent }: Pick<OpenUnit, 'manifest' | 'intent'>, findings: Findings): Promise<void> {
    if (!manifest.recipe.steps.includes('bootDigest')) return;
    const check = this.#bootCheck;
    if (check === null) {
      // Admission refuses such a recipe; a unit that was interrupted may come back to a fixture that lost what it had.
      throw new StationRefusal('LS-205', {
        expected: 'a fixture that starts its board, as the recipe asks',
        observed: 'one that does not any more',
      });
    }
    await this.#watch.run('measured', 'boot', async () => {
      const component = bootComponentOf(manifest.components);
      const seen = await this.#fixture.boot(check, { sha256: component.sha256 });
      findings.booted({ component: component.name, model: check.model, ...seen });
      findings.check('boot digest', seen.result);
      await this.#requireSame(intent.identity, findings);
      if (seen.result === 'SUCCESS') return;
      throw new StationRefusal('UF-03', {
        expected: `firmware that names SHA-256 ${component.sha256} of ${component.name} when it starts`,
        observed: seen.digest.sha256,
      });
    });
    this.#move('bootDigest');
  }

  async #lock({ intent }: OpenUnit, findings: Findings, isResumed: boolean): Promise<void> {
    // An interrupted lock may have taken; a locked part need not take it twice.
    const isLocked = isResumed && (await this.#fixture.readLockAfterReset()) === 'locked';
    const state = isLocked ? 'locked' : await this.#fixture.lock();
    findings.protection(state);
    findings.check('protection', state === 'locked' ? 'SUCCESS' : state === 'open' ? 'FAIL' : 'NOT_RUN');
    await this.#requireSame(intent.identity, findings);
    if (state === 'locked') return;
    throw new StationRefusal('UF-04', { expected: 'a locked device after reset', observed: `one that reads ${state}` });
  }

  async #requireDevice({ intent }: OpenUnit, findings: Findings): Promise<void> {
    const { deviceId } = await this.#fixture.readDevice();
    if (deviceId === intent.identity.deviceId) return;
    findings.check('device', 'FAIL');
    throw new StationRefusal('UF-07', {
      expected: `device ${intent.identity.deviceId.slice(0, 16)}… in the fixture`,
      observed: `device ${deviceId.slice(0, 16)}…`,
    });
  }

  async #requireSame(identity: Identity, findings: Findings): Promise<void> {
    await this.#fixture.requireSame(identity);
    findings.check('device', 'SUCCESS');
  }
}

/** The device answered, and the answer is that the unit is bad. */
function isUnitFailure(error: unknown): error is StationRefusal {
  return error instanceof StationRefusal && UNIT_FAILURES.has(error.code);
}

function isExchange(error: unknown): error is StationRefusal {
  return error instanceof StationRefusal && error.code === 'UF-07';
}

/** Nobody knows what the device holds. A wrong clock or a missing key says nothing about the device. */
function isDeviceDoubt(error: unknown): error is Error {
  if (error instanceof StationRefusal) return !isClockTrouble(error.code) && error.code !== 'LS-304';
  return hasCode(error, 'ERR_STATION_DEVICE_UNKNOWN');
}
