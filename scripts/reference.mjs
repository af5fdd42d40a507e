// SPDX-License-Identifier: Apache-2.0
/** Writes docs/cli.md and docs/errors.md: `node --conditions=@witnessmark/source scripts/reference.mjs`. */
import { writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { commands } from '../apps/cli/src/commands/index.ts';
import { formatCommandReference, formatErrorReference } from '../apps/cli/src/reference.ts';
import { ROOT } from './bootstrap.mjs';

/** File name and text of each generated page, formatted as everything else is. */
export async function referencePages() {
  const options = { ...(await resolveConfig(`${ROOT}/docs/cli.md`)), parser: 'markdown' };
  return [
    ['docs/cli.md', await format(formatCommandReference(commands), options)],
    ['docs/errors.md', await format(formatErrorReference(), options)],
  ];
}

if (import.meta.main) {
  for (const [file, text] of await referencePages()) writeFileSync(`${ROOT}/${file}`, text);
}
