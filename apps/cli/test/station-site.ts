// SPDX-License-Identifier: Apache-2.0
/** A site whose line is behind TLS, and stations that are set up, enrolled and admitted there by the commands alone. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@witnessmark/core';
import type { StationConfig } from '../src/config.ts';
import { run, type RunResult } from './run.ts';
import { expectDone, TestLine, type TestSite } from './site.ts';

export const WHY: readonly string[] = ['--ticket', 'ST-1', '--reason', 'a new station'];

export interface SetUp {
  readonly stationKey?: string;
  readonly connectionKey?: string;
  readonly more?: readonly string[];
}

export class StationSite {
  readonly site: TestSite;
  readonly rootFingerprint: string;
  lineUrl = '';
  /** Runs what is typed at a station. */
  atStation: (argv: readonly string[]) => Promise<RunResult> = run;
  #line: TestLine | null = null;

  private constructor(site: TestSite) {
    this.site = site;
    this.rootFingerprint = sha256Hex(readFileSync(join(site.data, 'trust', 'metadata', '1.root.json')));
  }

  /** With an authority, and a line that runs with a certificate of it. */
  static async make(site: TestSite): Promise<StationSite> {
    const own = new StationSite(site);
    const authority = ['--key', site.path('ca.pem'), '--organization', 'plant-1', '--out', own.authority];
    await expectDone(['trust', 'authority', ...authority]);
    const issuer = ['--authority-key', site.path('ca.pem'), '--authority', own.authority];
    const line = ['--key', site.path('line-tls.pem'), '--host', 'localhost', '--out', site.path('line.crt')];
    await expectDone(['trust', 'certify-line', ...issuer, ...line]);
    own.editLine((config) => {
      const tls = { certificate: '../line.crt', key: '../line-tls.pem', clientAuthority: '../ca.crt' };
      // What is published is to be believed at once.
      config['rules'] = { ...(config['rules'] as object), maxTrustAgeMs: 0 };
      config['listen'] = { host: '127.0.0.1', port: 0, tls };
    });
    own.#line = await TestLine.start(site.data);
    own.lineUrl = own.#line.url.replace('127.0.0.1', 'localhost');
    return own;
  }

  get authority(): string {
    return this.site.path('ca.crt');
  }

  editLine(edit: (config: Record<string, unknown>) => void): void {
    const file = join(this.site.data, 'line.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    edit(config);
    writeFileSync(file, JSON.stringify(config));
  }

  editStation(
    name: string,
    edit: (config: { -readonly [Key in keyof StationConfig]: StationConfig[Key] }) => void,
  ): void {
    const file = join(this.data(name), 'station.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as StationConfig;
    edit(config);
    writeFileSync(file, JSON.stringify(config));
  }

  async end(): Promise<void> {
    await this.#line?.end('SIGTERM');
    this.site.remove();
  }

  data(name: string): string {
    return this.site.path(name);
  }

  init(name: string, { stationKey, connectionKey, more = [] }: SetUp = {}): Promise<RunResult> {
    return this.atStation([
      ...['station', 'init', '--data', this.data(name), '--station', name, '--line', 'line-1', '--plant', 'plant-1'],
      ...['--line-url', this.lineUrl, '--repository', join(this.site.data, 'trust')],
      ...['--root-fingerprint', this.rootFingerprint, '--sku', 'GW-210', '--hw-version', 'A'],
      ...['--station-key', stationKey ?? 'keys/station.pem'],
      ...['--connection-key', connectionKey ?? 'keys/connection.pem', ...more],
    ]);
  }

  /** The request's file, and what the station prints for paper. */
  async request(name: string, ...more: readonly string[]): Promise<{ readonly file: string; readonly paper: string }> {
    const file = this.site.path(`${name}.request.json`);
    const { stdout } = await this.atStation(['station', 'enroll', '--data', this.data(name), '--out', file, ...more]);
    const paper = stdout
      .split('\n')
      .filter((line) => /^ {6}\S/.test(line))
      .join(' ')
      .trim();
    return { file, paper };
  }

  admit(name: string, { file, paper }: { readonly file: string; readonly paper: string }): Promise<RunResult> {
    return run([
      ...['trust', 'admit', '--data', this.site.data, '--request', file, '--fingerprint', paper],
      ...['--key', this.site.key('author-alex'), '--authority-key', this.site.path('ca.pem')],
      ...['--authority', this.authority, '--out', this.answer(name), ...WHY],
    ]);
  }

  answer(name: string): string {
    return this.site.path(`${name}.answer.json`);
  }

  /** Two approvers sign the newest change, and it is published. */
  async publish(): Promise<void> {
    const where = ['--data', this.site.data];
    const status = await run(['trust', 'status', ...where, '--json']);
    const { changes } = JSON.parse(status.stdout) as { changes: { changeId: string }[] };
    const change =
      changes
        .map(({ changeId }) => changeId)
        .sort()
        .at(-1) ?? '';
    for (const person of ['anna', 'ben']) {
      const review = await expectDone(['trust', 'review', change, ...where]);
      const typed = /--confirm ([0-9a-f]{4})$/m.exec(review.stdout)?.[1] ?? '';
      const words = ['--confirm', typed, '--meaning', 'compared with the paper', '--ticket', 'ST-1'];
      await expectDone(['trust', 'sign', change, ...where, '--key', this.site.key(`approver-${person}`), ...words]);
    }
    await expectDone(['trust', 'publish', change, ...where]);
  }

  install(name: string): Promise<RunResult> {
    return this.atStation(['station', 'enroll', '--data', this.data(name), '--answer', this.answer(name)]);
  }

  /** From the work sheet to the first log entry. */
  async enrol(name: string, setUp: SetUp = {}): Promise<void> {
    const made = await this.init(name, setUp);
    if (made.exit !== 0) throw new Error(`init ended with ${made.exit}: ${made.stderr}`);
    const admitted = await this.admit(name, await this.request(name));
    if (admitted.exit !== 0) throw new Error(`admit ended with ${admitted.exit}: ${admitted.stderr}`);
    await this.publish();
    const installed = await this.install(name);
    if (installed.exit !== 0) throw new Error(`enroll ended with ${installed.exit}: ${installed.stderr}`);
  }
}
