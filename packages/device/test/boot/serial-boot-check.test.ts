// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SerialBootCheck, type DriverOutcome, type SerialAddress } from '../../src/index.ts';
import { hasProgram } from '../has-program.ts';

const DIGEST = 'ab'.repeat(32);
const STALE = `witnessmark boot 1 sha256:${'cd'.repeat(32)}\n`;
const REPORT = `witnessmark boot 1 sha256:${DIGEST}\r\n`;
const HEARD = { state: 'DONE', value: { digest: { sha256: DIGEST } } };

/** A board on the console, whose reset does this. */
function boardAt(
  console: SerialAddress,
  reset: () => DriverOutcome<undefined>,
  timeoutMs = 20_000,
): ReturnType<SerialBootCheck['readBootReport']> {
  const driver = { simulated: false, reset: () => Promise.resolve(reset()) };
  return new SerialBootCheck({ model: 'fixture', driver, console, timeoutMs }).readBootReport();
}

const done: DriverOutcome<undefined> = { state: 'DONE', value: undefined };

describe('a board behind a console server', () => {
  let server: Server;
  let client: Promise<Socket>;
  let address: { host: string; port: number };
  beforeAll(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  });
  beforeEach(() => {
    client = once(server, 'connection').then(([socket]) => (socket as Socket).on('error', () => undefined));
  });
  afterAll(() => {
    server.close();
  });

  it('is heard once it was reset, and the connection is closed', async () => {
    const saying = (): DriverOutcome<undefined> => {
      void client.then((socket) => socket.write(`\xff\0loader\r\n${REPORT}`, 'latin1'));
      return done;
    };
    expect(await boardAt(address, saying)).toEqual(HEARD);
    await once((await client).resume(), 'close');
  });

  it('is nobody when its line hangs up or stays silent', async () => {
    const hangingUp = (): DriverOutcome<undefined> => {
      void client.then((socket) => socket.destroy());
      return done;
    };
    expect(await boardAt(address, hangingUp)).toMatchObject({ state: 'UNKNOWN' });
    expect(await boardAt(address, () => done, 300)).toEqual({
      state: 'UNKNOWN',
      detail: 'boot did not end within 300 ms',
    });
  });

  it('is not believed when it could not be reset, whatever it says', async () => {
    const failed: DriverOutcome<undefined> = { state: 'FAILED', code: 'UF-01', detail: 'nobody there' };
    const check = boardAt(address, () => {
      void client.then((socket) => socket.write(REPORT));
      return failed;
    });
    expect(await check).toEqual(failed);
  });

  it('says LS-403 when nobody listens there, and resets nothing', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    let resets = 0;
    const outcome = await boardAt({ host: '127.0.0.1', port }, () => {
      resets += 1;
      return done;
    });
    expect([outcome, resets]).toEqual([expect.objectContaining({ state: 'FAILED', code: 'LS-403' }), 0]);
  });
});

/** A pseudo terminal; what goes to the standard input of `script` arrives there as from a board. */
class Line {
  path = '';
  #echoed = '';
  readonly #child: ChildProcess = spawn('script', ['-qec', 'tty; exec sleep 600', '/dev/null']);
  #heard: () => void = () => undefined;

  async open(): Promise<this> {
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#echoed += text;
      this.#heard();
    });
    await this.#until(/(\/dev\/pts\/\d+)\r?\n/);
    this.path = /(\/dev\/pts\/\d+)/.exec(this.#echoed)?.[1] ?? '';
    return this;
  }

  say(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Says it, and waits until the terminal has it: it echoes. */
  async leave(text: string): Promise<void> {
    this.say(text);
    await this.#until(new RegExp(text.trim()));
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #until(text: RegExp): Promise<void> {
    while (!text.test(this.#echoed)) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }
}

describe.skipIf(!hasProgram('script'))('needs script: a board on a character device', () => {
  let line: Line;
  beforeEach(async () => {
    line = await new Line().open();
  });
  afterEach(() => line.close());
  const at = (): SerialAddress => ({ path: line.path, baudRate: 115_200 });

  it('is heard from its reset on; what waited on the line before is nobody’s answer', async () => {
    await line.leave(STALE);
    const saying = (): DriverOutcome<undefined> => {
      line.say(`loader\r\n${REPORT}`);
      return done;
    };
    expect(await boardAt(at(), saying)).toEqual(HEARD);
  });

  it('is nobody when only an earlier one has spoken, or when the line is hung up', async () => {
    await line.leave(STALE);
    expect(await boardAt(at(), () => done, 500)).toMatchObject({
      state: 'UNKNOWN',
      detail: 'boot did not end within 500 ms',
    });
    const hangingUp = (): DriverOutcome<undefined> => {
      void line.close();
      return done;
    };
    expect(await boardAt(at(), hangingUp)).toMatchObject({ state: 'UNKNOWN' });
    line = await new Line().open();
  });

  it.each([
    ['is not there', '/dev/witnessmark-no-such-line'],
    ['is no line', '/dev/null'],
  ])('says LS-403 for a device that %s', async (_, path) => {
    expect(await boardAt({ path, baudRate: 9600 }, () => done)).toMatchObject({ state: 'FAILED', code: 'LS-403' });
  });

  it('says LS-403 for a speed that the line does not know', async () => {
    expect(await boardAt({ path: line.path, baudRate: 51 }, () => done)).toMatchObject({
      state: 'FAILED',
      code: 'LS-403',
    });
  });
});
