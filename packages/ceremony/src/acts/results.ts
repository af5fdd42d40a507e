// SPDX-License-Identifier: Apache-2.0
/** Results of acts in the words all of them use. */
import { encodeBase64, type Bytes, type PublicKey } from '@witnessmark/core';
import { toTokenFacts, type CustodyGrade, type TokenIdentity } from '@witnessmark/custody';
import { RESULT_LIMITS, type ActResult, type CeremonyKey, type ResultDigest, type ResultFact } from '../act.ts';

export function toResult(
  facts: Readonly<Record<string, string>>,
  more: { readonly digests?: Readonly<Record<string, string>>; readonly keys?: readonly CeremonyKey[] } = {},
): ActResult {
  const digests = Object.entries(more.digests ?? {}).map(([name, sha256]): ResultDigest => ({ name, sha256 }));
  return { facts: Object.entries(facts).map(toFact), digests, keys: more.keys ?? [] };
}

export interface KeyReport {
  readonly name: string;
  readonly change: CeremonyKey['change'];
  readonly holder: string;
  readonly publicKey: PublicKey | null;
  readonly checkValue?: string;
  readonly token: TokenIdentity | CeremonyKey['token'];
  readonly attributes?: CeremonyKey['attributes'];
  readonly grade: CustodyGrade;
  readonly certificates?: readonly Bytes[];
}

export function toCeremonyKey(report: KeyReport): CeremonyKey {
  const { name, change, holder, publicKey, token, grade } = report;
  return {
    name,
    change,
    spki: publicKey === null ? null : encodeBase64(publicKey.spki),
    checkValue: report.checkValue ?? null,
    holder,
    token: token === null ? null : toTokenFacts({ slot: '', ...token }),
    attributes: report.attributes ?? {},
    grade,
    certificates: (report.certificates ?? []).map(encodeBase64),
  };
}

/** The value of a fact of an earlier step, or null. */
export function factOf({ facts }: ActResult, name: string): string | null {
  return facts.find((fact) => fact.name === name)?.value ?? null;
}

/** Only what can be shown is kept of a text that came from outside; a fact has a bound. */
function toFact([name, value]: [string, string]): ResultFact {
  const printable = value.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').slice(0, RESULT_LIMITS.factValue);
  return { name, value: printable === '' ? '-' : printable };
}
