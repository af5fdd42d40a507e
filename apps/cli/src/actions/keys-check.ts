// SPDX-License-Identifier: Apache-2.0
import {
  checkKeys,
  formatQualification,
  formatToken,
  keyPolicy,
  openPkcs11Module,
  openToken,
  parseKeyReference,
  pinFromDescriptor,
  pinFromFile,
  qualifyToken,
  type KeyCheck,
  type KeyPolicy,
  type Pkcs11Token,
} from '@witnessmark/custody';
import type { CommandInput, CommandResult } from '../command.ts';
import type { keysCheckOptions, keysQualifyOptions } from '../options/keys.ts';
import { openCustodyPlace } from '../custody-place.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { openKeyAccess } from '../signer-reference.ts';
import type { Session } from '../session.ts';

export async function keysCheck({ options, session }: CommandInput<typeof keysCheckOptions>): Promise<CommandResult> {
  const { output } = session;
  const checked = options.key.length === 0 ? [await checkCustody(options)] : await checkReferences(options, session);
  const findings = checked.flatMap(({ check }) => check.findings);
  for (const { token, check } of checked) {
    output.data(`token ${token}`);
    for (const { policy, publicKey, origin, grade } of check.keys) {
      output.data(`  ${policy.name}  ${publicKey.keyid}  ${origin}, ${grade}`);
    }
    for (const { code, key, detail } of check.findings) output.data(`  ${code}  ${key}: ${detail}`);
  }
  const keys = checked.flatMap(({ check }) => check.keys);
  output.verdict(
    findings.length === 0
      ? `${keys.length} keys are as their policies say`
      : `${findings.length} findings about ${keys.length} keys`,
  );
  return {
    exit: findings.length === 0 ? EXIT.yes : EXIT.refused,
    document: {
      keys: keys.map(({ policy, publicKey, origin, grade, attributes }) => ({
        policy: policy.name,
        keyid: publicKey.keyid,
        origin,
        grade,
        attributes,
      })),
      findings,
    },
  };
}

export async function keysQualify({
  options,
  session,
}: CommandInput<typeof keysQualifyOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const { signatures, acceptableMs } = options;
  const qualification = await withToken(options.key, session, (token, uri) =>
    qualifyToken(token, {
      key: uri.key,
      clock,
      ...(signatures === undefined ? {} : { signatures }),
      ...(acceptableMs === undefined ? {} : { acceptableMs }),
    }),
  );
  const lines = formatQualification(qualification).trimEnd().split('\n');
  for (const line of lines.slice(0, -1)) output.data(line);
  output.verdict(lines.at(-1) ?? '');
  return { exit: qualification.isQualified ? EXIT.yes : EXIT.no, document: { qualification } };
}

interface CheckedToken {
  readonly token: string;
  readonly check: KeyCheck;
}

/** As the custody process does at its start, and beside one that runs. */
async function checkCustody(options: {
  readonly data: string | undefined;
  readonly custody: string | undefined;
}): Promise<CheckedToken> {
  const { config } = openCustodyPlace(options);
  const module = await openPkcs11Module(config.module);
  try {
    const pin = 'file' in config.pin ? pinFromFile(config.pin.file) : pinFromDescriptor(config.pin.descriptor);
    const token = await openToken(module, config.token, { pin, sessions: 1 });
    try {
      return { token: formatToken(token.identity), check: checkKeys(token, config.keys.map(keyPolicy)) };
    } finally {
      token.close();
    }
  } finally {
    module.close();
  }
}

async function checkReferences(
  { key: references, policy: name }: { readonly key: readonly string[]; readonly policy: string | undefined },
  session: Session,
): Promise<readonly CheckedToken[]> {
  if (name === undefined) throw usageError('--policy is missing: it says what --key must be');
  const policy: KeyPolicy = keyPolicy(name);
  const checked: CheckedToken[] = [];
  for (const reference of references) {
    checked.push(
      await withToken(reference, session, (token) =>
        Promise.resolve({ token: formatToken(token.identity), check: checkKeys(token, [policy]) }),
      ),
    );
  }
  return checked;
}

type TokenUri = Extract<ReturnType<typeof parseKeyReference>, { kind: 'pkcs11' }>;

async function withToken<T>(
  text: string,
  session: Session,
  work: (token: Pkcs11Token, uri: TokenUri) => Promise<T>,
): Promise<T> {
  const reference = parseKeyReference(text);
  if (reference.kind !== 'pkcs11') throw usageError('--key takes a pkcs11: URI here: attributes are those of a token');
  const access = openKeyAccess({ session });
  try {
    return await work(await access.token(reference), reference);
  } finally {
    access.close();
  }
}
