// SPDX-License-Identifier: Apache-2.0
/** The identity of a medium: a file system's UUID or label, or one line in a file on the medium itself. */
import { identifier, type MediaTransfer } from '@witnessmark/attestation';
import { decodeUtf8, hasCode, type Bytes } from '@witnessmark/core';
import { RefusedFile } from '../refused-file.ts';

/** At the top of a medium; it is allowed on every list, and holds one line and nothing else. */
export const MEDIUM_ID_FILE = 'MEDIUM-ID';

export type MediumIdentity = Pick<MediaTransfer['medium'], 'id' | 'learntFrom' | 'serial'>;

/** Throws BX-115 when the file is anything but one identifier and a line break. */
export function parseMediumId(bytes: Bytes): string {
  const text = toText(bytes);
  const id = text?.endsWith('\n') === true ? text.slice(0, -1) : null;
  const parsed = identifier.safeParse(id);
  if (!parsed.success) throw new RefusedFile('BX-115', MEDIUM_ID_FILE, 'it is not one identifier and a line break');
  return parsed.data;
}

function toText(bytes: Bytes): string | null {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    if (hasCode(cause, 'ERR_CORE_UTF8')) return null;
    throw cause;
  }
}
