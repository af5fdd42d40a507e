// SPDX-License-Identifier: Apache-2.0
/** What has changed on a station since its build was approved. */
import { formatManifest, SECTIONS, toManifest, type BuildManifest, type Section } from './manifest.ts';

export interface SectionDrift {
  readonly section: Section;
  /** Approved, and gone. */
  readonly missing: readonly string[];
  /** There, and not approved. */
  readonly added: readonly string[];
  /** Whether the section was approved and could not be measured now: unknown is not unchanged. */
  readonly isUnmeasured: boolean;
}

/**
 * Compares section by section. `tolerated` holds patterns of lines that come and go with approval, written
 * `section pattern`, in which `*` stands for any characters: `ports udp 127.0.0.1 *`.
 */
export function findDrift(
  approved: BuildManifest,
  measured: BuildManifest,
  tolerated: readonly string[] = [],
): readonly SectionDrift[] {
  return SECTIONS.flatMap((section): SectionDrift[] => {
    const before = approved.get(section);
    const now = measured.get(section);
    if (before === undefined && now === undefined) return [];
    if (now === undefined) return [{ section, missing: [], added: [], isUnmeasured: true }];
    const isTolerated = toMatcher(section, tolerated);
    const known = new Set(before);
    const found = new Set(now);
    const missing = (before ?? []).filter((line) => !found.has(line) && !isTolerated(line));
    const added = now.filter((line) => !known.has(line) && !isTolerated(line));
    return missing.length + added.length === 0 ? [] : [{ section, missing, added, isUnmeasured: false }];
  });
}

/** The manifest without the lines that come and go, so that its digest is the same whether they are there or not. */
export function withoutTolerated(manifest: BuildManifest, tolerated: readonly string[]): BuildManifest {
  return toManifest(
    new Map(
      [...manifest].map(([section, lines]) => {
        const isTolerated = toMatcher(section, tolerated);
        return [section, lines.filter((line) => !isTolerated(line))];
      }),
    ),
  );
}

/** One difference, as a statement names it. */
export interface DriftLine {
  readonly section: Section;
  readonly change: 'missing' | 'added' | 'unmeasured';
  /** Empty for a section that cannot be measured. */
  readonly line: string;
}

/** Line by line, in the order of the manifest. */
export function listDrift(drift: readonly SectionDrift[]): readonly DriftLine[] {
  return drift.flatMap(({ section, missing, added, isUnmeasured }): DriftLine[] => [
    ...(isUnmeasured ? [{ section, change: 'unmeasured', line: '' } as const] : []),
    ...missing.map((line) => ({ section, change: 'missing', line }) as const),
    ...added.map((line) => ({ section, change: 'added', line }) as const),
  ]);
}

/** One sentence for a screen: `packages: 1 changed or gone, 1 new; usb: 1 new`. */
export function describeDrift(drift: readonly SectionDrift[]): string {
  return drift
    .map(({ section, missing, added, isUnmeasured }) => {
      if (isUnmeasured) return `${section}: cannot be measured`;
      const parts = [
        ...(missing.length === 0 ? [] : [`${missing.length} changed or gone`]),
        ...(added.length === 0 ? [] : [`${added.length} new`]),
      ];
      return `${section}: ${parts.join(', ')}`;
    })
    .join('; ');
}

/**
 * The difference as a unified diff without context, which `patch` turns the approved text into the measured one with.
 * Empty when there is none.
 */
export function formatUnifiedDiff(approved: BuildManifest, measured: BuildManifest): string {
  const before = toLines(approved);
  const after = toLines(measured);
  const hunks = findHunks(before, after);
  if (hunks.length === 0) return '';
  return ['--- approved', '+++ measured', ...hunks.flatMap((hunk) => formatHunk(hunk, before, after)), ''].join('\n');
}

interface TextLine {
  readonly key: string;
  readonly text: string;
  readonly section: string;
}

interface Hunk {
  readonly from: number;
  readonly removed: number;
  readonly to: number;
  readonly added: number;
}

/** Both texts are sorted the same way, so one walk along both finds the shortest difference. */
function findHunks(before: readonly TextLine[], after: readonly TextLine[]): Hunk[] {
  const hunks: Hunk[] = [];
  let left = 0;
  let right = 0;
  while (left < before.length || right < after.length) {
    const from = left;
    const to = right;
    while (left < before.length || right < after.length) {
      const order = compareKeys(before[left]?.key, after[right]?.key);
      if (order === 0) break;
      if (order < 0) left += 1;
      else right += 1;
    }
    if (left > from || right > to) hunks.push({ from, removed: left - from, to, added: right - to });
    left += 1;
    right += 1;
  }
  return hunks;
}

function formatHunk(
  { from, removed, to, added }: Hunk,
  before: readonly TextLine[],
  after: readonly TextLine[],
): string[] {
  const section = (before[from] ?? after[to])?.section ?? '';
  // Where a side has no line, the number is that of the line before (POSIX diff -u).
  const range = (start: number, count: number): string => `${count === 0 ? start : start + 1},${count}`;
  return [
    `@@ -${range(from, removed)} +${range(to, added)} @@ ${section}`,
    ...before.slice(from, from + removed).map(({ text }) => `-${text}`),
    ...after.slice(to, to + added).map(({ text }) => `+${text}`),
  ];
}

/** Lines with a key that sorts as the text does: header, then sections in their order, head first. */
function toLines(manifest: BuildManifest): readonly TextLine[] {
  const lines = new TextDecoder().decode(formatManifest(manifest)).split('\n').slice(0, -1);
  let order = 0;
  let section = '';
  return lines.map((text) => {
    const name = SECTIONS.find((candidate) => text === `[${candidate}]`);
    if (name !== undefined) {
      section = text;
      order = SECTIONS.indexOf(name) + 1;
    }
    const rank = String(order).padStart(3, '0');
    return { key: name === undefined ? `${rank}1${text}` : `${rank}0`, text, section };
  });
}

function compareKeys(left: string | undefined, right: string | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return left < right ? -1 : 1;
}

function toMatcher(section: Section, tolerated: readonly string[]): (line: string) => boolean {
  const patterns = tolerated
    .filter((pattern) => pattern.startsWith(`${section} `))
    .map((pattern) => {
      const parts = pattern.slice(section.length + 1).split('*');
      return new RegExp(`^${parts.map((part) => part.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&')).join('.*')}$`);
    });
  return (line) => patterns.some((pattern) => pattern.test(line));
}
