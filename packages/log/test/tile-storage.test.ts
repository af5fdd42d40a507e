// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '@witnessmark/core';
import { formatEntryBundle, hashLeaf } from '@witnessmark/tlog';
import { TileStorage, type FilePort } from '../src/index.ts';
import { nodeFiles } from '../src/tiles/node-files.ts';
import { appendUnits, openLog, refusal, withTemporaryDirectory } from './fixtures.ts';

/** Writes down every step that changes something. */
function recording(steps: string[], root: string): FilePort {
  const note = (step: string, ...paths: readonly string[]): void => {
    steps.push([step, ...paths.map((path) => path.slice(root.length + 1))].join(' '));
  };
  return {
    ...nodeFiles,
    makeDirectory: async (path) => {
      await nodeFiles.makeDirectory(path);
      note('mkdir', path);
    },
    writeSynced: async (path, parts) => {
      await nodeFiles.writeSynced(path, parts);
      note('write', path);
    },
    rename: async (from, to) => {
      await nodeFiles.rename(from, to);
      note('rename', from, to);
    },
    syncDirectory: async (path) => {
      await nodeFiles.syncDirectory(path);
      note('sync', path);
    },
  };
}

describe('TileStorage', () => {
  it(
    'I5: tiles and their names are durable before the checkpoint is replaced, the checkpoint comes last',
    withTemporaryDirectory(async (directory) => {
      const steps: string[] = [];
      const root = join(directory, 'log');
      const tiles = new TileStorage(root, recording(steps, root));
      const { log, close } = await openLog(directory, { tiles });
      for (let round = 0; round < 3; round += 1) {
        await appendUnits(
          log,
          Array.from({ length: 300 }, (_, number) => encodeUtf8(`${round} ${number}`)),
          `r${round}-`,
        );
        steps.length = 0;
        await log.publish();
        checkOrder(steps);
      }
      await close();
    }),
  );

  it(
    'syncs the name of every directory it creates',
    withTemporaryDirectory(async (directory) => {
      const steps: string[] = [];
      const root = join(directory, 'log');
      const tiles = new TileStorage(root, recording(steps, root));
      await placed(tiles, [{ path: 'tile/0/x001/x234/067', parts: [new Uint8Array(1)] }]);
      for (const path of ['tile', 'tile/0', 'tile/0/x001', 'tile/0/x001/x234']) {
        const parent = dirname(path) === '.' ? '' : dirname(path);
        expect(steps.indexOf(`sync ${parent}`)).toBeGreaterThan(-1);
        expect(steps.lastIndexOf(`sync ${parent}`)).toBeGreaterThan(steps.indexOf(`mkdir ${path}`));
      }
    }),
  );

  it(
    'reads a full tile or bundle where a partial one is gone',
    withTemporaryDirectory(async (directory) => {
      const tiles = new TileStorage(directory);
      const entries = Array.from({ length: 256 }, (_, number) => encodeUtf8(`${number}`));
      await placed(tiles, [
        { path: 'tile/0/000', parts: entries.map(hashLeaf) },
        { path: 'tile/entries/000', parts: [formatEntryBundle(entries)] },
      ]);
      expect(await tiles.readTile({ level: 0, index: 0, width: 7 })).toEqual(entries.slice(0, 7).map(hashLeaf));
      expect(await tiles.readEntries(0, 7)).toEqual(entries.slice(0, 7));
      expect(await tiles.readEntries(0, 256)).toHaveLength(256);
    }),
  );

  it(
    'A57, I18: says which file is missing or has another length',
    withTemporaryDirectory(async (directory) => {
      const tiles = new TileStorage(directory);
      await expect(tiles.readTile({ level: 0, index: 3, width: 7 })).rejects.toThrow(refusal('LG-101'));
      await expect(tiles.readEntries(3, 7)).rejects.toThrow('tile/entries/003.p/7 does not exist');
      await placed(tiles, [
        { path: 'tile/0/003.p/7', parts: [new Uint8Array(6 * 32)] },
        { path: 'tile/entries/003.p/7', parts: [formatEntryBundle([encodeUtf8('x')])] },
      ]);
      await expect(tiles.readTile({ level: 0, index: 3, width: 7 })).rejects.toThrow(refusal('LG-103'));
      await expect(tiles.readEntries(3, 7)).rejects.toThrow(refusal('LG-102'));
    }),
  );

  it(
    'sweeps what an interrupted write left, and starts without a directory',
    withTemporaryDirectory(async (directory) => {
      const root = join(directory, 'log');
      await new TileStorage(root).sweep();
      mkdirSync(join(root, '.staging'), { recursive: true });
      writeFileSync(join(root, '.staging/17'), 'torn');
      await new TileStorage(root).sweep();
      expect(readdirSync(join(root, '.staging'))).toEqual([]);
    }),
  );

  it(
    'removes partial tiles once the full one is there, and nothing else',
    withTemporaryDirectory(async (directory) => {
      const { log, close } = await openLog(directory);
      const entries = Array.from({ length: 600 }, (_, number) => encodeUtf8(`${number}`));
      await appendUnits(log, entries.slice(0, 100));
      await log.publish();
      await appendUnits(log, entries.slice(100, 200), 'v');
      await log.publish();
      const at = (path: string): boolean => existsSync(join(directory, 'log/tile', path));
      expect([at('0/000.p/100'), at('0/000.p/200'), at('entries/000.p/100')]).toEqual([true, true, true]);
      await appendUnits(log, entries.slice(200, 300), 'w');
      await log.publish();
      expect([at('0/000.p'), at('entries/000.p'), at('0/000'), at('entries/000')]).toEqual([false, false, true, true]);
      expect([at('0/001.p/44'), at('1/000.p/1')]).toEqual([true, true]);
      await close();
    }),
  );
});

function checkOrder(steps: readonly string[]): void {
  const checkpoint = steps.findIndex((step) => step.endsWith(' checkpoint'));
  expect(steps[checkpoint]).toMatch(/^rename \.staging\/\d+ checkpoint$/);
  expect(steps.slice(checkpoint + 1)).toEqual(['sync ']);
  const renames = steps.slice(0, checkpoint).filter((step) => step.startsWith('rename'));
  expect(renames.length).toBeGreaterThan(2);
  for (const [position, step] of steps.entries()) {
    const [operation, from, to] = step.split(' ');
    if (operation !== 'rename' || from === undefined || to === undefined) continue;
    expect(steps.slice(0, position)).toContain(`write ${from}`);
    const parent = dirname(to) === '.' ? '' : dirname(to);
    const synced = steps.findIndex((other, at) => at > position && other === `sync ${parent}`);
    expect(synced).toBeGreaterThan(position);
    if (to !== 'checkpoint') expect(synced).toBeLessThan(checkpoint);
  }
}

async function placed(tiles: TileStorage, files: Parameters<TileStorage['place']>[0]): Promise<void> {
  await tiles.place(files);
  await tiles.syncNames();
}
