// SPDX-License-Identifier: Apache-2.0
/** The custody process's ear: a unix socket that only its owner can open, and a token for each client on top. */
import { existsSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { RefusedError, type Bytes } from '@witnessmark/core';
import { formatServerMessage, FrameReader, parseHello, parseSign, type ServerMessage } from './protocol.ts';
import type { CustodyClientEntry, CustodyService } from './custody-service.ts';

const LIMITS = { maxConnections: 32, maxPending: 1_024, helloTimeoutMs: 5_000 };
const OWNER_ONLY = 0o177;

export interface CustodyListener {
  /** Takes no more requests, answers those it has, then closes. */
  close(): Promise<void>;
}

/** Throws CU-156 when another process listens there. */
export async function listenCustody(socketPath: string, service: CustodyService): Promise<CustodyListener> {
  await removeStaleSocket(socketPath);
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = new Connection(socket, service);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  server.maxConnections = LIMITS.maxConnections;
  await listen(server, socketPath);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      await Promise.all([...connections].map((connection) => connection.drain()));
      await closed;
    },
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #service: CustodyService;
  readonly #reader = new FrameReader();
  #client: CustodyClientEntry | null = null;
  #pending = 0;
  #unsent: Bytes[] = [];
  #drained: PromiseWithResolvers<void> | null = null;

  constructor(socket: Socket, service: CustodyService) {
    this.#socket = socket;
    this.#service = service;
    socket.setTimeout(LIMITS.helloTimeoutMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
  }

  async drain(): Promise<void> {
    this.#socket.removeAllListeners('data');
    this.#socket.pause();
    if (this.#pending > 0) {
      this.#drained = Promise.withResolvers();
      await this.#drained.promise;
    }
    this.#socket.destroySoon();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#obey(frame);
    } catch (error) {
      this.#refuse(null, error);
      this.#flush();
      this.#socket.destroySoon();
    }
  }

  #obey(frame: Bytes): void {
    if (this.#client === null) {
      const { client, token } = parseHello(frame);
      this.#client = this.#service.authenticate(client, token);
      this.#socket.setTimeout(0);
      this.#send({ type: 'welcome', keys: this.#service.keysOf(this.#client) });
      return;
    }
    const request = parseSign(frame);
    this.#pending += 1;
    if (this.#pending >= LIMITS.maxPending) this.#socket.pause();
    this.#service.sign(this.#client, request).then(
      (signature) => {
        this.#send({ type: 'signature', id: request.id, signature });
        this.#settled();
      },
      (error: unknown) => {
        this.#refuse(request.id, error);
        this.#settled();
      },
    );
  }

  #settled(): void {
    this.#pending -= 1;
    if (this.#drained === null) this.#socket.resume();
    else if (this.#pending === 0) {
      this.#flush();
      this.#drained.resolve();
    }
  }

  #refuse(id: string | null, error: unknown): void {
    // What is no refusal is a defect: the client learns that the token failed, and nothing of the inside.
    const refusal = error instanceof RefusedError ? error : new RefusedError('CU-111', 'custody failed');
    this.#send({ type: 'refusal', id, code: refusal.code, detail: printable(refusal.message) });
  }

  /** Answers of one batch leave together. */
  #send(message: ServerMessage): void {
    this.#unsent.push(formatServerMessage(message));
    if (this.#unsent.length > 1) return;
    process.nextTick(() => {
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#unsent.length === 0) return;
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(this.#unsent));
    this.#unsent = [];
  }
}

async function listen(server: Server, socketPath: string): Promise<void> {
  const listening = Promise.withResolvers<undefined>();
  server.once('error', listening.reject);
  // The socket must never exist with another mode, not for a moment.
  const before = process.umask(OWNER_ONLY);
  try {
    server.listen(socketPath, () => {
      listening.resolve(undefined);
    });
  } finally {
    process.umask(before);
  }
  await listening.promise;
}

/** A socket file outlives its process; one that answers belongs to somebody. */
async function removeStaleSocket(socketPath: string): Promise<void> {
  if (!existsSync(socketPath)) return;
  const answered = Promise.withResolvers<boolean>();
  const probe = connect(socketPath);
  probe.once('connect', () => {
    answered.resolve(true);
  });
  probe.once('error', () => {
    answered.resolve(false);
  });
  const isTaken = await answered.promise;
  probe.destroy();
  if (isTaken) throw new RefusedError('CU-156', `another custody process listens on ${socketPath}`);
  unlinkSync(socketPath);
}

function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ').slice(0, 1_000) || 'refused';
}
