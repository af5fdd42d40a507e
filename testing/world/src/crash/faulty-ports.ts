// SPDX-License-Identifier: Apache-2.0
/** Every port of a station behind one fault plan: each call gets its number there. */
import { ApiError, type LineService, type OfflineService } from '@witnessmark/api';
import { CustodyError, type Signer } from '@witnessmark/custody';
import type { DeviceDriver, DriverOutcome } from '@witnessmark/device';
import { TrustError } from '@witnessmark/trust';
import type { FileSystem, HeldRelease, OpenFile, ReleaseSource } from '@witnessmark/station';
import type { PortCalls } from './fault-plan.ts';

export function faultyFiles(files: FileSystem, plan: PortCalls): FileSystem {
  const fail = (): never => {
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  };
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> => plan.call(`fs.${name}`, effect, fail);
  const wrapFile = (path: string, file: OpenFile): OpenFile => ({
    write: (bytes) => call(`write ${path}`, () => file.write(bytes)),
    sync: () => call(`sync ${path}`, () => file.sync()),
    close: () => call(`close ${path}`, () => file.close()),
  });
  return {
    makeDirectory: (path) => call('makeDirectory', () => files.makeDirectory(path)),
    list: (path) => call('list', () => files.list(path)),
    read: (path) => call('read', () => files.read(path)),
    open: async (path, mode) =>
      wrapFile(baseName(path), await call(`open ${baseName(path)}`, () => files.open(path, mode))),
    rename: (from, to) => call(`rename ${baseName(to)}`, () => files.rename(from, to)),
    remove: (path) => call(`remove ${baseName(path)}`, () => files.remove(path)),
    syncDirectory: (path) => call('syncDirectory', () => files.syncDirectory(path)),
  };
}

export function faultyLine(line: LineService, plan: PortCalls): LineService {
  const fail = (): never => {
    throw new ApiError('ERR_API_UNREACHABLE', 'the connection was cut');
  };
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> => plan.call(`line.${name}`, effect, fail);
  return {
    requestPermit: (request) => call('requestPermit', () => line.requestPermit(request)),
    submit: (statement, attachments) => call('submit', () => line.submit(statement, attachments)),
    time: () => call('time', () => line.time()),
    unitEvidence: (unit) => call('unitEvidence', () => line.unitEvidence(unit)),
  };
}

export function faultyOffline(line: OfflineService, plan: PortCalls): OfflineService {
  const fail = (): never => {
    throw new ApiError('ERR_API_UNREACHABLE', 'the connection was cut');
  };
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> => plan.call(`line.${name}`, effect, fail);
  return {
    requestAllowance: (request) => call('requestAllowance', () => line.requestAllowance(request)),
    submitAll: (items) => call('submitAll', () => line.submitAll(items)),
  };
}

/** `onEffect` hears of operations that can change the device just before they reach it. */
export function faultyDriver(driver: DeviceDriver, plan: PortCalls, onEffect: () => Promise<void>): DeviceDriver {
  const lost = <T>(): DriverOutcome<T> => ({ state: 'UNKNOWN', detail: 'the programmer was unplugged' });
  const call = <T>(name: string, effect: () => Promise<DriverOutcome<T>>): Promise<DriverOutcome<T>> =>
    plan.call<DriverOutcome<T>>(`device.${name}`, effect, lost);
  const change = <T>(name: string, effect: () => Promise<DriverOutcome<T>>): Promise<DriverOutcome<T>> =>
    call(name, async () => {
      await onEffect();
      return effect();
    });
  return {
    profile: driver.profile,
    programmer: driver.programmer,
    simulated: driver.simulated,
    identify: (options) => call('identify', () => driver.identify(options)),
    readHardwareId: (options) => call('readHardwareId', () => driver.readHardwareId(options)),
    erase: (range, options) => change('erase', () => driver.erase(range, options)),
    program: (order, options) => change('program', () => driver.program(order, options)),
    readBack: (range, options) => call('readBack', () => driver.readBack(range, options)),
    lock: (options) => change('lock', () => driver.lock(options)),
    readLockState: (options) => call('readLockState', () => driver.readLockState(options)),
    reset: (options) => call('reset', () => driver.reset(options)),
  };
}

export function faultySigner(signer: Signer, plan: PortCalls): Signer {
  const fail = (): never => {
    throw new CustodyError('ERR_CUSTODY_SIGN', 'the token was removed');
  };
  return {
    publicKey: signer.publicKey,
    custody: signer.custody,
    sign: (message) => plan.call('signer.sign', () => signer.sign(message), fail),
  };
}

export function faultyReleases(releases: ReleaseSource, plan: PortCalls): ReleaseSource {
  const fail = (): never => {
    throw new TrustError('ERR_TRUST_UNREACHABLE', 'the repository did not answer');
  };
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> => plan.call(`releases.${name}`, effect, fail);
  const wrap = (release: HeldRelease): HeldRelease => ({
    ...release,
    readImage: (component) => call('readImage', () => release.readImage(component)),
  });
  return {
    refresh: (now) => call('refresh', () => releases.refresh(now)),
    releaseInEffect: async (query) => wrap(await call('releaseInEffect', () => releases.releaseInEffect(query))),
  };
}

function baseName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.endsWith('.journal') ? 'journal' : name;
}
