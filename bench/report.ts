// SPDX-License-Identifier: Apache-2.0
/** What a bench finds, printed as it is found, and with `--write` kept as a page of `docs/`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WRITES_DOCS } from './arguments.ts';

const DOCS = join(import.meta.dirname, '../docs');

export interface Page {
  /** Of the file in `docs/`, without extension. */
  readonly name: string;
  readonly title: string;
  /** How it was made and how it is read. */
  readonly introduction: string;
}

export class Report {
  readonly #lines: string[] = [];

  print(...lines: readonly string[]): void {
    for (const line of lines) console.log(line);
    this.#lines.push(...lines);
  }

  /** Writes the page when the bench was called with `--write`. */
  finish({ name, title, introduction }: Page): void {
    if (!WRITES_DOCS) return;
    const text = [`# ${title}`, '', introduction, '', '```text', ...this.#lines, '```', ''];
    writeFileSync(join(DOCS, `${name}.md`), text.join('\n'));
  }
}
