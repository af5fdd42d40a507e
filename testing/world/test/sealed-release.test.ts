// SPDX-License-Identifier: Apache-2.0
/** A release that is sealed to the line, from the repository into a device: who holds what in clear, and what is on record. */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpLineService } from '@witnessmark/api';
import { newTransportKey, parseRecipient, UnsealingAccount, type UnsealingReconciliation } from '@witnessmark/boundary';
import { parseEnvelope, type Bytes } from '@witnessmark/core';
import { imageUnsealing, parseStatement, parseStatementHeader, PREDICATE_TYPES } from '@witnessmark/attestation';
import { generateSoftwareKeyAgreement, type KeyAgreement } from '@witnessmark/custody';
import type { DeviceDriver } from '@witnessmark/device';
import { startLineServer } from '@witnessmark/line';
import type { TransportKey } from '@witnessmark/station';
import { afterEach, describe, expect, it } from 'vitest';
import { SimBench, type BenchOptions } from '../src/sim/sim-bench.ts';
import { bindDriver, inspectBoard } from '../src/sim/sim-device.ts';
import { SimFactory } from '../src/sim/sim-factory.ts';
import { hirePeople } from '../src/sim/sim-people.ts';
import { delegateTo } from '../src/sim/sim-wire.ts';

type FactoryOptions = NonNullable<Parameters<typeof SimFactory.open>[0]>;

let factory: SimFactory;

afterEach(async () => {
  await factory.close();
});

async function openFactory(options: FactoryOptions = {}): Promise<void> {
  const people = { ...hirePeople(), unsealing: generateSoftwareKeyAgreement() };
  factory = await SimFactory.open({ people, ...options });
}

/** The payloads of the log, in order. */
async function readLog(): Promise<readonly Bytes[]> {
  const { log } = factory.line;
  const payloads: Bytes[] = [];
  for (let index = 0; index < log.size; index += 1) payloads.push(parseEnvelope(await log.readEntry(index)).payload);
  return payloads;
}

async function loggedTypes(): Promise<readonly string[]> {
  return (await readLog()).map((payload) => parseStatementHeader(payload).predicateType.split('/').at(-2) ?? '');
}

async function reconcile(): Promise<UnsealingReconciliation> {
  const account = new UnsealingAccount();
  for (const [index, payload] of (await readLog()).entries()) account.observe(index, payload);
  return account.reconcile(() => true);
}

/** Every file below a directory, with its bytes. */
function* filesIn(directory: string): Generator<readonly [path: string, bytes: Buffer]> {
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield [path, readFileSync(path)];
  }
}

/** Pieces of the image, none of which could be anywhere by chance. */
function markers(): readonly Buffer[] {
  return [0, 1024, 4096].map((at) => Buffer.from(factory.image.subarray(at, at + 16)));
}

function holdsImage(bytes: Buffer): boolean {
  return markers().some((marker) => bytes.includes(marker));
}

/** A driver that keeps the very buffers that images went through. */
function tapDriver(driver: DeviceDriver, seen: Bytes[]): DeviceDriver {
  return {
    ...bindDriver(driver),
    program: (order, options) => {
      seen.push(order.image);
      return driver.program(order, options);
    },
    readBack: async (range, options) => {
      const outcome = await driver.readBack(range, options);
      if (outcome.state === 'DONE') seen.push(outcome.value);
      return outcome;
    },
  };
}

/** A transport key that keeps the very buffers it opened. */
function tapTransportKey(seen: Bytes[]): TransportKey {
  const key = newTransportKey();
  return {
    publicKey: key.publicKey,
    open: async (envelope, recipientInfo) => {
      const image = await key.open(envelope, recipientInfo);
      expect(image).toHaveLength(factory.image.length);
      seen.push(image);
      return image;
    },
  };
}

function openBench(options: BenchOptions = {}): Promise<SimBench> {
  return SimBench.open(factory, options);
}

describe('a sealed release', () => {
  it('is programmed, recorded and verified like any other, with one phase more', async () => {
    await openFactory();
    const steps: string[] = [];
    const bench = await openBench({ ports: { onProgress: ({ step, state }) => steps.push(`${step} ${state}`) } });
    const board = factory.makeBoard();
    expect((await bench.program(board)).phase).toBe('passed');
    expect(inspectBoard(board, 0x1000, factory.image).holdsImage).toBe(true);
    expect(factory.verify((await factory.evidence(board))!).verdict).toBe('VERIFIED');
    expect(steps.indexOf('unseal done')).toBeGreaterThan(steps.indexOf('bind done'));
    expect(steps.indexOf('unseal done')).toBeLessThan(steps.indexOf('intend begun'));
  });

  it('is programmed over HTTP, where no content key is ever in clear', async () => {
    await openFactory();
    const { line, logDirectory } = factory.line;
    const trustDirectory = factory.releases.directory;
    const server = await startLineServer({ line, logDirectory, trustDirectory, host: '127.0.0.1', port: 0 });
    try {
      const answers: string[] = [];
      const client = new HttpLineService({
        baseUrl: server.url,
        timeoutMs: 10_000,
        fetch: async (...request) => {
          const response = await fetch(...request);
          if (response.url.endsWith('/unsealings')) answers.push(await response.clone().text());
          return response;
        },
      });
      const bench = await openBench({ ports: { line: client, unsealing: { line: client, newTransportKey } } });
      const board = factory.makeBoard();
      expect((await bench.program(board)).phase).toBe('passed');
      expect(inspectBoard(board, 0x1000, factory.image).holdsImage).toBe(true);
      const { contentKeys } = JSON.parse(answers[0]!) as { contentKeys: { recipientInfo: string }[] };
      const wrapped = parseRecipient(Buffer.from(contentKeys[0]!.recipientInfo, 'base64'));
      expect(wrapped.keyid).not.toBe(factory.people.unsealing!.publicKey.keyid);
      expect(await reconcile()).toEqual({ unsealings: 1, units: 1, findings: [] });
    } finally {
      await server.close();
    }
  });

  it('I2: is unsealed after the wish is in the log, and before the intent', async () => {
    const types: (readonly string[])[] = [];
    const watch = (key: KeyAgreement): KeyAgreement => ({
      publicKey: key.publicKey,
      custody: key.custody,
      agree: async (peer, use) => {
        types.push(await loggedTypes());
        return key.agree(peer, use);
      },
    });
    await openFactory({ wrapUnsealing: watch });
    const bench = await openBench();
    await bench.program(factory.makeBoard());
    expect(types.map((logged) => logged.at(-1))).toEqual(['image-unsealing']);
    expect((await loggedTypes()).slice(-3)).toEqual(['image-unsealing', 'provisioning-intent', 'provisioning-event']);
    expect(await reconcile()).toEqual({ unsealings: 1, units: 1, findings: [] });
  });

  it('A8: leaves no byte of the image on a disk: not of the station, not of the line, not in transit', async () => {
    await openFactory();
    const bench = await openBench();
    for (let count = 0; count < 2; count += 1) {
      expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
    }
    const scanned: string[] = [];
    for (const [path, bytes] of [...filesIn(factory.directory), ...bench.disk]) {
      scanned.push(path);
      expect(holdsImage(Buffer.from(bytes)), path).toBe(false);
    }
    // The cache was looked at, and holds the envelope.
    expect(scanned.some((path) => path.startsWith(factory.cacheDirectory('ST-07')))).toBe(true);
    for (const name of readdirSync(tmpdir())) {
      if (!name.startsWith('witnessmark-flashrom') && !name.startsWith('witnessmark-openocd')) continue;
      for (const [path, bytes] of filesIn(join(tmpdir(), name))) expect(holdsImage(bytes), path).toBe(false);
    }
  });

  it('A8: the same scan finds an image that is published in clear', async () => {
    factory = await SimFactory.open();
    const bench = await openBench();
    await bench.program(factory.makeBoard());
    const found = [...filesIn(factory.cacheDirectory('ST-07'))].filter(([, bytes]) => holdsImage(bytes));
    expect(found).toHaveLength(1);
  });

  it('A22: is wiped from memory when the unit is done, whatever came of it', async () => {
    await openFactory();
    const seen: Bytes[] = [];
    const bench = await openBench({
      alterDriver: (driver) => tapDriver(driver, seen),
      ports: { unsealing: { line: factory.wire, newTransportKey: () => tapTransportKey(seen) } },
    });
    expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
    // What was opened, what the driver wrote, what it read back.
    expect(seen.map(({ length }) => length)).toEqual([5000, 5000, 5000]);
    expect(seen.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  it('A22: is wiped when the intent is refused after it was opened', async () => {
    await openFactory();
    const seen: Bytes[] = [];
    const bench = await openBench({
      ports: { unsealing: { line: factory.wire, newTransportKey: () => tapTransportKey(seen) } },
    });
    const { line } = factory.line;
    factory.wire.line = {
      ...delegateTo(line),
      // The intent comes without its permit.
      submit: (statement) => line.submit(statement),
    };
    expect((await bench.program(factory.makeBoard())).code).toBe('LS-504');
    expect(seen).toHaveLength(1);
    expect(seen[0]!.every((byte) => byte === 0)).toBe(true);
    const { findings } = await reconcile();
    expect(findings.map(({ code }) => code)).toEqual(['BX-212']);
  });

  it('I14: a lost answer is asked for again, and is the same unsealing', async () => {
    await openFactory();
    const { line } = factory.line;
    const asked: Bytes[] = [];
    const bench = await openBench({
      ports: {
        retryPausesMs: [1, 1],
        unsealing: {
          newTransportKey,
          line: {
            unseal: async (statement, attachments) => {
              asked.push(statement.payload);
              const answer = await factory.wire.unseal(statement, attachments);
              if (asked.length > 1) return answer;
              factory.wire.line = null;
              return factory.wire.unseal(statement, attachments).finally(() => (factory.wire.line = line));
            },
          },
        },
      },
    });
    expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
    expect(asked).toHaveLength(2);
    expect(asked[0]).toEqual(asked[1]);
    expect(await reconcile()).toEqual({ unsealings: 1, units: 1, findings: [] });
  });

  it('I14: a line that ends between the record and the answer gives it after its restart, once on record', async () => {
    let uses = 0;
    const failing = (key: KeyAgreement): KeyAgreement => ({
      publicKey: key.publicKey,
      custody: key.custody,
      agree: (peer, use) => {
        uses += 1;
        if (uses === 1) throw new Error('the power is gone');
        return key.agree(peer, use);
      },
    });
    await openFactory({ wrapUnsealing: failing });
    const bench = await openBench({ ports: { retryPausesMs: [1], pause: () => factory.restartLine() } });
    expect((await bench.program(factory.makeBoard())).phase).toBe('passed');
    expect(uses).toBe(2);
    expect((await loggedTypes()).filter((type) => type === 'image-unsealing')).toHaveLength(1);
  });

  it('a station that ends after the unsealing asks anew for a new pass, and the first one is a finding', async () => {
    await openFactory();
    const first = await openBench({
      ports: {
        unsealing: {
          line: factory.wire,
          newTransportKey: () => ({ ...newTransportKey(), open: () => Promise.reject(new Error('the power is gone')) }),
        },
      },
    });
    const board = factory.makeBoard();
    await expect(first.program(board)).rejects.toThrow('power');
    const second = await openBench({ disk: first.disk });
    expect((await second.program(board)).phase).toBe('passed');
    const { unsealings, units, findings } = await reconcile();
    expect([unsealings, units, findings.map(({ code }) => code)]).toEqual([2, 1, ['BX-212']]);
  });

  it('says in its record who asked, at which station, for which release, with which permit', async () => {
    await openFactory();
    const bench = await openBench();
    const board = factory.makeBoard();
    await bench.program(board);
    const payload = (await readLog()).find(
      (entry) => parseStatementHeader(entry).predicateType === PREDICATE_TYPES.imageUnsealing,
    );
    const { subject, predicate } = parseStatement(imageUnsealing, payload!);
    expect(subject[0].digest.sha256).toBe(board.deviceId);
    expect(predicate.station.id).toBe('ST-07');
    expect(predicate.operator.id).toBe('op-3310');
    expect(predicate.release.id).toBe('R-1');
    expect(predicate.images.map(({ name }) => name)).toEqual(['images/R-1.bin']);
    const row = await factory.line.store.views.siteRecord(predicate.id);
    expect(row).toMatchObject({ kind: 'image-unsealing', related_id: predicate.transactionId, actor: 'op-3310' });
  });
});
