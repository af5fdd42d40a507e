// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { HeldRelease, ReleaseComponent, ReleaseSource } from '../../src/ports.ts';
import { queue, shareReleases, shareTimeSource } from '../../src/slots/shared-sources.ts';

const QUERY = { sku: 'GW-210', hwVersion: 'C', workOrder: null, at: 0 };

describe('what slots share', () => {
  it('refreshes once for everybody who asks meanwhile, and again for who asks later', async () => {
    let refreshes = 0;
    const source: ReleaseSource = {
      refresh: async () => {
        refreshes += 1;
        await new Promise((done) => setImmediate(done));
      },
      releaseInEffect: () => Promise.reject(new Error('not asked')),
    };
    const shared = shareReleases(source);
    await Promise.all(Array.from({ length: 8 }, () => shared.refresh(1)));
    expect(refreshes).toBe(1);
    await shared.refresh(2);
    expect(refreshes).toBe(2);
  });

  it('tells a failure to all of them, and tries again for the next', async () => {
    let attempts = 0;
    const shared = shareReleases({
      refresh: () => {
        attempts += 1;
        return attempts === 1 ? Promise.reject(new Error('away')) : Promise.resolve();
      },
      releaseInEffect: () => Promise.reject(new Error('not asked')),
    });
    const results = await Promise.allSettled([shared.refresh(1), shared.refresh(1)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await shared.refresh(1);
  });

  it('looks no release up while the repository is being read', async () => {
    const calls: string[] = [];
    const reading = Promise.withResolvers<undefined>();
    const shared = shareReleases({
      refresh: async () => {
        calls.push('refresh begins');
        await reading.promise;
        calls.push('refresh ends');
      },
      releaseInEffect: () => {
        calls.push('release');
        return Promise.reject(new Error('none'));
      },
    });
    const refresh = shared.refresh(1);
    const release = shared.releaseInEffect(QUERY).catch(() => undefined);
    reading.resolve(undefined);
    await Promise.all([refresh, release]);
    expect(calls).toEqual(['refresh begins', 'refresh ends', 'release']);
  });

  it('reads an image once for slots that begin together, and gives each its own bytes', async () => {
    let reads = 0;
    const held = {
      manifest: {},
      reference: {},
      readImage: async () => {
        reads += 1;
        await new Promise((done) => setImmediate(done));
        return Uint8Array.of(1, 2, 3);
      },
    } as unknown as HeldRelease;
    const shared = shareReleases({ refresh: () => Promise.resolve(), releaseInEffect: () => Promise.resolve(held) });
    const component = { name: 'application', sha256: 'ab'.repeat(32) } as ReleaseComponent;
    const releases = await Promise.all([shared.releaseInEffect(QUERY), shared.releaseInEffect(QUERY)]);
    const [first, second] = await Promise.all(releases.map((release) => release.readImage(component)));
    expect(reads).toBe(1);
    first?.fill(0);
    expect(second).toEqual(Uint8Array.of(1, 2, 3));
    await releases[0].readImage(component);
    expect(reads).toBe(2);
  });

  it('reads the time service once for all', async () => {
    let readings = 0;
    const shared = shareTimeSource({
      name: 'chrony',
      read: async () => {
        readings += 1;
        await Promise.resolve();
        return { state: 'silent', detail: 'nobody' };
      },
    });
    expect(shared.name).toBe('chrony');
    await Promise.all([shared.read(), shared.read()]);
    expect(readings).toBe(1);
  });

  it('queues work behind work that failed', async () => {
    const inTurn = queue();
    const first = inTurn(() => Promise.reject(new Error('no')));
    const second = inTurn(() => Promise.resolve('yes'));
    await expect(first).rejects.toThrow('no');
    expect(await second).toBe('yes');
  });
});
