// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeDrift,
  findDrift,
  formatManifest,
  formatUnifiedDiff,
  MANIFEST_LIMITS,
  parseManifest,
  SECTIONS,
  toLine,
  toManifest,
  type BuildManifest,
} from '@witnessmark/build-record';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function build(sections: Partial<Record<(typeof SECTIONS)[number], readonly string[]>>): BuildManifest {
  return toManifest(new Map(Object.entries(sections)) as BuildManifest);
}

const line = fc
  .string({ unit: fc.constantFrom('a', 'b', ' ', '1', ':', '-', '%'), minLength: 1, maxLength: 6 })
  .map((text) => toLine(text));
const manifest = fc
  .dictionary(fc.constantFrom(...SECTIONS), fc.uniqueArray(line, { maxLength: 6 }))
  .map((sections) => build(sections));

describe('drift', () => {
  const approved = build({ packages: ['a 1', 'b 1'], usb: ['0403:6014'], ports: [] });

  it('names what is gone and what is new, and what cannot be told', () => {
    const drift = findDrift(approved, build({ packages: ['a 2', 'b 1'], usb: ['0403:6014', '0951:1666'] }));
    expect(drift).toEqual([
      { section: 'packages', missing: ['a 1'], added: ['a 2'], isUnmeasured: false },
      { section: 'usb', missing: [], added: ['0951:1666'], isUnmeasured: false },
      { section: 'ports', missing: [], added: [], isUnmeasured: true },
    ]);
    expect(describeDrift(drift)).toBe('packages: 1 changed or gone, 1 new; usb: 1 new; ports: cannot be measured');
  });

  it('a section that nobody approved is drift as soon as it holds something', () => {
    expect(findDrift(build({}), build({ sudo: ['x'] }))).toHaveLength(1);
    expect(findDrift(build({}), build({ sudo: [] }))).toEqual([]);
  });

  it('tolerates what the record says comes and goes, and nothing that only looks like it', () => {
    const now = build({
      packages: ['a 1', 'b 1'],
      usb: ['0403:6014'],
      ports: ['udp 127.0.0.1 4711', 'tcp 0.0.0.0 22'],
    });
    const drift = findDrift(approved, now, ['ports udp 127.0.0.1 *', 'usb 22', 'ports t.p*']);
    expect(drift.map(({ added }) => added)).toEqual([['tcp 0.0.0.0 22']]);
  });
});

describe('the unified diff', () => {
  it('reads like one', () => {
    const text = formatUnifiedDiff(
      build({ packages: ['a 1', 'b 1'] }),
      build({ packages: ['a 2', 'b 1'], usb: ['x'] }),
    );
    expect(text).toBe(
      [
        '--- approved',
        '+++ measured',
        '@@ -3,1 +3,1 @@ [packages]',
        '-a 1',
        '+a 2',
        '@@ -4,0 +5,2 @@ [usb]',
        '+[usb]',
        '+x',
        '',
      ].join('\n'),
    );
  });

  it('turns the approved text into the measured one in the hands of patch', () => {
    const folder = mkdtempSync(join(tmpdir(), 'witnessmark-diff-'));
    try {
      fc.assert(
        fc.property(manifest, manifest, (before, after) => {
          const diff = formatUnifiedDiff(before, after);
          if (diff === '') {
            expect(formatManifest(before)).toEqual(formatManifest(after));
            return;
          }
          const file = join(folder, 'build');
          writeFileSync(file, formatManifest(before));
          execFileSync('patch', ['--silent', '--unified', file], { input: diff });
          expect(readFileSync(file, 'utf8')).toBe(new TextDecoder().decode(formatManifest(after)));
        }),
        { numRuns: 40 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a build manifest', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(manifest, (built) => {
        expect(parseManifest(formatManifest(built))).toEqual(built);
      }),
    );
  });

  const header = 'witnessmark station build v1\n';
  it.each([
    ['nothing', ''],
    ['another version', 'witnessmark station build v2\n'],
    ['no last line end', `${header}[usb]\na`],
    ['a line before any section', `${header}a\n`],
    ['an unknown section', `${header}[secrets]\na\n`],
    ['a section twice', `${header}[usb]\n[usb]\n`],
    ['sections out of order', `${header}[usb]\n[packages]\n`],
    ['lines out of order', `${header}[usb]\nb\na\n`],
    ['a line twice', `${header}[usb]\na\na\n`],
    ['an empty line', `${header}[usb]\n\n`],
    ['a control character', `${header}[usb]\na\tb\n`],
    ['a letter outside ASCII', `${header}[usb]\nä\n`],
    ['a line that is too long', `${header}[usb]\n${'a'.repeat(MANIFEST_LIMITS.maxLineLength + 1)}\n`],
  ])('is refused: %s', (_, text) => {
    expect(() => parseManifest(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: 'ERR_BUILD_RECORD_FORMAT' }),
    );
  });

  it('is refused: bytes that are not UTF-8, and one byte too many', () => {
    const refused = expect.objectContaining({ code: 'ERR_BUILD_RECORD_FORMAT' });
    expect(() => parseManifest(Uint8Array.of(0xff))).toThrow(refused);
    expect(() => parseManifest(new Uint8Array(MANIFEST_LIMITS.maxBytes + 1))).toThrow(refused);
  });

  it('takes a line of the longest length and the most lines, and no more', () => {
    const longest = 'a'.repeat(MANIFEST_LIMITS.maxLineLength);
    expect(build({ usb: [longest] }).get('usb')).toEqual([longest]);
    const many = Array.from({ length: MANIFEST_LIMITS.maxLines }, (_, index) => String(index));
    expect(build({ usb: many }).get('usb')).toHaveLength(MANIFEST_LIMITS.maxLines);
    expect(() => build({ usb: [...many, 'one more'] })).toThrow(
      expect.objectContaining({ code: 'ERR_BUILD_RECORD_FORMAT' }),
    );
  });

  it('no name can pretend to be a section or another field', () => {
    expect(toLine('[usb]', 'a b', '', 'ä\n%')).toBe('%5Busb] a%20b - %C3%A4%0A%25');
  });
});
