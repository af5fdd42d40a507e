// SPDX-License-Identifier: Apache-2.0
/** The first look at a medium: everything is read and judged, nothing is written. */
import type { TrustedKey } from '@witnessmark/attestation';
import { RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import { MAX_ENVELOPE_BYTES } from '@witnessmark/core';
import { RefusedFile, showPath, toFinding, type Finding } from '../refused-file.ts';
import type { Examiner } from '../secrets/examine.ts';
import { BATCH_FILE, readBatch, type Batch } from './batch.ts';
import type { Expectation } from './expectation.ts';
import { MEDIUM_ID_FILE, parseMediumId, type MediumIdentity } from './medium-id.ts';
import type { Medium } from './medium.ts';
import { formatTree, toTree, type Tree, type TreeFile } from './tree-digest.ts';

/** Files that an expectation reads are held in memory; metadata is small. */
const MAX_NEEDED_BYTES = 64 * 1024 * 1024;

export interface InspectionOptions {
  readonly examiner: Examiner;
  /** Null compares with nothing, as an export does. */
  readonly expectation: Expectation | null;
  /** Whether what nobody expects is refused. */
  readonly refusesUnlisted: boolean;
  readonly identity: MediumIdentity;
  readonly keys: readonly TrustedKey[];
}

export interface Inspection {
  /** Of what was read; all of it, unless a finding says that reading ended early. */
  readonly tree: Tree;
  readonly findings: readonly Finding[];
  /** SHA-256 of the list the medium was compared with; null when there was none. */
  readonly expectedDigest: string | null;
  readonly batch: Batch | null;
}

export async function inspectMedium(medium: Medium, options: InspectionOptions): Promise<Inspection> {
  const reading = await readAll(medium, options);
  const tree = toTree(reading.files);
  const { batch, findings: batchFindings } = judgeBatch(reading, tree, options);
  const findings = [...reading.findings, ...judgeIdentity(reading, options.identity), ...batchFindings];
  if (!reading.isComplete) return { tree, findings, expectedDigest: null, batch };
  const { expected, refusals } = await resolveExpectation(reading, options, batch, tree);
  findings.push(...refusals);
  if (expected !== null) findings.push(...compare(tree, expected));
  else if (options.refusesUnlisted && refusals.length === 0) findings.push(...compare(tree, []));
  return {
    tree,
    findings,
    expectedDigest: expected === null ? null : sha256Hex(formatTree(toTree(expected).files)),
    batch,
  };
}

interface Reading {
  readonly files: readonly TreeFile[];
  readonly findings: readonly Finding[];
  /** The content of what has to be read as well. */
  readonly kept: ReadonlyMap<string, Bytes>;
  readonly isComplete: boolean;
}

async function readAll(medium: Medium, { examiner, expectation }: InspectionOptions): Promise<Reading> {
  const files: TreeFile[] = [];
  const findings: Finding[] = [];
  const kept = new Map<string, Bytes>();
  let keptBytes = 0;
  const done = (isComplete: boolean): Reading => ({ files, findings, kept, isComplete });
  try {
    for await (const { path, content } of medium.members()) {
      const isOwn = path === BATCH_FILE || path === MEDIUM_ID_FILE;
      if (path !== BATCH_FILE) files.push({ path, bytes: content.length, sha256: sha256Hex(content) });
      if (isOwn || expectation?.needs(path) === true) {
        keptBytes += content.length;
        const isTooLarge = isOwn ? content.length > MAX_ENVELOPE_BYTES : keptBytes > MAX_NEEDED_BYTES;
        if (isTooLarge) throw new RefusedFile('BX-104', path, 'it is too large for what it is');
        kept.set(path, content);
      }
      if (!isOwn) findings.push(...(await examiner.examine(path, content)).findings);
    }
    return done(true);
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    findings.push(toFinding(cause));
    return done(false);
  }
}

function judgeIdentity({ kept }: Reading, identity: MediumIdentity): readonly Finding[] {
  const bytes = kept.get(MEDIUM_ID_FILE);
  try {
    const found = bytes === undefined ? null : parseMediumId(bytes);
    if (found === identity.id || (found === null && identity.learntFrom !== 'mediumFile')) return [];
    const what = found === null ? 'the medium has no such file' : `it says ${found}, and ${identity.id} was stated`;
    return [toFinding(new RefusedFile('BX-115', MEDIUM_ID_FILE, what))];
  } catch (cause) {
    if (cause instanceof RefusedFile) return [toFinding(cause)];
    throw cause;
  }
}

function judgeBatch(
  { kept, isComplete }: Reading,
  tree: Tree,
  { keys }: InspectionOptions,
): { readonly batch: Batch | null; readonly findings: readonly Finding[] } {
  const bytes = kept.get(BATCH_FILE);
  if (bytes === undefined || !isComplete) return { batch: null, findings: [] };
  try {
    const batch = readBatch(bytes, keys);
    if (batch.treeDigest === tree.digest) return { batch, findings: [] };
    const what = 'the files beside it are not the ones that were exported';
    return { batch: null, findings: [toFinding(new RefusedFile('BX-117', BATCH_FILE, what))] };
  } catch (cause) {
    if (cause instanceof RefusedFile) return { batch: null, findings: [toFinding(cause)] };
    throw cause;
  }
}

/** What has to be there: what the caller expects, or else what a verified batch lists. */
async function resolveExpectation(
  { kept }: Reading,
  { expectation }: InspectionOptions,
  batch: Batch | null,
  tree: Tree,
): Promise<{ readonly expected: readonly TreeFile[] | null; readonly refusals: readonly Finding[] }> {
  if (expectation === null) return { expected: batch === null ? null : tree.files, refusals: [] };
  try {
    return { expected: await expectation.resolve((path) => kept.get(path) ?? null), refusals: [] };
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    return { expected: null, refusals: [toFinding(cause)] };
  }
}

/** Every difference between what is there and what is listed. The file with the medium's identity is listed always. */
function* compare(tree: Tree, expected: readonly TreeFile[]): Generator<Finding> {
  const listed = new Map(expected.map((file) => [file.path, file]));
  for (const { path, bytes, sha256 } of tree.files) {
    const file = listed.get(path);
    listed.delete(path);
    if (file === undefined) {
      if (path !== MEDIUM_ID_FILE) yield { path: showPath(path), code: 'BX-111', detail: 'nobody announced it' };
    } else if (file.bytes !== bytes || file.sha256 !== sha256) {
      yield { path: showPath(path), code: 'BX-112', detail: `sha256:${sha256.slice(0, 12)}, ${bytes} bytes` };
    }
  }
  for (const path of listed.keys())
    yield { path: showPath(path), code: 'BX-113', detail: 'it is listed and not there' };
}
