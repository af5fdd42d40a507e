// SPDX-License-Identifier: Apache-2.0
/** A22: what somebody with a debugger finds in a station that has just programmed a sealed release. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { parseSealedImage } from '@witnessmark/boundary';
import { blankChip, DeviceBay, SerprogServer, SpiNorChip, W25Q80_BOARD } from '@witnessmark/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unwrapContentKey } from '../../../packages/boundary/test/support/content-key.ts';
import { hasProgram } from './programs.ts';
import { MAIN, SOURCE_CONDITION } from './run.ts';
import { expectDone, TestLine, TestSite } from './site.ts';

const UNIQUE_ID = Uint8Array.of(0xd2, 0x65, 0x1c, 0x0b, 0x1f, 0x3a, 0x77, 0x31);
const CHUNK_BYTES = 16 * 1024 * 1024;
const MARKER_BYTES = 32;

let site: TestSite;
let line: TestLine;

describe.skipIf(!hasProgram('/usr/sbin/flashrom'))('needs flashrom: a station after a sealed release', () => {
  beforeAll(async () => {
    site = await TestSite.make();
    await expectDone(site.propose('1.0.0', '--sealed'));
    for (const approver of ['anna', 'ben']) await expectDone(await site.approve('P-0001', approver));
    line = await TestLine.start(site.data);
  }, 60_000);
  afterAll(async () => {
    await line.end('SIGTERM');
    site.remove();
  });

  it(
    'A22: does not hold the content key in memory any more; the label of the unit is found there',
    {
      timeout: 120_000,
    },
    async () => {
      const chip = new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: UNIQUE_ID }));
      const server = await SerprogServer.open({ bay: new DeviceBay(chip) });
      const device = `flashrom:127.0.0.1:${server.port},chip=W25Q80.V`;
      const made = await expectDone(['station', 'label', '--data', site.data, '--device', device]);
      const label = made.stdout.trim();
      const argv = site.station('run', device, line.url);
      const child = spawn(process.execPath, [SOURCE_CONDITION, MAIN, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        child.stdin.write(`${label}\n`);
        await heard(child, 'PASS');
        const found = searchMemory(child.pid ?? 0, [Buffer.from(label), contentKey()]);
        expect(found).toEqual([true, false]);
      } finally {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
        await server.close();
      }
      expect(chip.snapshot().memory.subarray(0, 16 * 1024)).toEqual(new Uint8Array(readFileSync(site.image)));
    },
  );
});

/** As the line opens it: with its own key, from the envelope in the repository. */
function contentKey(): Buffer {
  const folder = join(site.data, 'trust');
  const [name = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.cms'),
  );
  const privateKey = createPrivateKey(readFileSync(site.key('unsealing-line-1')));
  const [recipient] = parseSealedImage(Uint8Array.from(readFileSync(join(folder, name)))).recipients;
  if (recipient === undefined) throw new Error('the image is sealed to nobody');
  const spki = Buffer.from(recipient.ephemeralKey.spki);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const secret = Uint8Array.from(diffieHellman({ privateKey, publicKey }));
  return Buffer.from(unwrapContentKey(recipient.wrappedKey, secret));
}

function heard(child: ChildProcessByStdio<Writable, Readable, null>, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part;
      if (said.includes(text)) resolve();
    });
    child.once('exit', (code) => {
      reject(new Error(`it ended with ${String(code)}: ${said}`));
    });
  });
}

/** For each marker whether it stands anywhere in the writable memory of a process, which a parent may read. */
function searchMemory(pid: number, markers: readonly Buffer[]): readonly boolean[] {
  const found = markers.map(() => false);
  const ranges = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap(
      (row) =>
        /^([0-9a-f]+)-([0-9a-f]+) rw/
          .exec(row)
          ?.slice(1, 3)
          .map((text) => Number.parseInt(text, 16)) ?? [],
    );
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (let index = 0; index < ranges.length; index += 2) {
      searchRange(memory, ranges[index] ?? 0, ranges[index + 1] ?? 0, markers, found);
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

function searchRange(memory: number, from: number, to: number, markers: readonly Buffer[], found: boolean[]): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  // Pieces overlap, so that no marker falls between two of them.
  for (let at = from; at < to; at += CHUNK_BYTES - MARKER_BYTES) {
    const length = Math.min(CHUNK_BYTES, to - at);
    let read = 0;
    try {
      read = readSync(memory, chunk, 0, length, at);
    } catch {
      // A page that was reserved and never used.
      return;
    }
    const bytes = chunk.subarray(0, read);
    for (const [index, marker] of markers.entries()) found[index] ||= bytes.includes(marker);
  }
}
