// SPDX-License-Identifier: Apache-2.0
/** What the readers of archives hand on: a name as bytes, not yet judged, and for files the content. */
import type { Bytes } from '@witnessmark/core';

export type RawEntry =
  | { readonly kind: 'directory'; readonly name: Bytes }
  | { readonly kind: 'file'; readonly name: Bytes; readonly content: Bytes };
