// SPDX-License-Identifier: Apache-2.0
/** Writes the test vectors anew: `node --conditions=@witnessmark/source vectors/generate.ts`. The tests check that nothing changes. */
import { ARCHIVE_VECTORS } from '../packages/boundary/test/vectors/archives.ts';
import { SCRIPT_VECTORS } from '../packages/ceremony/test/vectors/script.ts';
import { DSSE_VECTORS } from '../packages/core/test/vectors/dsse.ts';
import { JSON_VECTORS } from '../packages/core/test/vectors/json.ts';
import { NOTE_VECTORS } from '../packages/core/test/vectors/note.ts';
import { PUBLIC_KEY_VECTORS } from '../packages/core/test/vectors/public-key.ts';
import { CHECKPOINT_VECTORS } from '../packages/tlog/test/vectors/checkpoint.ts';
import { LOG_PROOF_VECTORS } from '../packages/tlog/test/vectors/log-proof.ts';
import { writeFiles } from './vector-case.ts';

const FORMATS = [
  JSON_VECTORS,
  DSSE_VECTORS,
  NOTE_VECTORS,
  PUBLIC_KEY_VECTORS,
  CHECKPOINT_VECTORS,
  LOG_PROOF_VECTORS,
  ARCHIVE_VECTORS,
  SCRIPT_VECTORS,
];

for (const format of FORMATS) {
  writeFiles(format);
  console.log(`${format.format}: ${format.cases.length} cases`);
}
