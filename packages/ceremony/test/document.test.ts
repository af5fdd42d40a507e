// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import {
  formatCeremonyDocument,
  formatHexGroups,
  formatTranscriptFile,
  formatWords,
  replayTranscript,
  type CeremonyState,
  type TranscriptFile,
} from '@witnessmark/ceremony';
import { transcriptOf, type SceneOptions } from './support/run.ts';
import { script, SETTINGS } from './support/scene.ts';
import type { RoomHabits } from './support/room.ts';

const FILE_NAME = 'root-2026.transcript.json';
const hasTools = ['jq', 'openssl', 'sha256sum'].every(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0,
);

async function documented(
  options: SceneOptions = {},
  habits: RoomHabits = {},
): Promise<{ file: TranscriptFile; state: CeremonyState; html: string }> {
  const file = await transcriptOf(options, habits);
  const { state } = replayTranscript(formatTranscriptFile(file), { vouched: [], logKeys: [], allowUnlogged: true });
  if (state === null) throw new TypeError('the transcript has no state');
  return { file, state, html: formatCeremonyDocument({ state, file, fileName: FILE_NAME }) };
}

describe('digests for people', () => {
  it('come in groups of four and as words', () => {
    expect(formatHexGroups('e58294f2e9a227486e8b061b31cc528fd7fa3f19'.padEnd(64, '0'))[0]).toBe(
      'e582 94f2 e9a2 2748 6e8b 061b 31cc 528f',
    );
    expect(formatWords('e58294f2e9a22748')).toEqual([
      'topmost Istanbul Pluto vagabond',
      'treadmill Pacific brackish dictator',
    ]);
  });
});

describe('the printed transcript', () => {
  it('says who, what and when, needs nothing from a network, and runs nothing', async () => {
    const { html, state } = await documented();
    for (const text of [
      'a.rossi',
      'j.abe',
      'Make the key',
      '17402231',
      'The slot keeps this key for good.',
      ...formatWords(state.steps[1]!.resultDigest!),
    ]) {
      expect(html).toContain(text);
    }
    expect(html).not.toMatch(/<script|<link|<img|https?:|url\(/i);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('@media print');
    expect(html).toContain('SIMULATED');
  });

  it('A39: a rehearsal cannot be mistaken for the real thing', async () => {
    const settings = { ...SETTINGS, environment: { simulated: false, rehearsal: true } };
    const { html } = await documented({ settings });
    expect(html).toMatch(/<title>REHEARSAL/);
    expect(html).toMatch(/class="mark">REHEARSAL/);
  });

  it('shows exceptions and breaks, and what people typed is text', async () => {
    const said = new Set<string>();
    const { html } = await documented(
      { reviewed: script((draft) => (draft.title = 'A <b>root</b> & "more"')) },
      {
        witness: () => {
          if (said.has('x')) return null;
          said.add('x');
          return { kind: 'exception', text: '<img src=x onerror=alert(1)>', by: 'j.abe' };
        },
      },
    );
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(html).toContain('A &lt;b&gt;root&lt;/b&gt; &amp; &quot;more&quot;');
  });
});

describe.skipIf(!hasTools)('the recipe on the page, with jq and openssl alone', () => {
  let directory = '';
  let html = '';
  let file: TranscriptFile;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'witnessmark-recipe-'));
    ({ file, html } = await documented());
    const recipe = /<pre id="recipe">([^]*?)<\/pre>/.exec(html)![1]!;
    const plain = recipe
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
    writeFileSync(join(directory, 'check.sh'), plain);
  });

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const check = (changed: TranscriptFile): { status: number | null; stdout: string } => {
    writeFileSync(join(directory, FILE_NAME), formatTranscriptFile(changed));
    return spawnSync('sh', ['check.sh'], { cwd: directory, encoding: 'utf8' });
  };

  it('accepts the transcript', () => {
    const { status, stdout } = check(file);
    expect(stdout.split('\n').at(-2)).toBe('OK');
    expect(stdout).toContain('signed by the administrator');
    expect(stdout).toContain('signed by the witness');
    expect(stdout).toContain('step make-key: witnessed');
    expect(status).toBe(0);
  });

  it.each<[string, (original: TranscriptFile) => TranscriptFile]>([
    [
      'a changed statement',
      (original) => ({
        ...original,
        envelope: { ...original.envelope, payload: edit(original.envelope.payload, 'K2', 'K3') },
      }),
    ],
    [
      'a missing signature',
      (original) => ({
        ...original,
        envelope: { ...original.envelope, signatures: original.envelope.signatures.slice(1) },
      }),
    ],
    ['a changed script', (original) => ({ ...original, script: edit(original.script, 'root', 'moot') })],
    ['a changed journal', (original) => ({ ...original, journal: edit(original.journal, 'K2', 'K3') })],
    ['a record taken out', (original) => ({ ...original, journal: edit(original.journal, /\n[^\n]*\n$/, '\n') })],
  ])('refuses %s', (_what, change) => {
    const { status, stdout } = check(change(file));
    expect(status).not.toBe(0);
    expect(stdout).not.toMatch(/^OK$/m);
  });
});

function edit(bytes: Bytes, from: string | RegExp, to: string): Bytes {
  return encodeUtf8(Buffer.from(bytes).toString().replace(from, to));
}
