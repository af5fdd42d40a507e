// SPDX-License-Identifier: Apache-2.0
/** E-01: whatever file is missing, empty, damaged, too large or no file at all, no command says yes. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { TestSite } from './site.ts';
import { readVector } from './vectors.ts';

const GOOD = readVector('one-pass');
const NOBODY = 'http://127.0.0.1:9';

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.makeReleased();
  writeFileSync(site.path('empty'), '');
  writeFileSync(site.path('damaged'), '{"mediaType":"application/json", "é": \u0000 ]');
  writeFileSync(site.path('huge'), '{');
  truncateSync(site.path('huge'), 300 * 1024 * 1024);
  mkdirSync(site.path('folder'));
});
afterAll(() => {
  site.remove();
});

/** Each takes the path of the bad file. */
const SLOTS: readonly (readonly [name: string, argv: (file: string) => readonly string[]])[] = [
  ['verify FILE', (file) => ['verify', file, ...GOOD.judging]],
  ['verify --trust', (file) => ['verify', GOOD.file, ...GOOD.judging, '--trust', file]],
  ['verify --policy', (file) => ['verify', GOOD.file, ...GOOD.judging, '--policy', file]],
  ['trace UNIT', (file) => ['trace', file, ...GOOD.judging]],
  ['trace --data', (file) => ['trace', GOOD.file, '--data', file]],
  ['log show --log', (file) => ['log', 'show', '--data', site.data, '--log', file]],
  ['log fsck --trust', (file) => ['log', 'fsck', '--data', site.data, '--trust', file]],
  ['release propose --image', (file) => site.propose('9.0.0', '--image', file)],
  ['release propose --key', (file) => site.propose('9.0.0', '--key', file)],
  ['release propose --config', (file) => [...withoutData(site.propose('9.0.0')), '--config', file]],
  ['release review --config', (file) => ['release', 'review', 'P-0001', '--config', file]],
  ['release status --data', (file) => ['release', 'status', '--data', file]],
  ['release mirror --to', (file) => ['release', 'mirror', '--data', site.data, '--to', join(file, 'x')]],
  ['line serve --config', (file) => ['line', 'serve', '--config', file]],
  [
    'line decide --key',
    (file) => ['line', 'decide', 'x', '--data', site.data, '--line', NOBODY, '--action', 'voidLabel', '--key', file],
  ],
  ['station label --config', (file) => ['station', 'label', '--config', file, '--device', 'simulated:x']],
  [
    'station program --operator-key',
    (file) => site.station('program', 'simulated:x', NOBODY, '--operator-key', file, '--label', 'x'),
  ],
  ['ceremony run SCRIPT', (file) => ['ceremony', 'run', file, '--data', site.data, '--setup', 'x']],
  ['ceremony resume --directory', (file) => ['ceremony', 'resume', 'x', '--directory', file]],
  ['ceremony replay FILE', (file) => ['ceremony', 'replay', file]],
  ['ceremony replay --trust', (file) => ['ceremony', 'replay', 'x', '--trust', file]],
  ['doctor --data', (file) => ['doctor', '--data', file]],
  ['init --data', (file) => ['init', '--data', file]],
  ['demo --data', (file) => ['demo', '--headless', '--data', file]],
];

/** A random file is a firmware image; an empty folder is a place for a new site. */
const FITS: ReadonlySet<string> = new Set([
  'release propose --image damaged',
  'release mirror --to missing',
  'release mirror --to folder',
  'init --data missing',
  'init --data folder',
  'demo --data missing',
  'demo --data folder',
]);

describe.each(SLOTS)('%s', (name, argv) => {
  it.each(['missing', 'empty', 'damaged', 'huge', 'folder'].filter((kind) => !FITS.has(`${name} ${kind}`)))(
    'that is %s is never a yes, nor a defect',
    async (kind) => {
      const { exit, stdout, stderr } = await run([...argv(site.path(kind)), '--json']);
      expect([1, 2, 3, 4, 6], stderr).toContain(exit);
      expect(JSON.parse(stdout)).toMatchObject({ ok: false, exit });
    },
  );
});

function withoutData(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--data');
  return [...argv.slice(0, at), ...argv.slice(at + 2)];
}
