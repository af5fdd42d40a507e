// SPDX-License-Identifier: Apache-2.0
/** A refusal that names a file. Names come from strangers: they are shown, never obeyed. */
import { RefusedError, type Bytes, type ReasonCode } from '@witnessmark/core';

const MAX_SHOWN_CHARACTERS = 200;

/** One thing that is wrong with one file. */
export interface Finding {
  /** As {@link showPath} writes it. */
  readonly path: string;
  readonly code: ReasonCode;
  readonly detail: string;
}

export class RefusedFile extends RefusedError {
  readonly path: string;

  constructor(code: ReasonCode, path: string, detail: string, cause?: unknown) {
    super(code, `${showPath(path)}: ${detail}`, cause === undefined ? {} : { cause });
    this.path = showPath(path);
  }
}

export function toFinding(error: RefusedError): Finding {
  const path = error instanceof RefusedFile ? error.path : '.';
  return { path, code: error.code, detail: error.message };
}

/** A name with everything unprintable escaped, cut to a length that fits a record. */
export function showPath(path: string): string {
  const shown = path.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
  if (shown === '') return '(no name)';
  return shown.length <= MAX_SHOWN_CHARACTERS ? shown : `${shown.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}

/** Bytes of a name that may be no UTF-8 at all. */
export function showPathBytes(bytes: Bytes): string {
  return showPath(new TextDecoder().decode(bytes));
}
