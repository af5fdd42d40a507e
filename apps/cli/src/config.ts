// SPDX-License-Identifier: Apache-2.0
/**
 * Configuration files: JSON, named on the command line or found in a named data directory, never in the current folder.
 * A flag or variable beats the file; an unknown member is an error. Paths in a file are relative to the file.
 */
import { dirname, resolve } from 'node:path';
import { CUSTODY_GRADES, parseStrictJson, WitnessmarkError } from '@witnessmark/core';
import {
  describeIssues,
  identifier,
  KEY_ROLES,
  MAX_PANEL_POSITIONS,
  MAX_SLOTS,
  RELEASE_CLASSES,
} from '@witnessmark/attestation';
import { lineRulesSchema } from '@witnessmark/line';
import { timePolicySchema } from '@witnessmark/station';
import { z } from 'zod';
import { bootSchema } from './boot-config.ts';
import { CliError, usageError } from './error.ts';
import { readFile } from './files.ts';

const MAX_CONFIG_BYTES = 64 * 1024;

const path = z.string().min(1).max(4096);
/** Where a key is, never the key: a file, a token, or custody ("Key references"). */
const keyReference = z.string().min(1).max(2048);
const port = z.int().min(0).max(65_535);
const httpUrl = z.url({ protocol: /^https?$/ });

/** Whose approvals a release needs; people count once, its author never. */
const approvals = z.strictObject({
  threshold: z.int().min(1).max(16),
  requiredRoles: z.array(identifier).max(16),
  /** How long a proposal must have been open before an approval counts; none when absent. */
  coolingOffMinutes: z.int().min(0).max(10_080).optional(),
});

/** Present, it refuses keys at the start that production may not have. */
const productionMembers = {
  environment: z.literal('production').optional(),
  /** The weakest claim about how an own key is kept that counts then. */
  minimumCustodyGrade: z.enum(CUSTODY_GRADES).optional(),
};

/** Where releases come from, and the root everything about them is checked from. */
const trustMembers = {
  /** The pinned first root of the trust repository. */
  root: path,
  /** What a client of the repository remembers; it must survive new mirrors and installations. */
  memory: path,
  /** How many holders the root in force must ask for; 2 when absent. */
  minThreshold: z.int().min(2).max(64).optional(),
};

export const lineConfigSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.line-config.v1+json'),
  rules: lineRulesSchema,
  listen: z.strictObject({
    host: z.string().min(1).max(255),
    port,
    /** Without it, only 127.0.0.1 is listened on. */
    tls: z
      .strictObject({
        certificate: path,
        key: keyReference,
        /** Issues the certificates of stations, and no other does. */
        clientAuthority: path,
      })
      .optional(),
  }),
  database: path,
  log: z.strictObject({ directory: path, name: z.string().min(1).max(256), key: keyReference }),
  /** Signs permits, countersignatures and refusals. */
  evidenceKey: keyReference,
  /** Opens releases that are sealed to the line; without it they cannot be programmed. */
  unsealingKey: keyReference.optional(),
  /** PIN records of badges; without it nobody signs in by badge. */
  badges: path.optional(),
  ...productionMembers,
  trustedRoot: path,
  trust: z.strictObject({ ...trustMembers, repository: path }),
});
export type LineConfig = z.infer<typeof lineConfigSchema>;

/** A persistent object in a TPM. */
const tpmHandle = z.string().regex(/^0x81[0-9a-f]{6}$/i);

/** Who a station is, beside its key: the enrolment, the certificate it got for it, its TPM. */
const stationIdentitySchema = z.strictObject({
  /** Request, certificate and authority, as `station enroll` puts them there. */
  directory: path,
  /** Authenticates connections and signs nothing else. */
  connectionKey: keyReference.optional(),
  tpm: z
    .strictObject({
      attestationKey: tpmHandle,
      endorsementKey: tpmHandle.optional(),
      registers: z.array(z.int().min(0).max(23)).min(1).max(24),
      tcti: z.string().min(1).max(256).optional(),
    })
    .optional(),
  /** In a rehearsal: the root directory of the machine that is looked at. */
  machineRoot: path.optional(),
});

/** What a station is measured by, and where the build that two people approved lies. */
const measurementSchema = z.strictObject({
  /** The directory that "station-build" made: record, manifest, list, contents. */
  record: path,
  /** Another root than the machine's own is for drills. */
  root: path.default('/'),
  /** Debian packages whose every file is hashed. */
  hashedPackages: z.array(identifier).max(64).default([]),
  /** Files and directories that are hashed; paths on the station. */
  hashedPaths: z.array(path).max(64).default([]),
  /** Files of the station's own configuration; paths on the station. */
  configuration: z.array(path).max(64).default([]),
  programmers: z
    .array(z.strictObject({ model: identifier, serial: identifier, firmware: identifier }))
    .max(16)
    .default([]),
  fixtures: z.array(identifier).max(16).default([]),
  /** No unit is begun on an older measurement. */
  everyMinutes: z.int().min(1).max(10_080).default(240),
  /** After a pause of so long, a sign-in begins a shift, which begins with a measurement. */
  shiftAfterMinutes: z.int().min(1).max(10_080).default(60),
});
export type MeasurementConfig = z.infer<typeof measurementSchema>;

export const stationConfigSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.station-config.v1+json'),
  station: identifier,
  line: identifier,
  plant: identifier,
  lineUrl: httpUrl,
  stationKey: keyReference,
  identity: stationIdentitySchema.optional(),
  ...productionMembers,
  /** Journal and floor; one process at a time. */
  directory: path,
  /** Where evidence files of finished units go. */
  evidence: path,
  trustedRoot: path,
  /** Without a repository of its own, a station reads the line's. */
  trust: z.strictObject({
    ...trustMembers,
    cache: path,
    /** A key pair that wraps the key of the cache; without it, that key is a file. */
    cacheKey: keyReference.optional(),
    /** Of released content the station keeps; the longest unused makes room. 1024 when absent. */
    cacheQuotaMiB: z.int().min(1).max(1_048_576).optional(),
    repository: path.nullable(),
  }),
  approvals,
  /** Classes of releases that are made here; `production` when absent. */
  releaseClasses: z.array(z.enum(RELEASE_CLASSES)).min(1).optional(),
  job: z.strictObject({
    sku: identifier,
    hwVersion: identifier,
    workOrder: identifier.nullable(),
    lot: identifier.nullable(),
  }),
  /** Several places, each with a programmer of its own; without it there is one, which the command line names. */
  slots: z
    .array(
      z.strictObject({
        slot: z.int().min(1).max(MAX_SLOTS),
        /** As `--device` takes it; a simulated path is relative to this file. */
        device: z.string().min(1).max(4096),
        profile: path.optional(),
        boot: bootSchema.optional(),
      }),
    )
    .min(1)
    .max(MAX_SLOTS)
    .refine((slots) => new Set(slots.map(({ slot }) => slot)).size === slots.length)
    .optional(),
  /** For the fixture that the command line names; each slot has its own. */
  boot: bootSchema.optional(),
  /** How many programming tools run at once; as many as there are slots when absent. */
  maxParallelTools: z.int().min(1).max(MAX_SLOTS).optional(),
  /** The slot of each position of a panel, position 1 first. */
  panel: z.strictObject({ slots: z.array(z.int().min(1).max(MAX_SLOTS)).min(1).max(MAX_PANEL_POSITIONS) }).optional(),
  /** Where labels are printed, from the record of each unit that passed; their scan is then demanded. Without it, elsewhere. */
  labels: z
    .strictObject({
      printer: z.union([
        /** Raw ZPL. */
        z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(1).max(65_535) }),
        /** The same to a device file. */
        z.strictObject({ device: z.string().startsWith('/').max(4096) }),
        /** A file for each label. */
        z.strictObject({ folder: path, form: z.enum(['zpl', 'png', 'svg']) }),
      ]),
    })
    .optional(),
  /** Whether the line is asked for allowances, so that work goes on for a while when it does not answer. */
  worksOffline: z.boolean().optional(),
  /** Present, the station measures itself before it makes units. */
  measurement: measurementSchema.optional(),
  /** The machine's own time service and what is asked of it; without one, the line's clock is all there is to compare with. */
  timeService: z
    .strictObject({
      chrony: z.union([
        z.strictObject({ socketPath: z.string().startsWith('/').max(108) }),
        z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) }),
      ]),
      /** chronyc, where it is not Debian's. */
      program: z.string().startsWith('/').max(4096).optional(),
      policy: timePolicySchema,
      /** What the line has laid down about its time sources, signed by two people; its limits then replace the policy. */
      hierarchy: path.optional(),
    })
    .optional(),
});
export type StationConfig = z.infer<typeof stationConfigSchema>;

export const officeConfigSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.office-config.v1+json'),
  site: z.strictObject({ plant: identifier, line: identifier }),
  /** What a release is for unless the proposal says otherwise. */
  product: z.strictObject({ sku: identifier, hwModel: identifier, hwVersions: z.array(identifier).min(1).max(32) }),
  approvals,
  ...productionMembers,
  /** In production: the weakest custody claim that counts for the keys of people, by role. */
  minimumCustodyGrades: z.partialRecord(z.enum(KEY_ROLES), z.enum(CUSTODY_GRADES)).optional(),
  /** Promotions, and the office's own evidence log. */
  directory: path,
  log: z.strictObject({ name: z.string().min(1).max(256), key: keyReference }),
  /** Signs refusals for the record; without it they are only answered. */
  evidenceKey: keyReference.optional(),
  /** Certificates of token vendors in DER; without one no key is enrolled as attested. */
  attestationRoots: z.array(path).max(16).optional(),
  trust: z.strictObject({ root: path, repository: path }),
  /** Where people publish: the keys that sign without asking anybody. Null on an approver's own machine. */
  publishing: z.strictObject({ onlineKey: keyReference, effectivityKey: keyReference }).nullable(),
  /** `required`: every release is sealed to the line, and none in clear is approved or published. */
  sealing: z.enum(['optional', 'required']).default('optional'),
});
export type OfficeConfig = z.infer<typeof officeConfigSchema>;

/** A configuration and the folder its paths are relative to. */
export interface LoadedConfig<T> {
  readonly file: string;
  readonly values: T;
  /** An absolute path. */
  readonly pathOf: (path: string) => string;
}

/** The file that `--config` names, else the one in the directory that `--data` names. Throws `ERR_CLI_USAGE` for neither. */
export function namedConfig(
  options: { readonly data: string | undefined; readonly config: string | undefined },
  fileIn: (data: string) => string,
): string {
  if (options.config !== undefined) return options.config;
  if (options.data !== undefined) return fileIn(options.data);
  throw usageError('--data (or WITNESSMARK_DATA) or --config is missing');
}

/** Reads a configuration file; throws `ERR_CLI_CONFIG` naming the members that are wrong. */
export function loadConfig<T>(file: string, schema: z.ZodType<T>): LoadedConfig<T> {
  let value: unknown;
  try {
    value = parseStrictJson(readFile(file, MAX_CONFIG_BYTES));
  } catch (cause) {
    if (!(cause instanceof WitnessmarkError)) throw cause;
    throw new CliError('ERR_CLI_CONFIG', `${file}: ${cause.message}`, { cause });
  }
  const result = schema.safeParse(value);
  if (!result.success) throw new CliError('ERR_CLI_CONFIG', `${file}: ${describeConfigIssues(result.error)}`);
  const folder = dirname(resolve(file));
  return { file, values: result.data, pathOf: (path) => resolve(folder, path) };
}

/** Names of members, known or not, are no secrets; values may be. */
function describeConfigIssues(error: z.ZodError): string {
  const unknown = error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []));
  return unknown.length === 0 ? describeIssues(error) : `unknown setting ${unknown.slice(0, 5).join(', ')}`;
}
