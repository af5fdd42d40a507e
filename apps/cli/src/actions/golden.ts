// SPDX-License-Identifier: Apache-2.0
/** Golden and known-bad units: registering them, proving a station with them, and which there are. */
import {
  deriveLabelSerial,
  goldenCheck as goldenCheckDefinition,
  parseStatement,
  parseTrustedRoot,
  toDeviceId,
  type GoldenKind,
  type GoldenUnit,
} from '@witnessmark/attestation';
import { RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import type { DeviceDriver, DriverOutcome } from '@witnessmark/device';
import { LineTrust } from '@witnessmark/station';
import type { CommandInput, CommandResult } from '../command.ts';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { CliError } from '../error.ts';
import { EXIT, exitCodeOfReason } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { fetchGoldenRegister, signGoldenUnit } from '../golden.ts';
import type {
  goldenCheckOptions,
  goldenListOptions,
  goldenRegisterOptions,
  goldenRetireOptions,
} from '../options/golden.ts';
import { purposeOfStatement } from '../purpose.ts';
import { openFixture, withFixture } from '../roots/fixture.ts';
import { openStation } from '../roots/station.ts';
import { answerOf } from '../session.ts';
import { OperatorAtStation } from '../sign-in.ts';
import { promptForPin, withSigner } from '../signer-reference.ts';
import { chooseSlotDevice } from '../slot-choice.ts';
import { withStationLine } from '../station-line.ts';
import { openStationConfig } from './station.ts';

const MAX_IMAGE_BYTES = 64 * 1024 * 1024;
const CHECK_KIND = 'golden-check';

export async function goldenRegister({
  options,
  session,
}: CommandInput<typeof goldenRegisterOptions>): Promise<CommandResult> {
  const { clock, newId, output, signal } = session;
  const config = openStationConfig(options);
  const image = readFile(options.image, MAX_IMAGE_BYTES);
  const kind = options.kind as GoldenKind;
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'What the unit is for:' });
  const { device, profile } = chooseSlotDevice(config, options);
  const content = { address: options.address ?? 0, length: image.length, digest: { sha256: sha256Hex(image) } };
  const unit = await withFixture({ device, profile, holder: 'golden register' }, (fixture) => {
    fixture.insert('');
    return readUnit(fixture.driver, { content, kind, signal });
  });
  const { plant, line, job } = config.values;
  const labelSerial = deriveLabelSerial(job.sku, unit.deviceId);
  const trustedRoot = trustedRootOf(config);
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signGoldenUnit({
      unit: {
        action: 'register',
        registrationId: null,
        kind,
        ...unit,
        labelSerial,
        content,
        site: { plant, line },
        reason,
      },
      signer,
      trustedRoot,
      id: newId(),
      now: clock.now(),
    }),
  );
  const where = { line: options.line, signal };
  const { index } = await withStationLine(config, where, (line) => line.submit(envelope));
  output.verdict(`${labelSerial} is registered as ${describe(kind)} unit, log entry ${index}; it can never be shipped`);
  return { exit: EXIT.yes, document: { serial: labelSerial, deviceId: unit.deviceId, kind, logIndex: index } };
}

export async function goldenRetire({
  args,
  options,
  session,
}: CommandInput<typeof goldenRetireOptions>): Promise<CommandResult> {
  const { clock, newId, output, signal } = session;
  const config = openStationConfig(options);
  const where = { line: options.line, signal };
  const trustedRoot = trustedRootOf(config);
  const trust = new LineTrust(trustedRoot, config.values.line);
  const register = await withStationLine(config, where, (line) => fetchGoldenRegister(line, trust));
  const serial = args[0] as string;
  const found = register.inUse.find(({ labelSerial }) => labelSerial === serial);
  if (found === undefined) {
    throw new CliError('ERR_CLI_UNKNOWN_UNIT', `no golden or known-bad unit ${JSON.stringify(serial)} is in use`);
  }
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Why it is taken out of use:' });
  const { id: registrationId, kind, deviceId, hardwareUid, labelSerial, content, site } = found;
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) =>
    signGoldenUnit({
      unit: { action: 'retire', registrationId, kind, deviceId, hardwareUid, labelSerial, content, site, reason },
      ...{ signer, trustedRoot, id: newId(), now: clock.now() },
    }),
  );
  const { index } = await withStationLine(config, where, (line) => line.submit(envelope));
  output.verdict(`${serial} is out of use, log entry ${index}; it still can never be shipped`);
  return { exit: EXIT.yes, document: { serial, deviceId, kind, logIndex: index } };
}

export async function goldenCheck({
  options,
  session,
}: CommandInput<typeof goldenCheckOptions>): Promise<CommandResult> {
  const { clock, newId, output, signal } = session;
  const config = openStationConfig(options);
  const kind = options.kind as GoldenKind;
  const { device, profile, slot } = chooseSlotDevice(config, options);
  const fixture = await openFixture(device, profile, `${config.values.station} golden check`);
  try {
    const { driver } = fixture;
    const askPin = promptForPin(session);
    const running = await openStation(config, { clock, newId, driver, slot, askPin, lineUrl: options.line });
    let operator: OperatorAtStation | null = null;
    try {
      operator = await OperatorAtStation.signIn({ session, options, config, ...running });
      fixture.insert('');
      const register = await fetchGoldenRegister(running.line, running.lineTrust);
      const { result, finding, deviceId, code, record } = await running.station.checkGolden({ kind, register, signal });
      output.data(`  ${finding}`);
      output.verdict(
        result === 'asExpected'
          ? `the ${describe(kind)} unit did as expected, log entry ${record.index}`
          : `LS-613 the ${describe(kind)} unit did not do as expected, log entry ${record.index}`,
      );
      return {
        exit: code === null ? EXIT.yes : exitCodeOfReason(code),
        document: { kind, slot: slot ?? null, result, finding, deviceId, code, logIndex: record.index },
      };
    } finally {
      await operator?.signOut();
      running.close();
    }
  } finally {
    await fixture.close();
  }
}

export async function goldenList({ options, session }: CommandInput<typeof goldenListOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const config = openStationConfig(options);
  const trust = new LineTrust(trustedRootOf(config), config.values.line);
  const [{ inUse }, records] = await withStationLine(config, { line: options.line, signal }, async (line) => [
    await fetchGoldenRegister(line, trust),
    await line.siteRecords(CHECK_KIND),
  ]);
  const units = inUse.map(({ kind, labelSerial: serial, deviceId, registeredAt, person }) => {
    return { kind, serial, deviceId, registeredAt, registeredBy: person.id };
  });
  const checks = records.map(({ envelope, index }) => {
    const { predicate } = parseStatement(goldenCheckDefinition, envelope.payload);
    const { station, kind, result, finding, checkedAt, operatorId } = predicate;
    return { station: station.id, slot: station.slot ?? null, kind, result, finding, checkedAt, operatorId, index };
  });
  for (const { kind, serial, registeredBy } of units) output.data(`${serial}  ${describe(kind)}, by ${registeredBy}`);
  for (const { checkedAt, station, slot, kind, result, finding } of checks) {
    const where = slot === null ? station : `${station} slot ${slot}`;
    const word = result === 'asExpected' ? 'as expected' : 'NOT as expected';
    output.data(`${checkedAt}  ${where}  ${describe(kind)}: ${word}; ${finding}`);
  }
  output.verdict(`${units.length} units in use, ${checks.length} checks on record`);
  return { exit: EXIT.yes, document: { units, checks } };
}

/** Throws LS-611 for a golden unit that does not hold the image, and for a known-bad one that does. */
async function readUnit(
  driver: DeviceDriver,
  unit: { readonly content: GoldenUnit['content']; readonly kind: GoldenKind; readonly signal: AbortSignal },
): Promise<Pick<GoldenUnit, 'deviceId' | 'hardwareUid'>> {
  const { content, kind, signal } = unit;
  const id = requireDone(await driver.readHardwareId({ signal }));
  const observed = sha256Hex(requireDone<Bytes>(await driver.readBack(content, { signal })));
  const isGood = observed === content.digest.sha256;
  if (isGood !== (kind === 'golden')) {
    const what = isGood ? 'holds the image and would pass' : 'does not hold the image';
    throw new RefusedError('LS-611', `the device ${what}: SHA-256 ${observed}`);
  }
  return { deviceId: toDeviceId(id), hardwareUid: { sha256: sha256Hex(id.value) } };
}

function requireDone<T>(outcome: DriverOutcome<T>): T {
  if (outcome.state === 'DONE') return outcome.value;
  throw new RefusedError(outcome.state === 'FAILED' ? outcome.code : 'UF-06', outcome.detail);
}

function trustedRootOf({ values, pathOf }: LoadedConfig<StationConfig>): ReturnType<typeof parseTrustedRoot> {
  return parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
}

function describe(kind: GoldenKind): string {
  return kind === 'golden' ? 'golden' : 'known-bad';
}
