// SPDX-License-Identifier: Apache-2.0
/**
 * What a debug bundle may hold (spec/debug-bundle.md): a list of rules that the office keeps. A file without a rule stays out, and
 * programs carry symbols only where their rule says so.
 */
import { describeIssues, identifier } from '@witnessmark/attestation';
import { formatJson, parseStrictJson, sha256Hex, type Bytes } from '@witnessmark/core';
import { z } from 'zod';
import { BoundaryError } from '../error.ts';
import { RefusedFile } from '../refused-file.ts';
import { matchesPath } from '../secrets/secret-classes.ts';

const MAX_DOCUMENT_BYTES = 64 * 1024;
export const MAX_BUNDLE_FILE_BYTES: number = 16 * 1024 * 1024;

const rule = z.strictObject({
  /** `*` stands for any characters but a slash. */
  pattern: z.string().min(1).max(240),
  /** What it is, for approvers: a log, a map file, a test program. */
  class: identifier,
  symbols: z.enum(['forbidden', 'allowed']),
  maxBytes: z.int().min(0).max(MAX_BUNDLE_FILE_BYTES),
});

const schema = z.strictObject({
  mediaType: z.literal('application/vnd.witnessmark.debug-contents.v1+json'),
  name: identifier,
  version: z.int().min(1),
  rules: z.array(rule).min(1).max(256),
});

export type ContentsListDocument = z.infer<typeof schema>;
export type ContentsRule = z.infer<typeof rule>;

export class ContentsList {
  /** SHA-256 of the document's bytes. */
  readonly digest: string;
  readonly document: ContentsListDocument;

  private constructor(document: ContentsListDocument, digest: string) {
    this.document = document;
    this.digest = digest;
  }

  /** Throws `ERR_BOUNDARY_LIST` or an `ERR_JSON_*` code. */
  static parse(bytes: Bytes): ContentsList {
    const limits = { maxBytes: MAX_DOCUMENT_BYTES, maxDepth: 8, maxValues: 4000 };
    const result = schema.safeParse(parseStrictJson(bytes, limits));
    if (result.success) return new ContentsList(result.data, sha256Hex(bytes));
    const where = describeIssues(result.error);
    throw new BoundaryError('ERR_BOUNDARY_LIST', `not a list of debug contents: it breaks its schema at ${where}`);
  }

  /** The first rule for a file; throws BX-146 when there is none or the file is larger than it says. */
  ruleFor(path: string, bytes: number): ContentsRule {
    const found = this.document.rules.find(({ pattern }) => matchesPath(pattern, path));
    if (found === undefined) throw new RefusedFile('BX-146', path, 'no rule of the contents list names it');
    if (bytes <= found.maxBytes) return found;
    throw new RefusedFile('BX-146', path, `it has ${bytes} bytes; its rule allows ${found.maxBytes}`);
  }
}

/** Throws `TypeError` when the document breaks its schema. */
export function formatContentsList(document: ContentsListDocument): Bytes {
  const checked = schema.safeParse(document);
  if (!checked.success) throw new TypeError(`the list breaks its schema at ${describeIssues(checked.error)}`);
  return formatJson(checked.data);
}
