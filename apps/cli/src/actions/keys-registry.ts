// SPDX-License-Identifier: Apache-2.0
import {
  formatCycloneDx,
  formatKeyRegistry,
  parseKeyRegistry,
  type KeyRegistry,
  type RegisteredKey,
} from '@witnessmark/custody';
import { decodeUtf8 } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { keysExportOptions, keysListOptions } from '../options/keys.ts';
import { DataDirectory } from '../data-directory.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';

// eslint-disable-next-line @typescript-eslint/require-await -- every action is asynchronous
export async function keysList({ options, session }: CommandInput<typeof keysListOptions>): Promise<CommandResult> {
  const { output } = session;
  const { keys, secretKeys = [] } = readRegistry(options);
  for (const key of keys) {
    output.data(`${key.keyid}  ${key.policy}${key.rehearsal ? '  REHEARSAL' : ''}`);
    output.data(`  of ${key.holder}, ${stateOf(key)}, until ${key.originatorUntil}, ${key.uses} uses`);
    output.data(`  ${describePlace(key)}, custody ${key.attestation.grade}`);
  }
  for (const { keyid } of secretKeys) output.data(`${keyid}  secret key`);
  output.verdict(`${keys.length} keys, ${keys.filter((key) => stateOf(key) === 'active').length} active`);
  return { exit: EXIT.yes, document: { keys, secretKeys } };
}

// eslint-disable-next-line @typescript-eslint/require-await -- as above
export async function keysExport({ options, session }: CommandInput<typeof keysExportOptions>): Promise<CommandResult> {
  const { output, clock, newId } = session;
  const registry = readRegistry(options);
  const bytes =
    options.format === 'cyclonedx'
      ? formatCycloneDx(registry, { at: clock.now(), serialNumber: newId() })
      : formatKeyRegistry(registry);
  const document: unknown = JSON.parse(decodeUtf8(bytes));
  output.block(JSON.stringify(document, null, 2));
  return { exit: EXIT.yes, document: { format: options.format, document } };
}

function readRegistry(options: {
  readonly data: string | undefined;
  readonly registry: string | undefined;
}): KeyRegistry {
  const file =
    options.registry ?? (options.data === undefined ? undefined : new DataDirectory(options.data).keyRegistry);
  if (file === undefined) throw usageError('--registry or --data (or WITNESSMARK_DATA) is missing');
  return parseKeyRegistry(readFile(file, DOCUMENT_BYTES));
}

function stateOf({ states }: RegisteredKey): string {
  return states.at(-1)?.state ?? 'no state';
}

function describePlace({ token }: RegisteredKey): string {
  return token === null
    ? 'in a file'
    : `on "${token.label}" (serial ${token.serial}), ${token.manufacturer} ${token.model}`;
}
