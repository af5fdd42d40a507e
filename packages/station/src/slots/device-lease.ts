// SPDX-License-Identifier: Apache-2.0
/**
 * Who drives a programmer: one slot of one process on this machine. A lease is a Unix socket in Linux's abstract name
 * space, bound to a name made from the address: the kernel gives a name to one process at a time and takes it back when
 * that process ends, however it ends, so no lease is ever stale and no file is left behind.
 */
import { realpathSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { encodeUtf8, sha256Hex } from '@witnessmark/core';
import { StationRefusal } from '../error.ts';

const NAME_DOMAIN = 'witnessmark device lease v1';
/** The holder's name is one short line; whoever sits on the name may send anything. */
const MAX_HOLDER_LENGTH = 200;
const ASK_MS = 500;

/** Where a device is reached: what two drivers must not do at the same time. */
export type DeviceAddress =
  | { readonly host: string; readonly port: number }
  /** A serial port, or the file of a simulated board. */
  | { readonly path: string };

export interface DeviceLease {
  readonly name: string;
  release(): Promise<void>;
}

/** One text for one place: loopback has one name, and links lead to where they lead. */
export function formatDeviceAddress(address: DeviceAddress): string {
  if ('path' in address) return `path:${resolvePath(address.path)}`;
  const host = address.host.toLowerCase();
  return `tcp:${['localhost', '::1'].includes(host) ? '127.0.0.1' : host}:${address.port}`;
}

/** Takes a programmer for `holder`, which others are told. Throws LS-602 when it is taken. */
export async function leaseDevice(address: DeviceAddress, holder: string): Promise<DeviceLease> {
  const name = formatDeviceAddress(address);
  const socketName = `\0witnessmark/${sha256Hex(encodeUtf8(`${NAME_DOMAIN}\n${name}\n`))}`;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${holder.slice(0, MAX_HOLDER_LENGTH)}\n`);
  });
  try {
    await listen(server, socketName);
  } catch (cause) {
    if (!isTaken(cause)) throw cause;
    throw new StationRefusal('LS-602', {
      expected: `${name} for ${holder}`,
      observed: `${name} in the hands of ${await askHolder(socketName)}`,
      cause,
    });
  }
  // A lease does not keep a process alive that has nothing else to do.
  server.unref();
  return { name, release: () => close(server) };
}

/** A place that is not there yet has the name it will have. */
function resolvePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(resolve(path));
    return parent === resolve(path) ? parent : join(resolvePath(parent), basename(path));
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen({ path, exclusive: true }, done);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => {
      done();
    });
  });
}

async function askHolder(path: string): Promise<string> {
  return new Promise((done) => {
    let text = '';
    const socket = createConnection({ path });
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      const [line = ''] = text.split('\n');
      done(line === '' ? 'another program' : line.slice(0, MAX_HOLDER_LENGTH));
    };
    const timer = setTimeout(end, ASK_MS);
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > MAX_HOLDER_LENGTH) end();
    });
    socket.on('error', end);
    socket.on('end', end);
  });
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
