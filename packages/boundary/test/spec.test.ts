// SPDX-License-Identifier: Apache-2.0
/** What the pages of the boundary's formats show is true. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debugBundle, mediaTransfer, parseStatement } from '@witnessmark/attestation';
import { encodeUtf8, isReasonCode, sha256Hex, type Bytes } from '@witnessmark/core';
import { describe, expect, it } from 'vitest';
import {
  ContentsList,
  DEFAULT_DEBUG_CONTENTS,
  DEFAULT_SECRET_CLASSES,
  parseTree,
  SecretClasses,
} from '../src/index.ts';
import { ARCHIVE_VECTORS } from './vectors/archives.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGES = ['tree-digest', 'boundary-archive', 'secret-classes', 'media-transfer', 'debug-bundle'];

function page(name: string): string {
  return readFileSync(join(ROOT, 'spec', `${name}.md`), 'utf8');
}

/** The JSON examples of a page, in order, as compact JSON. */
function examplesOf(name: string): readonly Bytes[] {
  return Array.from(page(name).matchAll(/^```json\n(.*?)^```$/gms), ([, block = '']) =>
    encodeUtf8(JSON.stringify(JSON.parse(block))),
  );
}

describe('the pages', () => {
  it('show a tree and its digest', () => {
    const [, text = ''] = /^```text\n(.*?)^```$/ms.exec(page('tree-digest')) ?? [];
    expect(page('tree-digest')).toContain(parseTree(encodeUtf8(text)).digest);
  });

  it('show statements that are read', () => {
    const [taken, refused] = examplesOf('media-transfer').map((bytes) => parseStatement(mediaTransfer, bytes));
    expect([taken?.predicate.result, refused?.predicate.code]).toEqual(['accepted', 'BX-111']);
    const statements = examplesOf('debug-bundle').slice(0, 3);
    const [proposal, approval, seal] = statements.map((bytes) => parseStatement(debugBundle, bytes));
    const digest = sha256Hex(statements[0]!);
    expect(approval?.subject[0].digest.sha256).toBe(digest);
    expect(seal?.subject[0].digest.sha256).toBe(digest);
    expect(proposal?.predicate.act).toBe('propose');
  });

  it('show the policies a site starts with', () => {
    const [classes] = examplesOf('secret-classes');
    expect(JSON.parse(new TextDecoder().decode(classes))).toEqual(DEFAULT_SECRET_CLASSES);
    expect(SecretClasses.parse(classes!).isAllowed('image', 'sealed', 'outside')).toBe(true);
    const contents = examplesOf('debug-bundle')[3]!;
    expect(ContentsList.parse(contents).document).toEqual(DEFAULT_DEBUG_CONTENTS);
  });

  it('name codes that exist, and the number of vectors', () => {
    for (const name of PAGES) {
      for (const [code] of page(name).matchAll(/BX-\d{3}/g)) expect(isReasonCode(code), `${name}: ${code}`).toBe(true);
    }
    expect(page('boundary-archive')).toContain(`${ARCHIVE_VECTORS.cases.length} cases`);
  });
});
