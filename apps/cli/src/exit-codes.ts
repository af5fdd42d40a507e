// SPDX-License-Identifier: Apache-2.0
/** The one place that turns outcomes into exit codes. Zero never means that something remains to be done. */
import { RefusedError, WitnessmarkError } from '@witnessmark/core';

export const EXIT = {
  /** Verified, done, PASS. */
  yes: 0,
  /** It was checked and the answer is no. */
  no: 1,
  usage: 2,
  /** Could not tell: NOT VERIFIED. */
  unknown: 3,
  /** Refused by a rule. */
  refused: 4,
  /** Waiting for people. */
  waiting: 5,
  /** Hardware or transport; worth a retry. */
  fault: 6,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'yes: verified, done, PASS',
  1: 'no: it was checked and the answer is negative',
  2: 'usage or configuration error',
  3: 'could not tell: something needed is missing or unreadable',
  4: 'refused by a rule: line stop, not released, clock wrong',
  5: 'waiting for people',
  6: 'hardware or transport fault; try again',
  70: 'a defect of this program; prints a report id',
  130: 'interrupted (Ctrl-C)',
  143: 'terminated (SIGTERM)',
};

/** Reason codes by longest prefix. */
const REASON_EXITS: readonly (readonly [prefix: string, exit: ExitCode])[] = [
  ['UF-01', EXIT.fault],
  ['UF-06', EXIT.unknown],
  ['UF-', EXIT.no],
  ['HD-01', EXIT.fault],
  ['HD-', EXIT.waiting],
  ['EV-2', EXIT.unknown],
  ['EV-', EXIT.no],
  // A missing token or programmer is worth a retry; the other line stops are not.
  ['LS-304', EXIT.fault],
  ['LS-403', EXIT.fault],
  ['LS-', EXIT.refused],
  ['LB-', EXIT.refused],
  ['PL-', EXIT.refused],
  // A transcript that was judged: contradicted, or nobody can tell.
  ['CE-108', EXIT.fault],
  ['CE-113', EXIT.waiting],
  ['CE-121', EXIT.unknown],
  ['CE-122', EXIT.no],
  ['CE-123', EXIT.no],
  ['CE-124', EXIT.no],
  ['CE-125', EXIT.unknown],
  ['CE-127', EXIT.waiting],
  ['CE-128', EXIT.unknown],
  ['CE-202', EXIT.fault],
  ['CE-208', EXIT.fault],
  ['CE-209', EXIT.fault],
  ['CE-212', EXIT.waiting],
  ['CE-', EXIT.refused],
  ['BX-', EXIT.refused],
  ['BG-', EXIT.refused],
  // The connection to the line, not what is said over it.
  ['ID-109', EXIT.fault],
  ['ID-', EXIT.refused],
  ['TR-', EXIT.refused],
  // Tokens and their modules that are absent, busy or broken; every other finding about keys is a refusal.
  ['CU-101', EXIT.fault],
  ['CU-102', EXIT.fault],
  ['CU-103', EXIT.fault],
  ['CU-104', EXIT.fault],
  ['CU-107', EXIT.fault],
  ['CU-110', EXIT.fault],
  ['CU-111', EXIT.fault],
  ['CU-114', EXIT.fault],
  ['CU-', EXIT.refused],
  // A log that will not start beside another writer, or behind a head it is shown; the other findings are damage.
  ['LG-107', EXIT.refused],
  ['LG-108', EXIT.refused],
  ['LG-110', EXIT.refused],
  ['LG-', EXIT.no],
];

/** Error codes by longest prefix; input that is not what it must be counts as a wrong argument or configuration. */
const ERROR_EXITS: readonly (readonly [prefix: string, exit: ExitCode])[] = [
  ['ERR_CLI_INTERRUPTED', EXIT.interrupted],
  ['ERR_CLI_TRANSPORT', EXIT.fault],
  ['ERR_CLI_UNKNOWN_UNIT', EXIT.unknown],
  ['ERR_CLI_DEMO_EQUIPMENT', EXIT.fault],
  ['ERR_CLI_DEMO_STEP', EXIT.no],
  ['ERR_CLI_', EXIT.usage],
  ['ERR_CORE_', EXIT.usage],
  ['ERR_JSON_', EXIT.usage],
  ['ERR_KEY_', EXIT.usage],
  ['ERR_DSSE_', EXIT.usage],
  ['ERR_NOTE_', EXIT.usage],
  ['ERR_TIME_', EXIT.usage],
  ['ERR_STATEMENT_', EXIT.usage],
  ['ERR_DOCUMENT_', EXIT.usage],
  ['ERR_HARDWARE_ID', EXIT.usage],
  ['ERR_LABEL_', EXIT.usage],
  ['ERR_BUILD_RECORD_FORMAT', EXIT.usage],
  ['ERR_BUILD_RECORD_DIRECTORY', EXIT.usage],
  ['ERR_BUILD_RECORD_', EXIT.fault],
  ['ERR_ENROLMENT_FORMAT', EXIT.usage],
  ['ERR_ENROLMENT_PAPER', EXIT.usage],
  ['ERR_ENROLMENT_', EXIT.fault],
  ['ERR_BUNDLE_', EXIT.usage],
  ['ERR_TLOG_', EXIT.usage],
  ['ERR_CUSTODY_SIGN', EXIT.fault],
  ['ERR_CUSTODY_', EXIT.usage],
  ['ERR_TRUST_EXISTS', EXIT.usage],
  ['ERR_TRUST_', EXIT.fault],
  ['ERR_STORE_SCHEMA', EXIT.usage],
  ['ERR_STORE_', EXIT.fault],
  ['ERR_LOG_INDEX', EXIT.usage],
  ['ERR_LOG_', EXIT.fault],
  ['ERR_LINE_CONFIG', EXIT.usage],
  ['ERR_LINE_', EXIT.fault],
  ['ERR_GATE_FILE', EXIT.usage],
  ['ERR_GATE_', EXIT.fault],
  ['ERR_BOUNDARY_SIGNATURE', EXIT.fault],
  ['ERR_BOUNDARY_', EXIT.usage],
  ['ERR_DEVICE_CHIP_FILE', EXIT.usage],
  ['ERR_DEVICE_PROFILE', EXIT.usage],
  ['ERR_DEVICE_', EXIT.fault],
  ['ERR_STATION_LOCKED', EXIT.usage],
  ['ERR_STATION_SLOT_OPEN', EXIT.usage],
  ['ERR_STATION_', EXIT.fault],
  ['ERR_API_', EXIT.fault],
];

/** Operating-system errors that are about the path or address somebody named; the others are faults. */
const USAGE_ERRNOS = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'EACCES',
  'EPERM',
  'EEXIST',
  'ENOTEMPTY',
  'ENAMETOOLONG',
  'ELOOP',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof RefusedError) return exitCodeOfReason(error.code);
  if (error instanceof WitnessmarkError) return exitCodeOfError((error as WitnessmarkError).code);
  const errno = errnoOf(error);
  if (errno !== null) return USAGE_ERRNOS.has(errno) ? EXIT.usage : EXIT.fault;
  return EXIT.bug;
}

/** The exit code of an ERR_ code; one that nobody foresaw is a defect. */
export function exitCodeOfError(code: string): ExitCode {
  return match(ERROR_EXITS, code) ?? EXIT.bug;
}

export function exitCodeOfReason(code: string): ExitCode {
  return match(REASON_EXITS, code) ?? EXIT.bug;
}

/** The exit code of work that a signal broke off; the signal's name is the reason of the abort. */
export function exitCodeOfSignal(signal: AbortSignal): ExitCode {
  return signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
}

/** Several results become one: a defect first, then no, then could not tell, then what asks for somebody. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  const order: readonly ExitCode[] = [70, 143, 130, 2, 1, 3, 4, 6, 5];
  return order.find((code) => codes.includes(code)) ?? EXIT.yes;
}

/** The name of an operating-system error, else null. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : null;
}

function match(table: readonly (readonly [string, ExitCode])[], code: string): ExitCode | undefined {
  return table.find(([prefix]) => code.startsWith(prefix))?.[1];
}
