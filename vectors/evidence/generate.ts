// SPDX-License-Identifier: Apache-2.0
/** Writes every vector of this folder anew: `node --conditions=@witnessmark/source vectors/evidence/generate.ts`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeVectorFiles } from '../../testing/world/src/evidence/index.ts';

const folder = import.meta.dirname;
for (const entry of readdirSync(folder, { withFileTypes: true })) {
  if (entry.isDirectory()) rmSync(join(folder, entry.name), { recursive: true });
}
for (const [path, bytes] of await makeVectorFiles()) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}
