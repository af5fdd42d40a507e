// SPDX-License-Identifier: Apache-2.0
/** Gathers the files of a debug bundle: each on the contents list, each examined; all findings are told at once (A76). */
import { MAX_DEBUG_BUNDLE_FILES, type DebugBundleProposal } from '@witnessmark/attestation';
import { RefusedError, sha256Hex } from '@witnessmark/core';
import type { Member } from '../archive/archive.ts';
import { BOUNDARY_LIMITS, type BoundaryLimits } from '../limits.ts';
import type { Medium } from '../medium/medium.ts';
import { toTree, type Tree } from '../medium/tree-digest.ts';
import { RefusedFile, toFinding, type Finding } from '../refused-file.ts';
import { Examiner } from '../secrets/examine.ts';
import { digestOfMarkers, type Marker } from '../secrets/markers.ts';
import type { SecretClasses } from '../secrets/secret-classes.ts';
import { MAX_BUNDLE_FILE_BYTES, type ContentsList } from './contents-list.ts';
import { WATERMARK_FILE } from './watermark.ts';

/** Bundles are held in memory: plaintext is never written. */
export const BUNDLE_LIMITS: BoundaryLimits = {
  ...BOUNDARY_LIMITS,
  maxEntries: 4 * MAX_DEBUG_BUNDLE_FILES,
  maxFileBytes: MAX_BUNDLE_FILE_BYTES,
  maxTotalBytes: 64 * 1024 * 1024,
  maxExaminedBytes: 256 * 1024 * 1024,
};

export interface ContentPolicies {
  readonly contentsList: ContentsList;
  readonly classes: SecretClasses;
  readonly markers: readonly Marker[];
}

export interface GatheredContents {
  readonly members: readonly Member[];
  readonly contents: DebugBundleProposal['contents'];
  readonly tree: Tree;
}

/** Names every file that is refused, and why. */
export class ContentsRefused extends RefusedError {
  readonly findings: readonly Finding[];

  constructor(findings: readonly [Finding, ...Finding[]]) {
    const shown = findings.slice(0, 10).map(({ path, code, detail }) => `${path} (${code} ${detail})`);
    const more = findings.length > shown.length ? `, and ${findings.length - shown.length} more` : '';
    super(findings[0].code, `refused: ${shown.join(', ')}${more}`);
    this.findings = findings;
  }
}

/** Throws `ContentsRefused`; its code is that of the first finding. */
export async function gatherContents(source: Medium, policies: ContentPolicies): Promise<GatheredContents> {
  const { contentsList, classes, markers } = policies;
  const examiner = new Examiner({ classes, markers, place: 'outside', limits: BUNDLE_LIMITS });
  const findings: Finding[] = [];
  const members: Member[] = [];
  const contents: DebugBundleProposal['contents'] = [];
  try {
    for await (const member of source.members()) {
      const { path, content } = member;
      if (members.length === MAX_DEBUG_BUNDLE_FILES) {
        throw new RefusedFile('BX-104', path, `a bundle has at most ${MAX_DEBUG_BUNDLE_FILES} files`);
      }
      members.push(member);
      const rule = findRule(contentsList, member, findings);
      const allowsSymbols = rule?.symbols === 'allowed' && classes.isAllowed('symbols', 'sealed', 'outside');
      const examination = await examiner.examine(path, content, { allowsSymbols });
      findings.push(...examination.findings);
      const digest = { sha256: sha256Hex(content) };
      contents.push({
        path,
        bytes: content.length,
        digest,
        class: rule?.class ?? 'none',
        symbols: examination.symbols,
      });
    }
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    findings.push(toFinding(cause));
  }
  const [first, ...rest] = findings;
  if (first !== undefined) throw new ContentsRefused([first, ...rest]);
  return { members, contents, tree: toTree(contents.map(({ path, bytes, digest }) => ({ path, bytes, ...digest }))) };
}

/** The documents that the content was examined by, as a proposal names them. */
export function toPolicyDigests({ contentsList, classes, markers }: ContentPolicies): DebugBundleProposal['policies'] {
  const markersDigest = digestOfMarkers(markers);
  return {
    contentsList: { sha256: contentsList.digest },
    secretClasses: { sha256: classes.digest },
    markers: markersDigest === null ? null : { sha256: markersDigest },
  };
}

function findRule(
  list: ContentsList,
  { path, content }: Member,
  findings: Finding[],
): ReturnType<ContentsList['ruleFor']> | null {
  try {
    if (path === WATERMARK_FILE) throw new RefusedFile('BX-103', path, 'the note to the recipient has this name');
    return list.ruleFor(path, content.length);
  } catch (cause) {
    if (!(cause instanceof RefusedFile)) throw cause;
    findings.push(toFinding(cause));
    return null;
  }
}
