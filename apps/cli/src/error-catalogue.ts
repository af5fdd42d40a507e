// SPDX-License-Identifier: Apache-2.0
/**
 * What each ERR_ code means and what to do next; docs/errors.md and `explain` read it. The type makes the compiler
 * refuse a code that is missing here. Refusals have reason codes instead: packages/core/src/reason-codes.
 */
import type { ApiErrorCode } from '@witnessmark/api';
import type { AttestationErrorCode } from '@witnessmark/attestation';
import type { BoundaryErrorCode } from '@witnessmark/boundary';
import type { BuildRecordErrorCode } from '@witnessmark/build-record';
import type { BundleErrorCode } from '@witnessmark/bundle';
import type { CoreErrorCode } from '@witnessmark/core';
import type { CustodyErrorCode } from '@witnessmark/custody';
import type { DeviceErrorCode } from '@witnessmark/device';
import type { EnrolmentErrorCode } from '@witnessmark/enrolment';
import type { GateErrorCode } from '@witnessmark/gate';
import type { LineErrorCode } from '@witnessmark/line';
import type { LogErrorCode } from '@witnessmark/log';
import type { StationErrorCode } from '@witnessmark/station';
import type { StoreErrorCode } from '@witnessmark/store';
import type { TlogErrorCode } from '@witnessmark/tlog';
import type { TrustErrorCode } from '@witnessmark/trust';
import type { CliErrorCode } from './error.ts';

interface ErrorEntry {
  readonly meaning: string;
  readonly next: string;
}

type ErrorCode =
  | CoreErrorCode
  | AttestationErrorCode
  | TlogErrorCode
  | BundleErrorCode
  | TrustErrorCode
  | CustodyErrorCode
  | StoreErrorCode
  | LogErrorCode
  | GateErrorCode
  | BoundaryErrorCode
  | BuildRecordErrorCode
  | DeviceErrorCode
  | EnrolmentErrorCode
  | ApiErrorCode
  | StationErrorCode
  | LineErrorCode
  | CliErrorCode;

const DAMAGED = 'The bytes are damaged or made by another program; get the file again from its owner.';
const RESTART = 'Start it again: it reads everything anew and says what it finds. Keep the disk as it is.';
const KEY = 'Do not use this key; have its owner make a new one.';

export const ERROR_CATALOGUE = {
  ERR_CORE_UTF8: { meaning: 'The bytes are not valid UTF-8.', next: DAMAGED },
  ERR_CORE_HEX: { meaning: 'The text is not lower-case hexadecimal.', next: DAMAGED },
  ERR_CORE_BASE64: { meaning: 'The text is not standard padded base64.', next: DAMAGED },
  ERR_CORE_WORDS: {
    meaning: 'A word is not one of the PGP word list, or stands at the wrong place.',
    next: 'Have the words read again, one by one.',
  },
  ERR_JSON_TOO_LARGE: { meaning: 'The JSON text is larger than this kind of file may be.', next: DAMAGED },
  ERR_JSON_TOO_DEEP: { meaning: 'The JSON text is nested deeper than any file of ours.', next: DAMAGED },
  ERR_JSON_TOO_MANY_VALUES: { meaning: 'The JSON text holds more values than any file of ours.', next: DAMAGED },
  ERR_JSON_SYNTAX: { meaning: 'The text is not JSON.', next: DAMAGED },
  ERR_JSON_DUPLICATE_KEY: { meaning: 'A JSON object has one key twice; readers would disagree.', next: DAMAGED },
  ERR_JSON_FORBIDDEN_KEY: { meaning: 'A JSON object has a key that attacks careless readers.', next: DAMAGED },
  ERR_JSON_NUMBER: { meaning: 'A JSON number is out of the range that every reader agrees on.', next: DAMAGED },
  ERR_JSON_SURROGATE: { meaning: 'A JSON string holds half a character.', next: DAMAGED },
  ERR_KEY_ENCODING: { meaning: 'The public key is not a P-256 or Ed25519 key in its one encoding.', next: KEY },
  ERR_KEY_NOT_ON_CURVE: { meaning: 'The public key is not a point of its curve.', next: KEY },
  ERR_KEY_LOW_ORDER: { meaning: 'The public key has low order: anybody could sign for it.', next: KEY },
  ERR_DSSE_TOO_LARGE: { meaning: 'The envelope is larger than a log entry may be.', next: DAMAGED },
  ERR_DSSE_FORMAT: { meaning: 'The bytes are not a DSSE envelope.', next: DAMAGED },
  ERR_DSSE_PAYLOAD_TYPE: { meaning: 'The envelope holds another kind of payload.', next: DAMAGED },
  ERR_DSSE_THRESHOLD: {
    meaning: 'Fewer trusted keys signed the envelope than are needed.',
    next: 'Compare its key ids with the trusted root; treat the content as unproven.',
  },
  ERR_NOTE_TOO_LARGE: { meaning: 'The signed note is too large.', next: DAMAGED },
  ERR_NOTE_FORMAT: { meaning: 'The bytes are not a signed note.', next: DAMAGED },
  ERR_NOTE_SIGNATURE: {
    meaning: 'A signature of a known key on the note does not verify.',
    next: 'Treat the note as forged; keep it.',
  },
  ERR_NOTE_UNVERIFIED: {
    meaning: 'No trusted key signed the note.',
    next: 'Compare the key name with the trusted root.',
  },
  ERR_NOTE_VERIFIER_KEY: { meaning: 'The text is not a verifier key (name+id+key).', next: DAMAGED },
  ERR_TIME_FORMAT: {
    meaning: 'The text is not an RFC 3339 time in UTC.',
    next: 'Write it like 2026-11-20T08:00:00Z.',
  },
  ERR_STATEMENT_FORMAT: { meaning: 'The payload is not a statement we know.', next: DAMAGED },
  ERR_STATEMENT_PREDICATE_TYPE: { meaning: 'The statement is of another type than is needed here.', next: DAMAGED },
  ERR_DOCUMENT_FORMAT: { meaning: 'The document breaks its schema.', next: DAMAGED },
  ERR_HARDWARE_ID: {
    meaning: 'The hardware identifier is one that no part has.',
    next: 'Reseat the unit; check the programmer and its cable.',
  },
  ERR_LABEL_FORMAT: {
    meaning: 'The text is not a serial of the form SKU-XXXX-XXXX-XXXX.',
    next: 'Scan the label of the unit, not of the box or the work order.',
  },
  ERR_TLOG_CHECKPOINT: { meaning: 'The text is not a checkpoint.', next: DAMAGED },
  ERR_TLOG_CHECKPOINT_EXTENSION: {
    meaning: 'The checkpoint has extension lines, which this log never writes.',
    next: DAMAGED,
  },
  ERR_TLOG_CHECKPOINT_ORIGIN: {
    meaning: 'The checkpoint is of another log.',
    next: 'Compare the origin with the trusted root.',
  },
  ERR_TLOG_CONSISTENCY_PROOF: {
    meaning: 'One tree of the log does not extend the other.',
    next: 'Keep both checkpoints: together they may prove a forked log.',
  },
  ERR_TLOG_COSIGNATURE: { meaning: 'The cosignature is malformed.', next: DAMAGED },
  ERR_TLOG_ENTRY_BUNDLE: { meaning: 'The entry bundle does not hold its entries.', next: DAMAGED },
  ERR_TLOG_ENTRY_TOO_LARGE: { meaning: 'An entry has at most 65,535 bytes.', next: DAMAGED },
  ERR_TLOG_FRONTIER: { meaning: 'The hashes do not fit the size of the tree.', next: DAMAGED },
  ERR_TLOG_INCLUSION_PROOF: {
    meaning: 'The entry is not at the stated place of the log.',
    next: 'Treat the record as altered.',
  },
  ERR_TLOG_LOG_PROOF: { meaning: 'The text is not a log proof.', next: DAMAGED },
  ERR_TLOG_TILE: { meaning: 'The tile has another length than its name says.', next: DAMAGED },
  ERR_TLOG_TILE_PATH: { meaning: 'The path is not one of a tile.', next: DAMAGED },
  ERR_BUILD_RECORD_FORMAT: {
    meaning: 'The bytes are not a build manifest in its one canonical form.',
    next: 'Use the file that "witnessmark" wrote, unchanged.',
  },
  ERR_BUILD_RECORD_UNREADABLE: {
    meaning: 'Part of this machine cannot be read, so what it is made of cannot be told.',
    next: 'Give the station the rights to read the file named, then measure again.',
  },
  ERR_BUILD_RECORD_DIRECTORY: {
    meaning: 'A directory that must be new or empty holds something.',
    next: 'Name another directory.',
  },
  ERR_ENROLMENT_FORMAT: {
    meaning: 'The bytes are not an enrolment, an answer, a certificate or a TPM quote we read.',
    next: DAMAGED,
  },
  ERR_ENROLMENT_PAPER: {
    meaning: 'The fingerprint was not typed as it stands on the paper.',
    next: 'Look at the group that is named, and type the fingerprint again.',
  },
  ERR_ENROLMENT_MACHINE: {
    meaning: 'Part of this machine cannot be read, so nobody can tell which machine it is.',
    next: 'Give the station the rights to read the file named, then try again.',
  },
  ERR_ENROLMENT_TPM: {
    meaning: 'The TPM or tpm2-tools gave no answer.',
    next: 'Check that tpm2-tools is installed, the resource manager runs, and the handle names the right key.',
  },
  ERR_ENROLMENT_TLS: {
    meaning: 'The key of a connection cannot be used as it is named.',
    next: 'Check the reference, the PIN and the token; install libengine-pkcs11-openssl for a key in a token.',
  },
  ERR_BUNDLE_TOO_LARGE: { meaning: 'The evidence file is larger than one may be.', next: DAMAGED },
  ERR_BUNDLE_FORMAT: { meaning: 'The bytes are not a unit evidence file.', next: DAMAGED },
  ERR_TRUST_UNREACHABLE: {
    meaning: 'The trust repository does not answer, so nothing could be told.',
    next: 'Check the line server, or the medium; then try again.',
  },
  ERR_TRUST_MEMORY: {
    meaning: 'What this client remembers of the trust repository is damaged.',
    next: 'Keep the file; a security officer decides whether the station starts anew.',
  },
  ERR_TRUST_FILE: { meaning: 'A file of the trust repository cannot be read.', next: 'Check the disk or the medium.' },
  ERR_TRUST_FILE_TOO_LARGE: { meaning: 'A file of the trust repository is larger than any of ours.', next: DAMAGED },
  ERR_TRUST_EXISTS: {
    meaning: 'The folder holds a repository already, or something that is none.',
    next: 'Choose an empty or new folder.',
  },
  ERR_TRUST_NOT_UPDATED: {
    meaning: 'Targets were asked for before the metadata was updated.',
    next: 'Try again.',
  },
  ERR_CUSTODY_KEY_REFERENCE: {
    meaning: 'The text names no key: it is no path, no PKCS#11 URI and no reference to custody that we read.',
    next: 'Compare it with "Key references" in spec/configuration.md.',
  },
  ERR_CUSTODY_KEY_FILE: {
    meaning: 'The key file cannot be read.',
    next: 'Check the path, and that the file is a private key in PKCS#8.',
  },
  ERR_CUSTODY_KEY_EXISTS: {
    meaning: 'A key file is never overwritten.',
    next: 'Choose another folder, or move the old key away on purpose.',
  },
  ERR_CUSTODY_KEY_MODE: {
    meaning: 'Others can read the key file.',
    next: 'Run chmod 600 on it, and think about who may have copied it.',
  },
  ERR_CUSTODY_SIGN: { meaning: 'The key could not sign.', next: 'Check the token, then try again.' },
  ERR_STORE_CONFLICT: {
    meaning: 'The views do not allow the change that was asked for.',
    next: 'See which unit, label or key is taken already.',
  },
  ERR_STORE_ROW: { meaning: 'A row breaks the schema of the database.', next: 'Rebuild the database from the log.' },
  ERR_STORE_STALE_HEAD: {
    meaning: 'Somebody else wrote to the store.',
    next: 'Stop one of the two, then start again.',
  },
  ERR_STORE_FULL: { meaning: 'The disk is full; nothing of this was stored.', next: 'Free space, then try again.' },
  ERR_STORE_IO: { meaning: 'The disk failed; what was stored is not known.', next: RESTART },
  ERR_STORE_CORRUPT: { meaning: 'The database file is damaged.', next: 'Keep it; rebuild the database from the log.' },
  ERR_STORE_SCHEMA: {
    meaning: 'The database was made by another version of this program.',
    next: 'Use the version that made it, or rebuild the database from the log.',
  },
  ERR_STORE_DURABILITY: {
    meaning: 'The database would not make writes durable.',
    next: 'Put it on a local file system that keeps its promises.',
  },
  ERR_STORE_CLOSED: { meaning: 'The store is closed.', next: 'Start the line again.' },
  ERR_LOG_FATAL: { meaning: 'The log cannot know what is stored and has stopped.', next: RESTART },
  ERR_LOG_CLOSED: { meaning: 'The log is closed.', next: 'Start the line again.' },
  ERR_LOG_OVERLOADED: { meaning: 'More waits than the log takes on; nothing was stored.', next: 'Try again later.' },
  ERR_LOG_ENTRY_SIZE: { meaning: 'An entry has 1 to 65,535 bytes.', next: 'Make the record smaller.' },
  ERR_LOG_ENTRY_CHANGED: {
    meaning: 'The bytes of an entry changed in memory before they were stored.',
    next: 'Check the memory of this machine.',
  },
  ERR_LOG_INDEX: { meaning: 'The log has no entry of that number.', next: 'See "witnessmark log show" for its size.' },
  ERR_BOUNDARY_FILE: {
    meaning: 'A file or directory is missing, cannot be read, or is there already.',
    next: 'Check the path, and that the medium is still mounted.',
  },
  ERR_BOUNDARY_LIST: { meaning: 'The file is not a list of files or of debug contents.', next: DAMAGED },
  ERR_BOUNDARY_RECIPIENT: {
    meaning: 'The text is no age recipient or identity.',
    next: 'Ask the recipient for the line that begins with age1; identities begin with AGE-SECRET-KEY-1.',
  },
  ERR_BOUNDARY_SIGNATURE: {
    meaning: 'A key signed other bytes than it was given; nothing was stored.',
    next: 'Do not use this token until it is qualified again.',
  },
  ERR_GATE_BUSY: { meaning: 'Somebody else changes something at this gate right now.', next: 'Try again.' },
  ERR_GATE_FILE: { meaning: 'A file of the gate is missing or cannot be read.', next: 'Check the path and the disk.' },
  ERR_GATE_SIGNATURE: {
    meaning: 'The key did not sign the bytes it was given; nothing was stored.',
    next: 'Do not use this token or this machine; tell the security officer.',
  },
  ERR_DEVICE_LINK: {
    meaning: 'The programmer or device stopped answering; what was asked may or may not have happened.',
    next: 'Check the cable; run the unit again, which reads it back first.',
  },
  ERR_DEVICE_PROTOCOL: {
    meaning: 'The programmer answered something its protocol does not allow.',
    next: 'Check that the address is that of a programmer.',
  },
  ERR_DEVICE_TOOL: {
    meaning: 'The programming tool ended in a way that says nothing about the device.',
    next: 'Run the unit again, which reads it back first.',
  },
  ERR_DEVICE_PROFILE: {
    meaning: 'The device profile cannot be read, or describes no board a driver can work with.',
    next: 'Compare it with spec/device-profile.md.',
  },
  ERR_DEVICE_CHIP_FILE: {
    meaning: 'The file of the simulated chip is missing, damaged or of another chip.',
    next: 'Make it with "witnessmark station label --device simulated:PATH,uid=HEX".',
  },
  ERR_STATION_JOURNAL_DAMAGED: {
    meaning: 'A journal file holds bytes this station did not leave there.',
    next: 'Keep the folder as it is and tell the security officer.',
  },
  ERR_STATION_JOURNAL_FULL: {
    meaning: 'Too much waits to be recorded.',
    next: 'Bring the line server back; the station works off what waits.',
  },
  ERR_STATION_STORAGE: { meaning: 'The disk of the station failed.', next: RESTART },
  ERR_STATION_DEVICE_UNKNOWN: {
    meaning: 'The device gave no answer; it may or may not have changed.',
    next: 'Leave the unit in the fixture and run again: it is read back.',
  },
  ERR_STATION_SLOT_OPEN: {
    meaning: 'A slot that is not configured any more holds units that are not finished.',
    next: 'Add the slot to station.json again and let it finish them.',
  },
  ERR_STATION_LOCKED: {
    meaning: 'Another process works on the folder of this station.',
    next: 'Stop one of the two.',
  },
  ERR_LINE_CONFIG: { meaning: 'The rules of the line are not valid.', next: 'Correct the named members of line.json.' },
  ERR_LINE_BADGES: {
    meaning: 'A PIN or a PIN record of a badge is not acceptable.',
    next: 'Choose a PIN of 6 to 12 digits that is no run; enrol the badge anew when its record is damaged.',
  },
  ERR_LINE_CLOSED: { meaning: 'The line is ending.', next: 'Start it again.' },
  ERR_API_UNREACHABLE: {
    meaning: 'The line server gave no answer, so the outcome is not known.',
    next: 'Check that the line runs, then try again: a repeated request has its effect once.',
  },
  ERR_API_PROTOCOL: {
    meaning: 'The two ends do not speak the same API.',
    next: 'Check the address, and that line and station are of one version.',
  },
  ERR_CLI_USAGE: { meaning: 'The command line is not understood.', next: 'See --help of the command.' },
  ERR_CLI_ANSWER_MISSING: {
    meaning: 'A question has no answer.',
    next: 'Give the named flag; without a terminal nobody is asked.',
  },
  ERR_CLI_CONFIG: {
    meaning: 'A configuration file or variable is not valid.',
    next: 'Correct the named setting; unknown settings are errors.',
  },
  ERR_CLI_DATA_DIRECTORY: {
    meaning: 'The folder is not a Witnessmark data directory, or lacks a part of one.',
    next: 'Make one with "witnessmark init --data DIR".',
  },
  ERR_CLI_DEMO_DIRECTORY: {
    meaning: 'The folder holds something the demo did not make.',
    next: 'Choose an empty or new folder with --data.',
  },
  ERR_CLI_DEMO_EQUIPMENT: {
    meaning: 'The scene talks to real card readers and tokens, and a program it needs is missing.',
    next: 'Install the packages named, and run the demo as root in a checkout.',
  },
  ERR_CLI_DEMO_STEP: {
    meaning: 'A step of the demo did not end as it must, so what comes after would show nothing.',
    next: 'Read what the command said; run it by itself with the same files.',
  },
  ERR_CLI_INPUT: { meaning: 'An input cannot be read.', next: 'Check the path, its rights and its size.' },
  ERR_CLI_UNKNOWN_UNIT: {
    meaning: 'No record of that name is known there.',
    next: 'Check what was typed; ask the other lines.',
  },
  ERR_CLI_TRANSPORT: {
    meaning: 'A program or connection this command needs does not answer.',
    next: 'Check that it runs, then try again.',
  },
  ERR_CLI_INTERRUPTED: { meaning: 'The command was interrupted.', next: 'Start it again when you are ready.' },
} as const satisfies Readonly<Record<ErrorCode, ErrorEntry>>;

export function isErrorCode(text: string): text is keyof typeof ERROR_CATALOGUE {
  return Object.hasOwn(ERROR_CATALOGUE, text);
}
