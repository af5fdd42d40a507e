// SPDX-License-Identifier: Apache-2.0
/** What a reader of transcripts knows by another way. */
import type { VouchedKey } from '@witnessmark/ceremony';
import { KEYS } from './scene.ts';

const always = { validFrom: 0, validUntil: Infinity };

export const VOUCHED: readonly VouchedKey[] = [
  { owner: 'a.rossi', key: KEYS.administrator.publicKey, ...always },
  { owner: 'j.abe', key: KEYS.witness.publicKey, ...always },
];
