// SPDX-License-Identifier: Apache-2.0
/** Which card a person is about to use, said before a PIN is asked for: tries are few, and two cards look alike. */
import { formatToken, parseKeyReference } from '@witnessmark/custody';
import type { KeySummary } from '@witnessmark/gate';

/** Nothing for keys that are in no token. */
export function describeExpectedCard(reference: string, keys: readonly KeySummary[]): readonly string[] {
  const parsed = parseKeyReference(reference);
  if (parsed.kind !== 'pkcs11') return [];
  const { token } = parsed;
  const holders = keys.filter((key) => key.token?.serial === token.serial && key.token.label === token.label);
  const whose = holders.map(({ owner, role, scope }) => `${owner} (${role}, ${scope})`).join(' and ');
  const enrolled = whose === '' ? 'the trusted root names nobody with this card' : `enrolled for ${whose}`;
  return [
    `Card expected: ${formatToken(token)}; ${enrolled}.`,
    'It asks for its PIN to log in and for each signature, and waits for a touch when it blinks.',
  ];
}
