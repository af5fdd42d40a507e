// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decodeUtf8 } from '@witnessmark/core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TrustClient } from '../src/index.ts';
import { createWorld, IMAGE_PATH, NOW, scratch, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.release('image two');
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/trust`;
}

const files: RequestListener = (request, response) => {
  try {
    response.end(readFileSync(join(world.directory, (request.url as string).slice('/trust'.length))));
  } catch {
    response.writeHead(404).end();
  }
};

function client(baseUrl: string): TrustClient {
  return new TrustClient({ metadataDir: scratch(), baseUrl, initialRoot: world.initialRoot });
}

/** Serves the repository, but for one file. */
function except(name: string, listener: RequestListener): RequestListener {
  return (request, response) => (request.url?.endsWith(name) === true ? listener : files)(request, response);
}

describe('over HTTP', () => {
  it('updates and reads targets, with and without a slash at the end of the address', async () => {
    const baseUrl = await serve(files);
    for (const url of [baseUrl, `${baseUrl}/`]) {
      const reader = client(url);
      expect((await reader.update(NOW)).targetsVersion).toBe(2);
      expect(decodeUtf8(await reader.readTarget(IMAGE_PATH))).toBe('image two');
    }
  });

  it('names a missing file (TR-107)', async () => {
    const missing = except('2.targets.json', (_, response) => response.writeHead(404).end());
    await expect(client(await serve(missing)).update(NOW)).rejects.toMatchObject({ code: 'TR-107' });
  });

  it('stops reading what does not end (TR-109)', async () => {
    const endless = except('timestamp.json', (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(4096)));
      };
      response.on('drain', more);
      more();
    });
    await expect(client(await serve(endless)).update(NOW)).rejects.toMatchObject({ code: 'TR-109' });
  });

  it.each([
    ['an error of the server', (_: unknown, response: Parameters<RequestListener>[1]) => response.writeHead(503).end()],
    [
      'a redirection',
      (_: unknown, response: Parameters<RequestListener>[1]) => response.writeHead(302, { location: '/' }).end(),
    ],
    [
      'a transfer that breaks off',
      (_: unknown, response: Parameters<RequestListener>[1]) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('{', () => response.destroy());
      },
    ],
  ])('cannot tell after %s', async (_, listener) => {
    for (const name of ['timestamp.json', '2.snapshot.json', '2.targets.json', '1.effectivity.json', '2.root.json']) {
      const baseUrl = await serve(except(name, listener));
      await expect(client(baseUrl).update(NOW)).rejects.toMatchObject({ code: 'ERR_TRUST_UNREACHABLE' });
    }
  });

  it('cannot tell when nobody answers', async () => {
    const baseUrl = await serve(files);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    await expect(client(baseUrl).update(NOW)).rejects.toMatchObject({ code: 'ERR_TRUST_UNREACHABLE' });
  });
});
