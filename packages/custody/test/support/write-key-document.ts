// SPDX-License-Identifier: Apache-2.0
/** Writes docs/keys.md. */
import { writeFileSync } from 'node:fs';
import { KEY_DOCUMENT_PATH, keyDocument } from './key-document.ts';

writeFileSync(KEY_DOCUMENT_PATH, await keyDocument());
