// SPDX-License-Identifier: Apache-2.0
/**
 * Configuration files: JSON, named on the command line or found in a named data directory, never in the current folder.
 * A flag or variable beats the file; an unknown member is an error. Paths in a file are relative to the file.
 */
import { dirname, resolve } from 'node:path';
import { parseStrictJson, WitnessmarkError } from '@witnessmark/core';
import { describeIssues, identifier } from '@witnessmark/attestation';
import { lineRulesSchema } from '@witnessmark/line';
import { timePolicySchema } from '@witnessmark/station';
import { z } from 'zod';
import { CliError, usageError } from './error.ts';
import { readFile } from './files.ts';

const MAX_CONFIG_BYTES = 64 * 1024;

const path = z.string().min(1).max(4096);
const port = z.int().min(0).max(65_535);
const httpUrl = z.url({ protocol: /^https?$/ });

/** Whose approvals a release needs; people count once, its author never. */
const approvals = z.strictObject({
  threshold: z.int().min(1).max(16),
  requiredRoles: z.array(identifier).max(16),
});

/** Where releases come from, and the root everything about them is checked from. */
const trustMembers = {
  /** The pinned first root of the trust repository. */
  root: path,
  /** What a client of the repository remembers; it must survive new mirrors and installations. */
  memory: path,
};

export const lineConfigSchema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.line-config.v1+json'),
  rules: lineRulesSchema,
  listen: z.strictObject({ host: z.string().min(1).max(255), port }),
  database: path,
  log: z.strictObject({ directory: path, name: z.string().min(1).max(256), key: path }),
  /** Signs permits, countersignatures and refusals. */
  evidenceKey: path,
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
  stationKey: path,
  /** Journal and floor; one process at a time. */
  directory: path,
  /** Where evidence files of finished units go. */
  evidence: path,
  trustedRoot: path,
  /** Without a repository of its own, a station reads the line's. */
  trust: z.strictObject({ ...trustMembers, cache: path, repository: path.nullable() }),
  approvals,
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
  /** Promotions, and the office's own evidence log. */
  directory: path,
  log: z.strictObject({ name: z.string().min(1).max(256), key: path }),
  trust: z.strictObject({ root: path, repository: path }),
  /** Where people publish: the keys that sign without asking anybody. Null on an approver's own machine. */
  publishing: z.strictObject({ onlineKey: path, effectivityKey: path }).nullable(),
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
