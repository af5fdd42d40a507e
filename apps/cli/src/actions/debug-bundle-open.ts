// SPDX-License-Identifier: Apache-2.0
import { openDebugBundle, parseIdentityFile } from '@witnessmark/boundary';
import { decodeUtf8 } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import type { debugBundleOpenOptions } from '../options/boundary.ts';
import { readTrustedKeys } from '../roots/boundary.ts';

/** More than any sealed bundle has: 64 MiB of files, tar headers, and what age adds. */
const MAX_SEALED_BYTES = 72 * 1024 * 1024;

export async function debugBundleOpen({
  args,
  options,
  session,
}: CommandInput<typeof debugBundleOpenOptions>): Promise<CommandResult> {
  const { proposal, recipient, paths } = await openDebugBundle({
    sealed: readFile(args[0] as string, MAX_SEALED_BYTES),
    statements: readFile(options.statements, DOCUMENT_BYTES),
    identity: parseIdentityFile(decodeUtf8(readFile(options.identity, DOCUMENT_BYTES))),
    keys: readTrustedKeys(options),
    clock: session.clock,
    destination: options.to,
  });
  for (const path of paths) session.output.data(`  ${path}`);
  session.output.data(`for ${recipient}: ${proposal.purpose}; not to be used after ${proposal.expiresAt}`);
  session.output.verdict(`${options.to} holds ${proposal.bundleId}, as it was approved`);
  const { bundleId, expiresAt } = proposal;
  return { exit: EXIT.yes, document: { bundleId, recipient, expiresAt, to: options.to, paths } };
}
