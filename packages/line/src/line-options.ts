// SPDX-License-Identifier: Apache-2.0
/** What a line is made of. */
import type { Clock } from '@witnessmark/core';
import type { TrustedRoot } from '@witnessmark/attestation';
import type { Signer } from '@witnessmark/custody';
import type { EvidenceLog } from '@witnessmark/log';
import type { ViewReader } from '@witnessmark/store';
import type { BadgeBook } from './badge-book.ts';
import type { ImageUnsealer } from './image-unsealer.ts';
import type { SignatureCheck } from './key-ring.ts';
import type { ReleaseSource } from './release-book.ts';
import type { LineRules } from './rules.ts';

export interface LineOptions {
  readonly rules: LineRules;
  /** The keys to begin with; a newer trusted root in the trust repository takes its place. */
  readonly trustedRoot: TrustedRoot;
  readonly log: EvidenceLog;
  readonly views: ViewReader;
  readonly releases: ReleaseSource;
  /** Signs permits, countersignatures and refusals; its key is in the trusted root with the role `evidence`. */
  readonly signer: Signer;
  /** Opens the content keys of sealed releases; its key is in the trusted root with the role `unsealing`. */
  readonly unsealer?: ImageUnsealer;
  /** PINs of badges; without them nobody signs in by badge. */
  readonly badges?: BadgeBook;
  readonly clock: Clock;
  /** A fresh UUID, version 7. */
  readonly newId: () => string;
  readonly checkSignature?: SignatureCheck;
}
