// SPDX-License-Identifier: Apache-2.0
/** What a person reads when a command cannot do its work: what, why it matters, what next, and the code. */
import { createHash } from 'node:crypto';
import { describeReasonCode, RefusedError, WitnessmarkError } from '@witnessmark/core';
import { ERROR_CATALOGUE, isErrorCode } from './error-catalogue.ts';
import { toPlainLine } from './plain-text.ts';
import { errnoOf, EXIT, exitCodeOf, type ExitCode } from './exit-codes.ts';

export interface ErrorReport {
  readonly exit: ExitCode;
  /** A reason code, an ERR_ code, an operating-system code, or `INTERNAL`. */
  readonly code: string;
  readonly message: string;
  readonly whyItMatters?: string;
  readonly next?: string;
  /** Only for defects of this program: the same defect gives the same id. */
  readonly reportId?: string;
}

export function describeError(error: unknown): ErrorReport {
  const exit = exitCodeOf(error);
  if (error instanceof RefusedError) {
    const { cause, nextStep } = describeReasonCode(error.code);
    return { exit, code: error.code, message: error.message, whyItMatters: cause, next: nextStep };
  }
  if (error instanceof WitnessmarkError && exit !== EXIT.bug) {
    const { code } = error as WitnessmarkError;
    const base = { exit, code, message: error.message };
    if (!isErrorCode(code) || code === 'ERR_CLI_USAGE') return base;
    const { meaning, next } = ERROR_CATALOGUE[code];
    return { ...base, whyItMatters: meaning, next };
  }
  const errno = errnoOf(error);
  if (errno !== null) return { exit, code: errno, message: describeErrno(error as NodeJS.ErrnoException) };
  return describeDefect(error);
}

export function formatErrorReport(report: ErrorReport): string {
  const lines = [toPlainLine(`witnessmark: error: ${report.message} [${report.code}]`)];
  if (report.whyItMatters !== undefined) lines.push(`  why it matters: ${report.whyItMatters}`);
  if (report.next !== undefined) lines.push(`  next: ${report.next}`);
  return lines.join('\n');
}

const ERRNO_TEXT: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be used by this user',
  EPERM: 'may not be used by this user',
  ENOTDIR: 'is not a folder',
  EISDIR: 'is a folder',
  EEXIST: 'exists already',
  ENOSPC: 'has no space left',
  EROFS: 'is on a read-only file system',
  EADDRINUSE: 'is in use',
};

function describeErrno(error: NodeJS.ErrnoException): string {
  const subject =
    error.path ??
    ('address' in error && 'port' in error ? `${String(error.address)}:${String(error.port)}` : error.syscall);
  return `${subject ?? 'a file'} ${ERRNO_TEXT[error.code ?? ''] ?? `failed (${error.code ?? 'unknown'})`}`;
}

/** The id names the place in the program, not the input, so that two people with one defect report one id. */
function describeDefect(error: unknown): ErrorReport {
  const name = error instanceof Error ? error.name : typeof error;
  const frames = error instanceof Error ? (error.stack ?? '').match(/^ +at .*$/gm) : null;
  // File names and lines, without folders (they differ between installations) and columns.
  const place = (frames ?? []).slice(0, 3).map((frame) => /([^/\s(]+):\d+\)?$/.exec(frame)?.[1] ?? '');
  const code = error instanceof WitnessmarkError ? (error as WitnessmarkError).code : 'INTERNAL';
  const reportId = createHash('sha256')
    .update(`${name}|${place.join('|')}`)
    .digest('hex')
    .slice(0, 12);
  return {
    exit: EXIT.bug,
    code,
    message: `this is a defect of witnessmark (${name}), report id ${reportId}`,
    next: 'Report it with this id and the output of the same command with --verbose.',
    reportId,
  };
}
