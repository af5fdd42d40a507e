// SPDX-License-Identifier: Apache-2.0
/**
 * Configuration files: JSON, named on the command line or found in a named data directory, never in the current folder.
 * A flag or variable beats the file; an unknown member is an error. Paths in a file are relative to the file.
 */
import { dirname, resolve } from 'node:path';
import { CUSTODY_GRADES, parseStrictJson, WitnessmarkError } from '@witnessmark/core';
import { describeIssues, identifier, KEY_ROLES, RELEASE_CLASSES } from '@witnessmark/attestation';
import { lineRulesSchema } from '@witnessmark/line';
import { timePolicySchema } from '@witnessmark/station';
import { z } from 'zod';
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
  listen: z.strictObject({ host: z.string().min(1).max(255), port }),
  database: path,
  log: z.strictObject({ directory: path, name: z.string().min(1).max(256), key: keyReference }),
  /** Signs permits, countersignatures and refusals. */
  evidenceKey: keyReference,
  /** Opens releases that are sealed to the line; without it they cannot be programmed. */
  unsealingKey: keyReference.optional(),
  ...productionMembers,
  trustedRoot: path,
  trust: z.strictObject({ ...trustMembers, repository: path }),
});
export type LineConfig = z.infer<typeof lineConfigSchema>;

export const stationConfigSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.station-config.v1+json'),
  station: identifier,
  line: identifier,
  plant: identifier,
  lineUrl: httpUrl,
  stationKey: keyReference,
  ...productionMembers,
  /** Journal and floor; one process at a time. */
  directory: path,
  /** Where evidence files of finished units go. */
  evidence: path,
  trustedRoot: path,
  /** Without a repository of its own, a station reads the line's. */
  trust: z.strictObject({ ...trustMembers, cache: path, repository: path.nullable() }),
  approvals,
  /** Classes of releases that are made here; `production` when absent. */
  releaseClasses: z.array(z.enum(RELEASE_CLASSES)).min(1).optional(),
  job: z.strictObject({
    sku: identifier,
    hwVersion: identifier,
    workOrder: identifier.nullable(),
    lot: identifier.nullable(),
  }),
  /** The machine's own time service and what is asked of it; without one, the line's clock is all there is to compare with. */
  timeService: z
    .strictObject({
      chrony: z.union([
        z.strictObject({ socketPath: z.string().startsWith('/').max(108) }),
        z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) }),
      ]),
      policy: timePolicySchema,
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
