// SPDX-License-Identifier: Apache-2.0
/**
 * Reconciliation of accounts that do not fit into memory: both are spread over files by the digest that was signed, so
 * that what belongs together meets in one file, and the files are balanced one after the other.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  againstToken,
  reconcile,
  type LoggedSignature,
  type Reconciliation,
  type ReconcileInput,
} from './reconcile.ts';
import type { AccountedRequest } from './service/account.ts';

const FILES = 256;
/** Of one file, before it is written to. */
const BUFFER_LENGTH = 32 * 1024;
/** More than anybody reads; the number of all is told. */
const MAX_FINDINGS = 1_000;

export interface SpooledReconciliation extends Reconciliation {
  /** Of all findings; `findings` holds the first of them. */
  readonly findingCount: number;
}

type Line = { readonly request: AccountedRequest } | { readonly logged: LoggedSignature };

export class ReconcileSpool {
  readonly #directory: string;
  readonly #files = new Map<number, { readonly file: number; text: string }>();
  readonly #made = new Map<string, { signed: number; unknown: number }>();

  /** Works in a new folder below `directory`, which {@link finish} and {@link discard} remove. */
  constructor(directory: string) {
    this.#directory = mkdtempSync(join(directory, 'reconcile-'));
  }

  /** Keys that were asked for anything. */
  get keyids(): ReadonlySet<string> {
    return new Set(this.#made.keys());
  }

  addRequest(request: AccountedRequest): void {
    const made = this.#made.get(request.keyid) ?? { signed: 0, unknown: 0 };
    if (request.outcome !== 'failed') made[request.outcome] += 1;
    this.#made.set(request.keyid, made);
    this.#add(request.digest, { request });
  }

  addLogged(logged: LoggedSignature): void {
    this.#add(logged.digest, { logged });
  }

  /** Balances everything that was added. */
  finish(input: Omit<ReconcileInput, 'requests' | 'logged'>): SpooledReconciliation {
    const { keyids, token } = input;
    const sum = { signed: 0, failed: 0, unknown: 0, logged: 0 };
    const findings: Reconciliation['findings'][number][] = [];
    let findingCount = 0;
    const keep = (found: Reconciliation['findings']): void => {
      findingCount += found.length;
      findings.push(...found.slice(0, Math.max(0, MAX_FINDINGS - findings.length)));
    };
    try {
      for (const [number, spooled] of this.#files) {
        this.#flush(spooled);
        const lines = readFileSync(this.#path(number), 'utf8').trimEnd().split('\n').map(toLine);
        const part = reconcile({
          ...input,
          token: null,
          requests: lines.flatMap((line) => ('request' in line ? [line.request] : [])),
          logged: lines.flatMap((line) => ('logged' in line ? [line.logged] : [])),
        });
        sum.signed += part.signed;
        sum.failed += part.failed;
        sum.unknown += part.unknown;
        sum.logged += part.logged;
        keep(part.findings);
      }
    } finally {
      this.discard();
    }
    if (token !== null) keep([...againstToken(this.#made, token.counts, keyids), ...token.findings]);
    const tokenSignatures = token?.counts.reduce((total, { signatures }) => total + signatures, 0) ?? null;
    return { ...sum, tokenSignatures, findings, findingCount };
  }

  discard(): void {
    for (const { file } of this.#files.values()) closeSync(file);
    this.#files.clear();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #add(digest: string, line: Line): void {
    const number = Number.parseInt(digest.slice(0, 2), 16) % FILES;
    let spooled = this.#files.get(number);
    if (spooled === undefined) {
      spooled = { file: openSync(this.#path(number), 'wx', 0o600), text: '' };
      this.#files.set(number, spooled);
    }
    spooled.text += `${JSON.stringify(line)}\n`;
    if (spooled.text.length > BUFFER_LENGTH) this.#flush(spooled);
  }

  #flush(spooled: { readonly file: number; text: string }): void {
    writeSync(spooled.file, spooled.text);
    spooled.text = '';
  }

  #path(number: number): string {
    return join(this.#directory, String(number));
  }
}

function toLine(text: string): Line {
  return JSON.parse(text) as Line;
}
