// SPDX-License-Identifier: Apache-2.0
/** How a token is to be used: whose PIN, how many sessions, how long a signature may take. */
import type { PinSource } from '../pin.ts';
import type { TokenIdentity } from '../token-identity.ts';

export type SigningMode = 'threads' | 'blocking';

export interface OpenTokenOptions {
  readonly pin: PinSource;
  /**
   * `threads` lets others work while a token takes its time, and limits that time. `blocking` costs a third of the
   * processor time and suits a token inside the machine that answers in microseconds; nothing limits its time.
   */
  readonly signing?: SigningMode;
  /** Whether calls that block are made in a thread of their own, with one session more. */
  readonly signApart?: boolean;
  /** Signatures at the same time; fewer when the token allows fewer. */
  readonly sessions?: number;
  /** After this a signature counts as lost, and the token must be opened again. */
  readonly signTimeoutMs?: number;
  /** Called when a signature takes longer than a token needs that waits for nobody: it may want to be touched. */
  readonly onWaiting?: (token: TokenIdentity, keyLabel: string) => void;
  readonly waitingAfterMs?: number;
  /** How long a reader may take to notice that its token was pulled. */
  readonly removalNoticeMs?: number;
  /** Whether keys are going to be made. */
  readonly readWrite?: boolean;
}
