// SPDX-License-Identifier: Apache-2.0
import { createServer, type AddressInfo, type Server } from 'node:net';
import { decodeHex } from '@witnessmark/core';
import { afterEach, describe, expect, it } from 'vitest';
import {
  blankChip,
  DeviceBay,
  SerprogClient,
  SerprogServer,
  SpiNorChip,
  SpiNorFlash,
  W25Q80_BOARD,
} from '../../src/index.ts';

const UNIQUE_ID = decodeHex('d2651c0b1f3a7788');
const open: { close: () => unknown }[] = [];

afterEach(async () => {
  for (const resource of open.splice(0)) await resource.close();
});

describe('SerprogClient', () => {
  it('reads JEDEC id, unique id, status and content over the wire', async () => {
    const bay = new DeviceBay(new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: UNIQUE_ID })));
    const { signal } = new AbortController();
    const client = await SerprogClient.open(await serve(bay), signal);
    expect(await client.readProgrammerName()).toBe('WITNESSMARK-SIM');
    const flash = new SpiNorFlash(client, signal);
    expect(await flash.readJedecId()).toBe('ef4014');
    expect(await flash.readUniqueId(8)).toEqual(UNIQUE_ID);
    await flash.writeStatus({ statusRegister1: 0x84, statusRegister2: 0 }, 'kept');
    expect(await flash.readStatus()).toEqual({ statusRegister1: 0x84, statusRegister2: 0 });
    expect((await flash.read({ address: 10, length: 200_000 })).every((byte) => byte === 0xff)).toBe(true);
    await client.close();
    expect(bay.chip?.isPowered).toBe(false);
    await client.close();
  });

  it('says LS-403 when nobody listens', async () => {
    const server = await SerprogServer.open({ bay: new DeviceBay() });
    const address = { host: server.host, port: server.port };
    await server.close();
    await expect(SerprogClient.open(address, new AbortController().signal)).rejects.toMatchObject({ code: 'LS-403' });
  });

  it('loses the link in the middle of an operation', async () => {
    const bay = new DeviceBay(new SpiNorChip(blankChip({ ...W25Q80_BOARD, uniqueId: UNIQUE_ID })));
    const { signal } = new AbortController();
    const client = await SerprogClient.open(await serve(bay), signal);
    bay.dropLinkAfter(0);
    const flash = new SpiNorFlash(client, signal);
    await expect(flash.readJedecId()).rejects.toMatchObject({ code: 'ERR_DEVICE_LINK' });
    await expect(flash.readJedecId()).rejects.toMatchObject({ code: 'ERR_DEVICE_LINK' });
    await client.close();
  });

  it.each([
    ['does not synchronize', ['0606']],
    ['speaks another version', ['1506', '060200']],
    ['has no SPI operation', ['1506', '060100', `06${'00'.repeat(32)}`]],
    ['refuses the SPI bus', ['1506', '060100', `06${'ff'.repeat(32)}`, '15']],
    ['sends more than was asked for', ['150600', '060100']],
    ['floods', ['15'.repeat(80_000)]],
  ])('refuses a programmer that %s', async (_name, answers) => {
    const address = await serveAnswers(answers);
    const opening = SerprogClient.open(address, AbortSignal.timeout(5_000));
    await expect(opening).rejects.toMatchObject({ code: 'ERR_DEVICE_PROTOCOL' });
  });

  it('stops waiting for a silent programmer when it is told to', async () => {
    const address = await serveAnswers([]);
    const controller = new AbortController();
    const opening = SerprogClient.open(address, controller.signal);
    setTimeout(() => {
      controller.abort();
    }, 20);
    await expect(opening).rejects.toThrow();
  });
});

async function serve(bay: DeviceBay): Promise<SerprogServer> {
  const server = await SerprogServer.open({ bay });
  open.push(server);
  return server;
}

/** A programmer that gives fixed answers, one for each piece that arrives. */
async function serveAnswers(answers: readonly string[]): Promise<{ host: string; port: number }> {
  const left = answers.map(decodeHex);
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      const answer = left.shift();
      if (answer !== undefined) socket.write(answer);
    });
    open.push({ close: () => socket.destroy() });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => server.close() });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}
