// SPDX-License-Identifier: Apache-2.0
/** The options of the log commands. */
import { flag, optionalInteger, optionalText } from '../command.ts';

/** Either a data directory, or the log and the trusted root one by one. */
const logOptions = {
  data: optionalText('--data <DIR>', 'a data directory: its log and trusted root', { environment: 'WITNESSMARK_DATA' }),
  log: optionalText('--log <DIR>', 'a directory of tiles, for example a mirror', { fallback: 'log of --data' }),
  trust: optionalText('--trust <FILE>', 'the trusted root with the key of the log', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
} as const;

export const logShowOptions = {
  ...logOptions,
  index: optionalInteger('--index <NUMBER>', 'one entry, whole', { min: 0, max: Number.MAX_SAFE_INTEGER }),
  last: optionalInteger('--last <NUMBER>', 'how many of the newest entries to list', {
    min: 0,
    max: 10_000,
    fallback: '20',
  }),
} as const;

export const logFsckOptions = {
  ...logOptions,
  database: optionalText('--database <FILE>', 'the database that belongs to the log', {
    fallback: 'the one of line.json of --data',
  }),
  hashesOnly: flag('--hashes-only', 'do not verify the signatures of entries'),
} as const;

export const logUnsealingsOptions = {
  ...logOptions,
  repository: optionalText('--repository <DIR>', 'the trust repository with the releases', {
    fallback: 'trust of --data',
  }),
  root: optionalText('--root <FILE>', 'the pinned root of the trust repository', {
    fallback: 'trust-root.json of --data',
  }),
} as const;
