#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/** The `witnessmark` program: from its sources in a checkout, from `dist` when installed as a package. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { failWithoutNode, findNode, runInPlace, SOURCE_CONDITION } from './runtime.mjs';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(folder, 'src', 'main.ts');
const built = join(folder, 'dist', 'main.js');
const node = findNode(folder);

if (node === null) failWithoutNode();
else if (existsSync(source)) runInPlace(node, [SOURCE_CONDITION, source, ...process.argv.slice(2)], { channel: true });
else if (node === process.execPath) await import(pathToFileURL(built).href);
else runInPlace(node, [built, ...process.argv.slice(2)], { channel: true });
