// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrustedRoot } from '@witnessmark/attestation';
import { UnsealingAccount } from '@witnessmark/boundary';
import {
  encodeBase64,
  formatInstant,
  parseEnvelope,
  preAuthEncoding,
  sha256Hex,
  WitnessmarkError,
  type Bytes,
  type Envelope,
} from '@witnessmark/core';
import {
  auditYubiHsmLogs,
  parseYubiHsmLog,
  ReconcileSpool,
  streamAccount,
  type SpooledReconciliation,
  type YubiHsmAudit,
} from '@witnessmark/custody';
import type { CommandInput, CommandResult } from '../command.ts';
import type { keysReconcileOptions } from '../options/keys.ts';
import { openCustodyPlace } from '../custody-place.ts';
import { DataDirectory } from '../data-directory.ts';
import { usageError } from '../error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { PublicLog } from '../public-log.ts';
import { LOGGED_PURPOSES } from '../purpose.ts';
import { readSealedReleases } from '../sealed-releases.ts';

const MAX_TOKEN_LOG_BYTES = 64 * 1024;
/** A log is published within seconds; a unit that waits for its line longer is worth a look. */
const DEFAULT_RECENT_SECONDS = 60;
/** Requests that may or may not have been signed; everything else is a "no". */
const CANNOT_TELL = 'CU-158';

export async function keysReconcile({
  options,
  session,
}: CommandInput<typeof keysReconcileOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const { config } = openCustodyPlace(options);
  const { data } = options;
  const spool = new ReconcileSpool(tmpdir());
  try {
    for (const request of streamAccount(config.journal)) spool.addRequest(request);
    const token = readTokenLogs(options);
    const keyids = new Set([...spool.keyids, ...token.keyids.values()]);
    const unsealings = new UnsealingAccount();
    const logs = openLogs(options);
    for (const [position, log] of logs.entries()) {
      for (const [index, entry] of log.entries()) {
        const envelope = readEnvelope(entry);
        if (envelope === null) continue;
        addSignatures(spool, envelope, `${index} of ${log.head.origin}`, keyids);
        if (position === 0) observeUnsealing(unsealings, index, envelope);
      }
    }
    const recentFrom = formatInstant(clock.now() - (options.recent ?? DEFAULT_RECENT_SECONDS) * 1000);
    const balance = spool.finish({ keyids, loggedPurposes: LOGGED_PURPOSES, recentFrom, token: token.audit });
    const sealed = data === undefined ? new Set<string>() : await readSealedReleases({ data });
    const unsealed = unsealings.reconcile((releaseId) => sealed.has(releaseId));
    const findings = [...balance.findings, ...unsealed.findings];
    for (const { code, object, detail } of findings) output.data(`${code}  ${object}: ${detail}`);
    const exit = exitOf(findings, balance);
    output.verdict(
      `${exit === EXIT.yes ? 'balanced' : `${balance.findingCount + unsealed.findings.length} findings`}: ${describe(balance, keyids.size)}`,
    );
    return {
      exit,
      document: { ...balance, findings, keyids: [...keyids], unsealings: unsealed.unsealings, units: unsealed.units },
    };
  } finally {
    spool.discard();
  }
}

function describe({ signed, failed, unknown, logged, tokenSignatures }: SpooledReconciliation, keys: number): string {
  const token = tokenSignatures === null ? '' : `, the token counts ${tokenSignatures}`;
  return `${keys} keys, ${signed} signed by custody, ${failed} failed, ${unknown} not known, ${logged} logged${token}`;
}

function exitOf(findings: readonly { readonly code: string }[], { findingCount }: SpooledReconciliation): ExitCode {
  if (findings.length === 0 && findingCount === 0) return EXIT.yes;
  return findings.every(({ code }) => code === CANNOT_TELL) && findingCount <= findings.length ? EXIT.unknown : EXIT.no;
}

function addSignatures(spool: ReconcileSpool, envelope: Envelope, entry: string, keyids: ReadonlySet<string>): void {
  const { payloadType, payload, signatures } = envelope;
  const own = signatures.filter(({ keyid }) => keyids.has(keyid));
  if (own.length === 0) return;
  const digest = sha256Hex(preAuthEncoding(payloadType, payload));
  for (const { keyid, sig } of own) spool.addLogged({ entry, keyid, digest, signature: encodeBase64(sig) });
}

/** An entry that is no envelope is for `log fsck` to find. */
function readEnvelope(entry: Bytes): Envelope | null {
  try {
    return parseEnvelope(entry);
  } catch (error) {
    if (error instanceof WitnessmarkError) return null;
    throw error;
  }
}

function observeUnsealing(account: UnsealingAccount, index: number, { payload }: Envelope): void {
  try {
    account.observe(index, payload);
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
  }
}

function openLogs(options: {
  readonly data: string | undefined;
  readonly log: readonly string[];
  readonly trust: string | undefined;
}): readonly PublicLog[] {
  const data = options.data === undefined ? undefined : DataDirectory.open(options.data);
  const trust = options.trust ?? data?.trustedRoot;
  if (trust === undefined) throw usageError('--trust (or WITNESSMARK_TRUST) or --data is missing');
  const trustedRoot = parseTrustedRoot(readFile(trust, DOCUMENT_BYTES));
  // A log that nobody has written to has no checkpoint, and holds nothing.
  const defaults =
    data === undefined ? [] : [data.log, data.officeLog].filter((path) => existsSync(join(path, 'checkpoint')));
  const directories = options.log.length > 0 ? options.log : defaults;
  if (data === undefined && directories.length === 0)
    throw usageError('--log or --data (or WITNESSMARK_DATA) is missing');
  return directories.map((directory) => new PublicLog({ directory, trustedRoot }));
}

interface TokenLogs {
  readonly audit: YubiHsmAudit | null;
  readonly keyids: ReadonlyMap<number, string>;
}

function readTokenLogs(options: {
  readonly tokenLog: readonly string[];
  readonly tokenKey: readonly string[];
}): TokenLogs {
  const keyids = new Map(options.tokenKey.map(parseTokenKey));
  if (options.tokenLog.length === 0) {
    if (keyids.size > 0) throw usageError('--token-key is given without --token-log');
    return { audit: null, keyids };
  }
  const logs = options.tokenLog.map((file) => parseYubiHsmLog(readFile(file, MAX_TOKEN_LOG_BYTES)));
  return { audit: auditYubiHsmLogs(logs, keyids), keyids };
}

function parseTokenKey(text: string): readonly [number, string] {
  const [, object, keyid] = /^(\d{1,5})=([0-9a-f]{64})$/.exec(text) ?? [];
  if (object === undefined || keyid === undefined || Number(object) > 0xffff) {
    throw usageError('--token-key takes OBJECT=KEYID: the number of the object, and the key id in hexadecimal');
  }
  return [Number(object), keyid];
}
