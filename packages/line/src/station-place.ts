// SPDX-License-Identifier: Apache-2.0
/** Where a statement was made: what its signer is enrolled for, never only what it claims. */
import { isDeepStrictEqual } from 'node:util';
import type { TrustedKey } from '@witnessmark/attestation';
import { ensure } from './error.ts';
import type { LineRules } from './rules.ts';

export interface StationPlace {
  readonly id: string;
  readonly line: string;
  readonly plant: string;
}

/** The place of a station whose key signed. */
export function placeOf({ owner }: TrustedKey, { line, plant }: Pick<LineRules, 'line' | 'plant'>): StationPlace {
  return { id: owner, line, plant };
}

/** Throws LS-502 when a statement names another place than its signer's. */
export function checkPlace(claimed: StationPlace, place: StationPlace): void {
  const { id, line, plant } = claimed;
  ensure(
    isDeepStrictEqual({ id, line, plant }, place),
    'LS-502',
    `station ${place.id} of ${place.line}, ${place.plant}, which signed`,
    `${id} of ${line}, ${plant}`,
  );
}
