// SPDX-License-Identifier: Apache-2.0
/** A released trial site in a folder of its own, and a real line server on it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSampleImage } from '@witnessmark/device';
import { MAIN, run, SOURCE_CONDITION, type RunResult } from './run.ts';

export class TestSite {
  readonly folder: string;
  readonly data: string;
  readonly image: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'witnessmark-site-'));
    this.data = join(this.folder, 'site');
    this.image = join(this.folder, 'image.bin');
    writeFileSync(
      this.image,
      buildSampleImage({ sizeBytes: 16 * 1024, version: '1.0.0', securityCounter: 1, seed: 'test' }),
    );
  }

  static async make(): Promise<TestSite> {
    const site = new TestSite();
    await expectDone(['init', '--data', site.data]);
    return site;
  }

  static async makeReleased(): Promise<TestSite> {
    const site = await TestSite.make();
    await expectDone(site.propose('1.0.0'));
    for (const approver of ['anna', 'ben']) await expectDone(await site.approve('P-0001', approver));
    return site;
  }

  key(name: string): string {
    return join(this.data, 'keys', `${name}.pem`);
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  propose(version: string, ...more: readonly string[]): readonly string[] {
    const what = ['--image', this.image, '--release-version', version, '--key', this.key('author-alex')];
    return ['release', 'propose', '--data', this.data, ...what, '--ticket', 'T-1', '--reason', 'test', ...more];
  }

  /** The command line of an approval, with the digest's characters as the approver would read them. */
  async approve(promotion: string, approver: string): Promise<readonly string[]> {
    const review = await run(['release', 'review', promotion, '--data', this.data, '--json']);
    const { review: read } = JSON.parse(review.stdout) as { review: { candidateDigest: string } };
    const words = ['--confirm', read.candidateDigest.slice(0, 4), '--meaning', 'test', '--ticket', 'T-1'];
    return ['release', 'approve', promotion, '--data', this.data, '--key', this.key(`approver-${approver}`), ...words];
  }

  /** Makes a simulated board and returns what belongs on its label. */
  async makeBoard(uniqueId: string): Promise<{ readonly device: string; readonly label: string }> {
    const chip = `simulated:${this.path(`${uniqueId}.chip`)}`;
    const made = await expectDone(['station', 'label', '--data', this.data, '--device', `${chip},uid=${uniqueId}`]);
    return { device: chip, label: made.stdout.trim() };
  }

  station(verb: 'program' | 'run', device: string, lineUrl: string, ...more: readonly string[]): readonly string[] {
    const operator = ['--operator-key', this.key('operator-olga'), '--line', lineUrl];
    return ['station', verb, '--data', this.data, '--device', device, ...operator, ...more];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class TestLine {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(data: string): Promise<TestLine> {
    const program = [SOURCE_CONDITION, MAIN, 'line', 'serve', '--data', data, '--port', '0'];
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'ignore'] });
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').once('data', (text: string) => {
        resolve(text.trim());
      });
      child.once('exit', (code) => {
        reject(new Error(`the line ended with ${String(code)}`));
      });
    });
    return new TestLine(child, url);
  }

  /** Resolves with the exit code. */
  async end(signal: 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    return ended;
  }
}

export async function expectDone(argv: readonly string[]): Promise<RunResult> {
  const result = await run(argv);
  if (result.exit !== 0) throw new Error(`${argv.slice(0, 2).join(' ')} ended with ${result.exit}: ${result.stderr}`);
  return result;
}
