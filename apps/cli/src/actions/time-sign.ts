// SPDX-License-Identifier: Apache-2.0
/** Two people issue a time hierarchy: the first signs a draft, the second the envelope the first has left. */
import {
  parseStatement,
  parseTrustedRoot,
  timeHierarchy,
  toTrustedKeys,
  type TimeHierarchy,
} from '@witnessmark/attestation';
import { buildStatement, isValidAt } from '@witnessmark/attestation';
import {
  encodeUtf8,
  formatEnvelope,
  parseEnvelope,
  parseInstant,
  parseStrictJson,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import { countersign, signEnvelope, type Signer } from '@witnessmark/custody';
import { parseTimeHierarchy } from '@witnessmark/station';
import type { CommandInput, CommandResult } from '../command.ts';
import type { timeSignOptions } from '../options/time.ts';
import { CliError, usageError } from '../error.ts';
import { DataDirectory } from '../data-directory.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { purposeOfStatement } from '../purpose.ts';
import { withSigner } from '../signer-reference.ts';

export async function timeSign({
  args,
  options,
  session,
}: CommandInput<typeof timeSignOptions>): Promise<CommandResult> {
  const trust =
    options.trust ?? (options.data === undefined ? undefined : DataDirectory.open(options.data).trustedRoot);
  if (trust === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  const keys = toTrustedKeys(parseTrustedRoot(readFile(trust, DOCUMENT_BYTES)));
  const input = readFile(args[0] as string, DOCUMENT_BYTES);
  const { output } = session;
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
    const begun = readEnvelope(input);
    const document = begun === null ? readDraft(input) : parseStatement(timeHierarchy, begun.payload).predicate;
    requireNamed(signer, document);
    return begun === null ? signDraft(document, signer) : countersign(begun, signer);
  });
  const bytes = formatEnvelope(envelope);
  const missing = 2 - envelope.signatures.length;
  const { version, plant, line } = parseStatement(timeHierarchy, envelope.payload).predicate;
  // Whoever signs last learns whether stations will take it.
  if (missing <= 0) parseTimeHierarchy(bytes, { keys, plant, line });
  writeFile(options.out, bytes);
  const state = missing > 0 ? 'one more signature is missing' : 'complete';
  output.verdict(`time hierarchy ${version} of ${line} is signed in ${options.out}: ${state}`);
  return {
    exit: EXIT.yes,
    document: { version, line, signatures: envelope.signatures.length, complete: missing <= 0 },
  };

  function requireNamed(signer: Signer, document: TimeHierarchy): void {
    const at = parseInstant(document.issuedAt);
    const holder = keys.find((entry) => entry.key.keyid === signer.publicKey.keyid && isValidAt(entry, at));
    const isNamed = document.approvedBy.some(({ id, role }) => id === holder?.owner && role === holder.role);
    if (isNamed) return;
    throw new CliError(
      'ERR_CLI_CONFIG',
      '--key is not the key of a person that "approvedBy" names, in the role it names',
    );
  }
}

function readEnvelope(bytes: Bytes): Envelope | null {
  const value = parseStrictJson(bytes);
  return typeof value === 'object' && value !== null && 'payloadType' in value ? parseEnvelope(bytes) : null;
}

/** The predicate as somebody wrote it. */
function readDraft(bytes: Bytes): TimeHierarchy {
  const result = timeHierarchy.schema.safeParse(parseStrictJson(bytes));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CliError(
    'ERR_CLI_INPUT',
    `no draft of a time hierarchy: ${issue?.path.join('.') ?? ''} ${issue?.code ?? ''}`,
  );
}

function signDraft(document: TimeHierarchy, signer: Signer): Promise<Envelope> {
  const subject = { name: 'line', digest: { sha256: sha256Hex(encodeUtf8(document.line)) } };
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, buildStatement(timeHierarchy, subject, document), [signer]);
}
