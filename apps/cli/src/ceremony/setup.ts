// SPDX-License-Identifier: Apache-2.0
/** The setup of one run of a ceremony (spec/ceremony-script.md, "The run"): who, with which things, and what the acts reach. */
import { join } from 'node:path';
import { identifier } from '@witnessmark/attestation';
import { ROLES, type RunSettings } from '@witnessmark/ceremony';
import { decodeUtf8, encodeBase64, formatJson, parsePublicKeyPem, type PublicKey } from '@witnessmark/core';
import { z } from 'zod';
import { loadConfig, type LoadedConfig } from '../config.ts';
import { readFile, writeFile } from '../files.ts';
import { softwareDigest } from '../software-digest.ts';
import { VERSION } from '../version.ts';

const MAX_KEY_FILE_BYTES = 16 * 1024;
/** A file name, too. */
export const CEREMONY_ID = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const path = z.string().min(1).max(4096);

const setupSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.ceremony-setup.v1+json'),
  ceremonyId: z.string().regex(CEREMONY_ID),
  location: identifier,
  /** Tokens are simulated or keys are software keys: marked, and refused by production policies. */
  simulated: z.boolean(),
  people: z
    .array(
      z.strictObject({
        id: identifier,
        role: z.enum(ROLES),
        /** PEM file of the key this person signs the transcript with. */
        publicKey: path.nullable(),
      }),
    )
    .max(12),
  equipment: z
    .array(
      z.strictObject({
        name: identifier,
        label: identifier,
        serial: identifier,
        bag: identifier.nullable(),
      }),
    )
    .max(12),
  inputs: z.array(z.strictObject({ name: identifier, value: z.string().min(1).max(256) })).max(12),
  /** What the acts reach; null where the script needs none. */
  acts: z.strictObject({
    hsmModule: path.nullable(),
    cardModule: path.nullable(),
    /** PEM or DER certificates of the vendors whose attestations are believed. */
    pivRoots: z.array(path).max(16),
    registry: path.nullable(),
    repository: path.nullable(),
    /** The line that break-glass ceremonies open; left out by every other script. */
    breakGlass: z
      .strictObject({
        lineUrl: z.url({ protocol: /^https?$/ }),
        trustedRoot: path,
        plant: identifier,
        line: identifier,
        /** Null for every station of the line. */
        station: identifier.nullable(),
      })
      .optional(),
  }),
});

export type CeremonySetup = z.infer<typeof setupSchema>;

/** A copy of it lies beside the journal, with absolute paths, for the resume. */
const SETUP_FILE = 'setup.json';

export function loadSetup(file: string): LoadedConfig<CeremonySetup> {
  return loadConfig(file, setupSchema);
}

/** What the journal opens with; throws `ERR_CLI_INPUT` or an `ERR_KEY_*` code for a key that cannot be read. */
export function toRunSettings({ values, pathOf }: LoadedConfig<CeremonySetup>, isRehearsal: boolean): RunSettings {
  const { ceremonyId, location, simulated, people, equipment, inputs } = values;
  return {
    ceremonyId,
    environment: { simulated, rehearsal: isRehearsal },
    location,
    people: people.map(({ id, role, publicKey }) => ({
      id,
      role,
      publicKey: publicKey === null ? null : encodeBase64(readPublicKey(pathOf(publicKey)).spki),
    })),
    equipment,
    inputs,
    tool: { version: VERSION, sha256: softwareDigest() },
  };
}

/** Keeps the setup beside the journal; nothing in it is secret. */
export function keepSetup({ values, pathOf }: LoadedConfig<CeremonySetup>, directory: string): void {
  const { acts } = values;
  const absolute = (own: string | null): string | null => (own === null ? null : pathOf(own));
  const kept: CeremonySetup = {
    ...values,
    people: values.people.map((person) => ({ ...person, publicKey: absolute(person.publicKey) })),
    acts: {
      hsmModule: absolute(acts.hsmModule),
      cardModule: absolute(acts.cardModule),
      pivRoots: acts.pivRoots.map(pathOf),
      registry: absolute(acts.registry),
      repository: absolute(acts.repository),
      ...(acts.breakGlass === undefined
        ? {}
        : { breakGlass: { ...acts.breakGlass, trustedRoot: pathOf(acts.breakGlass.trustedRoot) } }),
    },
  };
  writeFile(join(directory, SETUP_FILE), formatJson(kept));
}

export function keptSetup(directory: string): LoadedConfig<CeremonySetup> {
  return loadSetup(join(directory, SETUP_FILE));
}

/** Throws `ERR_CLI_INPUT`, or an `ERR_KEY_*` code for what is not one public key in PEM. */
export function readPublicKey(file: string): PublicKey {
  return parsePublicKeyPem(decodeUtf8(readFile(file, MAX_KEY_FILE_BYTES)).trim());
}
