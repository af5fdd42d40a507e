// SPDX-License-Identifier: Apache-2.0
/** Process and network adapter: the serial line of a board, on a character device or behind a console server. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { RefusedError } from '@witnessmark/core';
import { DeviceError } from '../error.ts';
import type { NetworkAddress } from '../network-address.ts';
import { runTool } from '../tool-process.ts';
import { MAX_CONSOLE_CHARACTERS, type Listen } from './hear-report.ts';

export type SerialAddress =
  | { readonly path: string; readonly baudRate: number }
  /** A console server that passes the line on as it is, from now on. */
  | NetworkAddress;

export interface SerialConsole {
  readonly listen: Listen;
  close(): void;
}

const STTY = '/usr/bin/stty';
/** Bytes as they come, whatever the modem lines say. */
const LINE_SETTINGS = ['raw', '-echo', 'clocal', 'cread'];
const READ_BYTES = 4096;
/** The kernel holds about 4 KiB; at four million baud they come within ten. */
const POLL_MS = 5;

/** Throws LS-403 for a line that cannot be opened; nothing was sent then. */
export async function openSerialConsole(address: SerialAddress, signal: AbortSignal): Promise<SerialConsole> {
  return 'path' in address ? openDevice(address, signal) : openConnection(address, signal);
}

/** What waited on the line from before is thrown away: it is not about the board that is reset now. */
async function openDevice(
  { path, baudRate }: Extract<SerialAddress, { path: string }>,
  signal: AbortSignal,
): Promise<SerialConsole> {
  const fd = openLine(path);
  try {
    let complaint = '';
    const exitCode = await runTool('stty', {
      programPath: STTY,
      args: ['-F', path, String(baudRate), ...LINE_SETTINGS],
      directory: '/',
      signal,
      onOutput: (text) => {
        complaint = `${complaint}${text}`.slice(0, 200);
      },
    });
    if (exitCode !== 0) throw new RefusedError('LS-403', `the console ${path} cannot be set up: ${complaint.trim()}`);
    discard(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    listen: async (hear, ending) => {
      for (;;) {
        ending.throwIfAborted();
        const bytes = readAvailable(fd);
        if (bytes === null) return 'the console was hung up';
        if (bytes.length > 0) hear(bytes.toString('latin1'));
        else await pause(POLL_MS, undefined, { signal: ending });
      }
    },
    close: () => {
      closeSync(fd);
    },
  };
}

/** Without waiting for a carrier, and without becoming anybody's terminal. */
function openLine(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch (error) {
    throw new RefusedError('LS-403', `the console ${path} cannot be opened (${codeOf(error)})`);
  }
  if (isatty(fd)) return fd;
  closeSync(fd);
  throw new RefusedError('LS-403', `the console ${path} is no serial line`);
}

function discard(fd: number): void {
  let discarded = 0;
  for (let bytes = readAvailable(fd); bytes !== null && bytes.length > 0; bytes = readAvailable(fd)) {
    discarded += bytes.length;
    if (discarded > MAX_CONSOLE_CHARACTERS) {
      throw new DeviceError('ERR_DEVICE_PROTOCOL', 'the console never falls silent before the reset');
    }
  }
}

/** Empty when nothing waits, null when the line was hung up. */
function readAvailable(fd: number): Buffer | null {
  const buffer = Buffer.alloc(READ_BYTES);
  try {
    const length = readSync(fd, buffer);
    return length === 0 ? null : buffer.subarray(0, length);
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return buffer.subarray(0, 0);
    if (codeOf(error) === 'EIO') return null;
    throw new DeviceError('ERR_DEVICE_LINK', `the console cannot be read (${codeOf(error)})`);
  }
}

async function openConnection({ host, port }: NetworkAddress, signal: AbortSignal): Promise<SerialConsole> {
  const socket = connect({ host, port });
  const opened = Promise.withResolvers<null>();
  const refuse = (error: Error): void => {
    opened.reject(new RefusedError('LS-403', `the console at ${host}:${port} cannot be reached (${codeOf(error)})`));
  };
  const stop = (): void => {
    opened.reject(new DeviceError('ERR_DEVICE_LINK', `the console at ${host}:${port} did not answer`));
  };
  socket.once('connect', opened.resolve).once('error', refuse);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await opened.promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    socket.off('error', refuse);
    // Later errors are heard as the end of the connection.
    socket.on('error', () => undefined);
  }
  return {
    listen: (hear, ending) => listenTo(socket, hear, ending),
    close: () => {
      socket.destroy();
    },
  };
}

function listenTo(socket: Socket, hear: (text: string) => void, signal: AbortSignal): Promise<string> {
  const ended = Promise.withResolvers<string>();
  const stop = (): void => {
    ended.reject(signal.reason as Error);
  };
  signal.addEventListener('abort', stop, { once: true });
  socket.once('close', () => {
    ended.resolve('the console server hung up');
  });
  socket.setEncoding('latin1').on('data', hear);
  if (signal.aborted) stop();
  return ended.promise.finally(() => {
    signal.removeEventListener('abort', stop);
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
