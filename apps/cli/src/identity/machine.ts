// SPDX-License-Identifier: Apache-2.0
/** Which machine this is, and whether it is the one the station was enrolled on. */
import {
  compareFingerprints,
  describeChanges,
  openTpmQuoter,
  readEndorsementKey,
  readMachineFingerprint,
  toMachineFingerprint,
  type MachineFingerprint,
  type Quoter,
} from '@witnessmark/enrolment';
import { RefusedError, type Bytes } from '@witnessmark/core';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { CliError } from '../error.ts';
import { IdentityDirectory } from './identity-directory.ts';

type Identity = NonNullable<StationConfig['identity']>;

/** Rejects with `ERR_ENROLMENT_MACHINE`, or `ERR_ENROLMENT_TPM` when a configured TPM gives no answer. */
export async function readStationMachine({
  values,
  pathOf,
  file,
}: LoadedConfig<StationConfig>): Promise<MachineFingerprint> {
  const { identity } = values;
  if (identity === undefined) return readMachineFingerprint();
  if (identity.machineRoot !== undefined && values.environment === 'production') {
    throw new CliError('ERR_CLI_CONFIG', `${file}: identity.machineRoot is for rehearsals, and production is none`);
  }
  return readMachineFingerprint(identity.machineRoot === undefined ? '/' : pathOf(identity.machineRoot), {
    salt: new IdentityDirectory(pathOf(identity.directory)).salt(),
    endorsementKey: await endorsementKeyOf(identity),
  });
}

/** Throws ID-107 naming the parts that changed; nothing before the station was enrolled. */
export async function demandEnrolledMachine(config: LoadedConfig<StationConfig>): Promise<MachineFingerprint> {
  const found = await readStationMachine(config);
  const { identity } = config.values;
  if (identity === undefined) return found;
  const enrolled = new IdentityDirectory(config.pathOf(identity.directory)).readRequest();
  if (enrolled === null) return found;
  const changes = compareFingerprints(toMachineFingerprint(enrolled.vetted.enrolment.machine.parts), found);
  if (changes.length === 0) return found;
  throw new RefusedError('ID-107', `enrolled ${enrolled.vetted.enrolment.requestedAt}; ${describeChanges(changes)}`);
}

/** Null without a TPM in the configuration. */
export async function openStationQuoter({ identity }: StationConfig): Promise<Quoter | null> {
  return identity?.tpm === undefined ? null : openTpmQuoter(identity.tpm);
}

async function endorsementKeyOf({ tpm }: Identity): Promise<Bytes | null> {
  return tpm?.endorsementKey === undefined ? null : readEndorsementKey(tpm, tpm.endorsementKey);
}
