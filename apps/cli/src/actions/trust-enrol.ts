// SPDX-License-Identifier: Apache-2.0
/** What the holder of a new key says of it, signed with that key. */
import { HOLDER_USES, KEY_ROLES, type HolderUse } from '@witnessmark/attestation';
import { CUSTODY_GRADES, encodeBase64, formatEnvelope } from '@witnessmark/core';
import { parseKeyReference } from '@witnessmark/custody';
import { makeEnrolment, type EnrolmentClaims } from '@witnessmark/gate';
import type { CommandInput, CommandResult } from '../command.ts';
import type { trustEnrolOptions } from '../options/trust.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { purposeOfStatement } from '../purpose.ts';
import { withSigner } from '../signer-reference.ts';

export async function trustEnrol({ options, session }: CommandInput<typeof trustEnrolOptions>): Promise<CommandResult> {
  const claims = readClaims(options);
  return withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
    const enrolment = await makeEnrolment(claims, signer, session.clock.now());
    writeFile(options.out, formatEnvelope(enrolment));
    const { keyid } = signer.publicKey;
    session.output.data(`  key        ${keyid}`);
    session.output.verdict(`${options.out} enrols the key of ${claims.owner}; read its key id to whoever proposes it`);
    return { exit: EXIT.yes, document: { out: options.out, keyid, claims } };
  });
}

function readClaims(options: CommandInput<typeof trustEnrolOptions>['options']): EnrolmentClaims {
  const { owner, use: uses, cardSerial, certificate, rehearsal } = options;
  const role = KEY_ROLES.find((name) => name === options.role) ?? null;
  if (role === null && uses.length === 0) throw usageError('--role or --use is missing: the key would be for nothing');
  if ((cardSerial === undefined) !== (certificate.length === 0)) {
    throw usageError('--card-serial and --certificate go together');
  }
  const reference = parseKeyReference(options.key);
  return {
    owner,
    role,
    scope: role === null ? null : (options.scope ?? owner),
    uses: uses.map(toUse),
    custodyGrade: CUSTODY_GRADES.find((name) => name === options.grade) ?? 'asserted',
    attestation:
      cardSerial === undefined
        ? null
        : {
            serial: cardSerial,
            certificates: certificate.map((path) => encodeBase64(readFile(path, DOCUMENT_BYTES))),
          },
    rehearsal,
    token: reference.kind === 'pkcs11' ? { ...reference.token } : null,
  };
}

function toUse(text: string): HolderUse {
  const use = HOLDER_USES.find((name) => name === text);
  if (use === undefined) throw usageError(`--use is one of ${HOLDER_USES.join(', ')}`);
  return use;
}
