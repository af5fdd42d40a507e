// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RefusedError } from '@witnessmark/core';
import { formatUnitZpl, type UnitLabel } from '@witnessmark/label';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { DeviceLabelPrinter, FolderLabelPrinter, TcpLabelPrinter } from '../../src/labels/printers.ts';

const LABEL: UnitLabel = {
  sku: 'GW-210',
  printedSerial: 'GW-210-7Q3K-9ZD2-M4XT',
  lot: null,
  deviceId: 'ab'.repeat(32),
  recordDigest: 'cd'.repeat(32),
  copy: 1,
};

const directory = mkdtempSync(join(tmpdir(), 'witnessmark-printers-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => 'nothing refused',
    (error: unknown) => error,
  );
  if (outcome instanceof RefusedError) return outcome.code;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}

describe('a printer on a TCP port', () => {
  let server: Server;
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  async function listen(onSocket: (socket: Socket) => void): Promise<TcpLabelPrinter> {
    server = createServer((socket) => {
      sockets.push(socket);
      onSocket(socket.on('error', () => undefined));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new TcpLabelPrinter({ host: '127.0.0.1', port, timeoutMs: 300 });
  }

  it('gets the whole label', async () => {
    let received = '';
    const printer = await listen((socket) => {
      socket.setEncoding('latin1').on('data', (part: string) => (received += part));
      socket.on('end', () => socket.end());
    });
    await printer.print(LABEL);
    expect(received).toBe(formatUnitZpl(LABEL));
  });

  it('is silent when it hangs up in the middle, takes nothing, or is not there (LB-112)', async () => {
    expect(await codeOf((await listen((socket) => socket.resetAndDestroy())).print(LABEL))).toBe('LB-112');
    server.close();
    const mute = await listen((socket) => socket.pause());
    expect(await codeOf(mute.print(LABEL))).toBe('LB-112');
    server.close();
    for (const socket of sockets.splice(0)) socket.destroy();
    await once(server, 'close');
    expect(await codeOf(mute.print(LABEL))).toBe('LB-112');
  });
});

describe('a printer on a device file', () => {
  it('gets the whole label, through a pipe here', async () => {
    const path = join(directory, 'lp0');
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    const reader = createReadStream(path, { encoding: 'latin1' });
    let received = '';
    reader.on('data', (part) => (received += String(part)));
    const printer = new DeviceLabelPrinter({ path });
    // A pipe has a reader once somebody has opened it for reading.
    let isTaken = false;
    while (!isTaken) {
      isTaken = await printer.print(LABEL).then(
        () => true,
        () => false,
      );
    }
    await once(reader, 'close');
    expect(received).toBe(formatUnitZpl(LABEL));
  });

  it('is silent when nobody reads it, when it is not there, and when it is a plain file (LB-112)', async () => {
    const pipe = join(directory, 'lp1');
    spawnSync('mkfifo', [pipe]);
    const file = join(directory, 'lp2');
    writeFileSync(file, '');
    for (const path of [pipe, file, join(directory, 'lp3')]) {
      expect(await codeOf(new DeviceLabelPrinter({ path }).print(LABEL))).toBe('LB-112');
    }
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});

describe('a folder for labels', () => {
  it.each([
    ['zpl', /^\^XA/],
    ['png', /^\x89PNG/],
    ['svg', /^<svg /],
  ] as const)('gets a file for each label, as %s', async (form, beginning) => {
    const folder = join(directory, form);
    const printer = new FolderLabelPrinter({ directory: folder, form });
    await printer.print(LABEL);
    await printer.print({ ...LABEL, copy: 2 });
    const names = [1, 2].map((copy) => `GW-210-7Q3K-9ZD2-M4XT-${copy}.${form}`);
    expect(readdirSync(folder).sort()).toEqual(names);
    for (const name of names) expect(readFileSync(join(folder, name), 'latin1')).toMatch(beginning);
  });

  it('is silent when it cannot be written (LB-112)', async () => {
    const file = join(directory, 'no-folder');
    writeFileSync(file, '');
    expect(await codeOf(new FolderLabelPrinter({ directory: file, form: 'zpl' }).print(LABEL))).toBe('LB-112');
  });
});
