// SPDX-License-Identifier: Apache-2.0
/** Looks through a directory or an archive for secrets that may not be there: a cache, a station's disk, a stick before use. */
import { RefusedError, sha256Hex } from '@witnessmark/core';
import { toFinding, type Finding } from '../refused-file.ts';
import { Examiner, type ExamineOptions } from '../secrets/examine.ts';
import type { Medium } from './medium.ts';
import { toTree, type Tree, type TreeFile } from './tree-digest.ts';

/** Every finding, and the tree of what was read; a finding that ended the reading is the last one. */
export async function checkMedium(
  medium: Medium,
  options: ExamineOptions,
): Promise<{ readonly tree: Tree; readonly findings: readonly Finding[] }> {
  const examiner = new Examiner(options);
  const files: TreeFile[] = [];
  const findings: Finding[] = [];
  try {
    for await (const { path, content } of medium.members()) {
      files.push({ path, bytes: content.length, sha256: sha256Hex(content) });
      findings.push(...(await examiner.examine(path, content)).findings);
    }
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw cause;
    findings.push(toFinding(cause));
  }
  return { tree: toTree(files), findings };
}
