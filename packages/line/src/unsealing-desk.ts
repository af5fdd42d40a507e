// SPDX-License-Identifier: Apache-2.0
/** Hands out content keys of sealed images, wrapped for the station that had an unsealing logged (spec/image-unsealing.md). */
import { imageUnsealing, parseStatement } from '@witnessmark/attestation';
import type { LoggedEntry, UnsealedImages, WrappedContentKey } from '@witnessmark/api';
import { LineRefusal } from './error.ts';
import type { LineContext } from './line-context.ts';
import { readTransportKey } from './site-records/image-unsealing.ts';

export class UnsealingDesk {
  readonly #context: LineContext;

  constructor(context: LineContext) {
    this.#context = context;
  }

  /**
   * Answers an unsealing that is in the log; the same one gets the same content keys, however often it asks. Throws LS-202
   * when the release is gone, BX-205 when the line cannot open it.
   */
  async answer(entry: LoggedEntry): Promise<UnsealedImages> {
    const { predicate } = parseStatement(imageUnsealing, entry.envelope.payload);
    const { releases, unsealer, clock } = this.#context;
    const known = await releases.release(predicate.release.id, clock.now());
    if (known?.candidateDigest !== predicate.release.candidateDigest.sha256) {
      throw new LineRefusal('LS-202', `release ${predicate.release.id} as it was unsealed`, 'none, or another one');
    }
    if (unsealer === null) throw new LineRefusal('BX-205', 'a line with an unsealing key', 'none');
    const transportKey = readTransportKey(predicate);
    const contentKeys: WrappedContentKey[] = [];
    for (const { targetPath: image, sealed } of known.manifest.components) {
      if (sealed === undefined) continue;
      contentKeys.push({ image, recipientInfo: await unsealer.rewrap(sealed, transportKey) });
    }
    return { entry, contentKeys };
  }
}
