// SPDX-License-Identifier: Apache-2.0
/** Exceptions on disk, one envelope each; who stands behind one follows from its signatures. */
import { join } from 'node:path';
import {
  formatEnvelope,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  RefusedError,
  WitnessmarkError,
  type Envelope,
} from '@witnessmark/core';
import { readFile, replaceFile, type Files } from '@witnessmark/trust';
import { NumberedStore } from './numbered-store.ts';

const SUFFIX = '.dsse.json';

export class ExceptionStore extends NumberedStore {
  constructor(directory: string, files: Files) {
    super(directory, files, { letter: 'E', kind: 'file', suffix: SUFFIX });
  }

  /** Throws PL-121 for one that is not here or cannot be read. */
  async read(exceptionId: string): Promise<Envelope> {
    const path = this.#path(exceptionId);
    const bytes = this.isId(exceptionId) ? await readFile(this.files, path, MAX_ENVELOPE_BYTES) : null;
    if (bytes === null) throw new RefusedError('PL-121', `there is no exception ${exceptionId.slice(0, 32)} here`);
    try {
      return parseEnvelope(bytes);
    } catch (cause) {
      if (!(cause instanceof WitnessmarkError)) throw cause;
      throw new RefusedError('PL-121', `${exceptionId} cannot be read: ${cause.message}`, { cause });
    }
  }

  /** Stores an exception as it is signed so far, durably. */
  async write(exceptionId: string, envelope: Envelope): Promise<void> {
    await this.files.makeDirectory(this.directory);
    await replaceFile(this.files, this.#path(exceptionId), [formatEnvelope(envelope)]);
  }

  #path(exceptionId: string): string {
    return join(this.directory, `${exceptionId}${SUFFIX}`);
  }
}
