// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { formatDeviceAddress, leaseDevice, type DeviceLease } from '../../src/slots/device-lease.ts';

/** A place that nobody else on this machine names: a lease opens nothing there. */
function newAddress(): { readonly host: string; readonly port: number } {
  return { host: `${randomUUID()}.invalid`, port: 24_000 };
}

const leases: DeviceLease[] = [];
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.release();
});

async function take(address: Parameters<typeof leaseDevice>[0], holder: string): Promise<DeviceLease> {
  const lease = await leaseDevice(address, holder);
  leases.push(lease);
  return lease;
}

describe('a lease of a programmer', () => {
  it('LS-602 has one holder, whom the second one is told', async () => {
    const address = newAddress();
    await take(address, 'ST-07 slot 1');
    await expect(leaseDevice(address, 'ST-07 slot 2')).rejects.toMatchObject({
      code: 'LS-602',
      observed: expect.stringContaining('in the hands of ST-07 slot 1') as string,
    });
  });

  it('is free again once it was released, and another programmer always is', async () => {
    const address = newAddress();
    const first = await take(address, 'ST-07 slot 1');
    await take(newAddress(), 'ST-07 slot 2');
    leases.splice(leases.indexOf(first), 1);
    await first.release();
    await take(address, 'ST-08');
  });

  it('knows one place by all its names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'witnessmark-lease-'));
    try {
      writeFileSync(join(folder, 'ttyACM0'), '');
      symlinkSync(join(folder, 'ttyACM0'), join(folder, 'by-id'));
      const port = formatDeviceAddress({ path: join(folder, 'ttyACM0') });
      expect(formatDeviceAddress({ path: join(folder, 'by-id') })).toBe(port);
      expect(formatDeviceAddress({ path: join(folder, '.', 'new.chip') })).toBe(
        formatDeviceAddress({ path: join(folder, 'new.chip') }),
      );
      expect(formatDeviceAddress({ host: 'LOCALHOST', port: 1 })).toBe('tcp:127.0.0.1:1');
      expect(formatDeviceAddress({ host: '::1', port: 1 })).toBe('tcp:127.0.0.1:1');
      expect(formatDeviceAddress({ host: '10.2.3.4', port: 1 })).not.toBe('tcp:127.0.0.1:1');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('ends with the process that held it, however that ends', async () => {
    const address = newAddress();
    const program = [
      `import { leaseDevice } from ${JSON.stringify(new URL('../../src/slots/device-lease.ts', import.meta.url).href)};`,
      `await leaseDevice(${JSON.stringify(address)}, 'the other process');`,
      "console.log('held');",
      'setInterval(() => undefined, 1000);',
    ].join('\n');
    const child = spawn(process.execPath, [
      '--conditions=@witnessmark/source',
      '--input-type=module',
      '--eval',
      program,
    ]);
    try {
      await once(child.stdout, 'data');
      await expect(leaseDevice(address, 'ST-07')).rejects.toMatchObject({
        code: 'LS-602',
        observed: expect.stringContaining('the other process') as string,
      });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    await take(address, 'ST-07');
  });

  it('does not wait for a holder that says nothing, and believes no more than a line of one that says much', async () => {
    const address = newAddress();
    const { name } = await take(address, 'x'.repeat(10_000));
    expect(name).toBe(`tcp:${address.host}:${address.port}`);
    const refusal: { observed: string } = await leaseDevice(address, 'ST-07').then(
      () => Promise.reject(new Error('it was given')),
      (error: unknown) => error as { observed: string },
    );
    expect(refusal.observed.length).toBeLessThan(300);
  });

  it('has nothing to do with who listens at the address', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    try {
      await take({ host: '127.0.0.1', port }, 'ST-07');
    } finally {
      server.close();
    }
  });
});
