// SPDX-License-Identifier: Apache-2.0
/** Changing who is trusted by the commands alone: a new approver joins, a card is lost, the thresholds rise. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTrustedRoot } from '@witnessmark/attestation';
import { generateSoftwareKey, loadSoftwareKey, saveSoftwareKey } from '@witnessmark/custody';
import { run, type RunResult } from './run.ts';
import { expectDone, TestSite } from './site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.makeReleased();
});
afterAll(() => {
  site.remove();
});

const WHY = ['--ticket', 'SEC-7', '--reason', 'the team changes'];

class FolderFetcher extends BaseFetcher {
  override fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const path = fileURLToPath(url);
    if (!existsSync(path)) return Promise.reject(new DownloadHTTPError('not found', 404));
    return Promise.resolve(new Response(readFileSync(path)).body as ReadableStream<Uint8Array<ArrayBuffer>>);
  }
}

function propose(...more: readonly string[]): Promise<RunResult> {
  return run(['trust', 'propose', '--data', site.data, '--key', site.key('author-alex'), ...WHY, ...more]);
}

async function sign(change: string, person: string, ...more: readonly string[]): Promise<RunResult> {
  const review = await expectDone(['trust', 'review', change, '--data', site.data]);
  const typed = /--confirm ([0-9a-f]{4})$/m.exec(review.stdout)?.[1] ?? '';
  const words = ['--confirm', typed, '--meaning', 'compared with the paper', '--ticket', 'SEC-7'];
  const key = ['--key', site.key(`approver-${person}`)];
  return run(['trust', 'sign', change, '--data', site.data, ...key, ...words, ...more]);
}

function rootKey(person: string): readonly string[] {
  return ['--root-key', site.key(`root-${person}`)];
}

describe('the keys of a site', () => {
  it('A34 a new approver proves to hold the card, two of three holders sign, and the next release needs them', async () => {
    saveSoftwareKey(site.key('approver-dora'), generateSoftwareKey('ecdsa-sha2-nistp256'));
    const out = site.path('dora.json');
    const what = ['--owner', 'dora', '--role', 'approver', '--scope', 'security', '--use', 'root', '--use', 'targets'];
    await expectDone(['trust', 'enrol', '--key', site.key('approver-dora'), ...what, '--out', out]);
    expect(await propose('--enrol', out)).toMatchObject({ exit: 0 });
    // What is waited for, and by which command it comes.
    const waiting = await run(['trust', 'status', '--data', site.data]);
    expect(waiting.exit).toBe(5);
    expect(waiting.stdout).toContain(`anna (release): witnessmark trust sign T-0001 --data ${site.data} --key KEY`);
    expect(await sign('T-0001', 'anna')).toMatchObject({ exit: 0 });
    expect((await sign('T-0001', 'anna', ...rootKey('anna'))).exit).toBe(4);
    expect(await sign('T-0001', 'ben', ...rootKey('ben'))).toMatchObject({ exit: 0 });
    expect(await run(['trust', 'publish', 'T-0001', '--data', site.data])).toMatchObject({ exit: 4 });
    expect(await sign('T-0001', 'chris', ...rootKey('chris'))).toMatchObject({ exit: 0 });
    expect(await run(['trust', 'status', 'T-0001', '--data', site.data, '-qq'])).toMatchObject({ exit: 5 });
    await expectDone(['trust', 'publish', 'T-0001', '--data', site.data]);
    expect(await run(['trust', 'status', 'T-0001', '--data', site.data, '-qq'])).toMatchObject({ exit: 0 });

    await expectDone(site.propose('2.0.0'));
    await expectDone(await site.approve('P-0002', 'dora'));
    await expectDone(await site.approve('P-0002', 'anna'));
    expect(await run(['release', 'status', 'P-0002', '--data', site.data])).toMatchObject({ exit: 0 });
  });

  it('a lost card is revoked with its key id, and a stock client follows the roots', async () => {
    const { keyid } = loadSoftwareKey(site.key('approver-chris')).publicKey;
    expect(await propose('--revoke', keyid, '--revoked-at', '2026-11-20')).toMatchObject({ exit: 2 });
    expect(await propose('--revoke', keyid)).toMatchObject({ exit: 0 });
    for (const person of ['anna', 'ben']) {
      expect(await sign('T-0002', person, ...rootKey(person))).toMatchObject({ exit: 0 });
    }
    await expectDone(['trust', 'publish', 'T-0002', '--data', site.data]);
    await expectDone(site.propose('3.0.0'));
    expect(await run(await site.approve('P-0003', 'chris'))).toMatchObject({ exit: 4 });

    const exported = site.path('exported.json');
    await expectDone(['trust', 'export', '--data', site.data, '--to', exported]);
    const root = parseTrustedRoot(readFileSync(exported));
    expect(root).toMatchObject({ version: 3, revocations: [{ keyid, reason: 'the team changes' }] });
    // tuf-js as its makers publish it, from the first root to the third.
    const stock = site.path('stock');
    mkdirSync(stock);
    copyFileSync(join(site.data, 'trust-root.json'), join(stock, 'root.json'));
    const updater = new Updater({
      metadataDir: stock,
      metadataBaseUrl: pathToFileURL(join(site.data, 'trust', 'metadata')).href,
      targetDir: stock,
      targetBaseUrl: pathToFileURL(join(site.data, 'trust', 'targets')).href,
      fetcher: new FolderFetcher(),
    });
    await updater.refresh();
    const target = await updater.getTargetInfo('trusted-root.json');
    expect(readFileSync(await updater.downloadTarget(target!))).toEqual(readFileSync(exported));
    expect(JSON.parse(readFileSync(join(stock, 'root.json'), 'utf8'))).toMatchObject({ signed: { version: 3 } });
  });

  it('A39 an office that says production refuses to start with keys in files', async () => {
    const path = join(site.data, 'office.json');
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(before), environment: 'production' }));
    const refused = await run(['release', 'status', '--data', site.data]);
    expect(refused.exit).toBe(4);
    expect(refused.stderr).toContain('CU-202');
    writeFileSync(path, before);
    expect((await run(['release', 'status', 'P-0001', '--data', site.data])).exit).toBe(0);
  });
});
