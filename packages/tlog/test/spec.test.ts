// SPDX-License-Identifier: Apache-2.0
/** What the pages of the log's formats show is true: their examples are vectors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VECTORS_DIRECTORY } from '../../../vectors/vector-case.ts';

const PROOF = readFileSync(join(VECTORS_DIRECTORY, 'log-proof/entry-5-of-21/input.tlog-proof'), 'utf8');
const CHECKPOINT = PROOF.slice(PROOF.indexOf('\n\n') + 2);

describe.each([
  ['log-proof.md', PROOF],
  ['checkpoint-and-tiles.md', CHECKPOINT],
  ['signed-note-profile.md', CHECKPOINT],
])('spec/%s', (page, example) => {
  it('shows a vector', () => {
    const text = readFileSync(join(VECTORS_DIRECTORY, '../spec', page), 'utf8');
    expect(text).toContain(`\`\`\`\n${example}\`\`\``);
  });
});
