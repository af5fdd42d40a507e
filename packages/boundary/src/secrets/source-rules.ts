// SPDX-License-Identifier: Apache-2.0
/** What counts as source code: a list of rules, so that a refusal can say which one spoke. */
import type { Bytes } from '@witnessmark/core';

interface SourceRule {
  readonly name: string;
  matches(path: string, content: Bytes): boolean;
}

const REPOSITORY_DIRECTORIES = new Set(['.git', '.hg', '.svn', '.bzr', 'CVS', '.repo', '_darcs', '.jj']);
const SOURCE_EXTENSION =
  /\.(?:c|h|cc|cpp|cxx|c\+\+|hh|hpp|hxx|ino|m|mm|s|asm|inc|rs|go|ts|tsx|mts|cts|jsx|java|kt|swift|cs|vb|fs|scala|zig|ads|adb|pas|f90|v|sv|vhd|vhdl|dts|dtsi|ld|lds|y|l|proto|cmake|mk|mak|patch|diff)$/i;
const BUILD_FILE =
  /^(?:(?:gnu)?makefile(?:\..+)?|cmakelists\.txt|kconfig(?:\..+)?|meson\.build|sconstruct|sconscript|build\.gradle(?:\.kts)?|cargo\.(?:toml|lock)|go\.(?:mod|sum)|package(?:-lock)?\.json|tsconfig.*\.json|pom\.xml|.*\.sln|.*\.[a-z]*proj|west\.yml|platformio\.ini|compile_commands\.json|\.gitmodules|\.gitignore|\.gitattributes)$/i;
/** Two of these in one text make it C, Rust, Go, Java, TypeScript or the like. */
const SOURCE_LINES = [
  /^[ \t]*#[ \t]*(?:include[ \t]*[<"]|ifndef[ \t]+\w+|define[ \t]+\w+|pragma[ \t]+\w+)/m,
  /^(?:static|extern|const|volatile|unsigned|void|int|char|bool|struct|typedef|enum|uint\d+_t)\b[^\n;{}]{0,120}[({;]/m,
  /^(?:pub(?:\([a-z]+\))? )?(?:fn|impl|mod|trait|struct|use) [\w:<>{}, *]+[({;]?/m,
  /^(?:package [\w.]+;?$|import (?:[\w.]+;|\(|"|[\w{*].* from ['"]))/m,
  /^(?:export |public |private |protected )?(?:abstract |final |async )?(?:class|interface|function|func)\b[^\n]{1,120}\{/m,
  /^(?:def|class) \w+[^\n]{0,120}:[ \t]*$/m,
  /^[ \t]*(?:return\b[^\n]*;|if ?\([^\n]+\) ?\{|for ?\([^\n]+\) ?\{|\}[ \t]*else[ \t]*\{)/m,
];
/** A text is judged by its beginning. */
const TEXT_SAMPLE_BYTES = 64 * 1024;
/** Packs, bundles and the index. */
const GIT_FILE = /^(?:PACK\0\0\0[\x02\x03]|# v[23] git bundle\n|DIRC\0\0\0[\x02-\x04])/;

const RULES: readonly SourceRule[] = [
  { name: 'repository directory', matches: (path) => path.split('/').some((name) => REPOSITORY_DIRECTORIES.has(name)) },
  { name: 'source file extension', matches: (path) => SOURCE_EXTENSION.test(path) },
  { name: 'build file', matches: (path) => BUILD_FILE.test(path.slice(path.lastIndexOf('/') + 1)) },
  { name: 'git object store', matches: (_path, content) => GIT_FILE.test(latin1(content.subarray(0, 16))) },
  { name: 'source text', matches: (_path, content) => isSourceText(content) },
];

/** The name of the first rule that says it is source; null when none does. */
export function findSourceRule(path: string, content: Bytes): string | null {
  return RULES.find((rule) => rule.matches(path, content))?.name ?? null;
}

function isSourceText(content: Bytes): boolean {
  const sample = content.subarray(0, TEXT_SAMPLE_BYTES);
  if (sample.length === 0 || sample.includes(0)) return false;
  const text = latin1(sample);
  return SOURCE_LINES.filter((pattern) => pattern.test(text)).length >= 2;
}

function latin1(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
