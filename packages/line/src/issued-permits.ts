// SPDX-License-Identifier: Apache-2.0
/**
 * Permits are stateless signed statements; this only remembers the latest ones, so that a repeated request gets the very
 * same permit. What was forgotten is decided anew.
 */
import type { Envelope } from '@witnessmark/core';
import { LineRefusal } from './error.ts';

interface Issued {
  readonly requestDigest: string;
  readonly permit: Promise<Envelope>;
}

export class IssuedPermits {
  readonly #max: number;
  readonly #issued = new Map<string, Issued>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The permit of this request, issued once however often it is asked for. Throws LS-505 for one id with two contents. */
  once(requestId: string, requestDigest: string, issue: () => Promise<Envelope>): Promise<Envelope> {
    const known = this.#issued.get(requestId);
    if (known !== undefined) {
      if (known.requestDigest === requestDigest) return known.permit;
      throw new LineRefusal('LS-505', `the request ${requestId} was seen with`, 'other content');
    }
    const permit = issue();
    this.#issued.set(requestId, { requestDigest, permit });
    for (const oldest of this.#issued.keys()) {
      if (this.#issued.size <= this.#max) break;
      this.#issued.delete(oldest);
    }
    // A "no" is not remembered: whether it still holds is asked again.
    permit.catch(() => this.#issued.delete(requestId));
    return permit;
  }
}
