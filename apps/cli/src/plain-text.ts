// SPDX-License-Identifier: Apache-2.0
/** Text that came from somewhere else, made fit to be shown: it stays on its line and gives the terminal no orders. */

/** Control characters (C0, DEL, C1), line and paragraph separators, and what turns the direction of text around. */
const UNFIT = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** What our own styles write: bold, dim, and four colours, and their ends. */
const OWN_STYLE = /(\u001b\[(?:1|2|22|31|32|33|39)m)/;

export function toPlainLine(text: string): string {
  return text
    .split(OWN_STYLE)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(UNFIT, '\ufffd')))
    .join('');
}
