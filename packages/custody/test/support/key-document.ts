// SPDX-License-Identifier: Apache-2.0
/** docs/keys.md as it must be: the key policy, formatted like every other document. */
import { join } from 'node:path';
import { formatKeyDocument, KEY_POLICIES } from '@witnessmark/custody';
import { format, resolveConfig } from 'prettier';

export const KEY_DOCUMENT_PATH = join(import.meta.dirname, '../../../../docs/keys.md');

export async function keyDocument(): Promise<string> {
  const options = await resolveConfig(KEY_DOCUMENT_PATH);
  return format(formatKeyDocument(KEY_POLICIES), { ...options, parser: 'markdown' });
}
