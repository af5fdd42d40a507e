// SPDX-License-Identifier: Apache-2.0
/** A program that opens a token with a PIN from a file, signs, and shows everything about itself that others could see. */
import { readFileSync } from 'node:fs';
import { inspect, parseArgs } from 'node:util';
import { findKey, openToken, pinFromFile } from '@witnessmark/custody';
import { openSoftHsmModule } from './soft-hsm.ts';

const { values, positionals } = parseArgs({
  options: { token: { type: 'string' }, 'pin-file': { type: 'string' } },
  allowPositionals: true,
});

try {
  const module = await openSoftHsmModule();
  const ref = { label: values.token ?? '', serial: positionals[0] ?? '' };
  const token = await openToken(module, ref, { pin: pinFromFile(values['pin-file'] ?? '') });
  await findKey(token, { label: 'evidence' }).sign(new Uint8Array(3));
  console.log('signed', inspect(token, { depth: 6, showHidden: true }));
} catch (error) {
  console.log(inspect(error, { depth: 6, showHidden: true }));
  process.exitCode = 1;
}
console.log(readFileSync('/proc/self/cmdline', 'utf8'), readFileSync('/proc/self/environ', 'utf8'));
