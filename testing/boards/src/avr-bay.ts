// SPDX-License-Identifier: Apache-2.0
/**
 * The fixture an AVR board sits in: a serial adapter that stays when the board is exchanged, and whose cable can be pulled.
 * It serves one client at a time.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { AvrPart } from './avr-part.ts';

const LOOPBACK = '127.0.0.1';

export class AvrBay {
  readonly host = LOOPBACK;
  readonly #server: Server;
  readonly #seen = new Set<AvrPart>();
  #chip: AvrPart | null = null;
  #client: Socket | null = null;
  #line: Promise<Socket> | null = null;
  #bytesUntilDrop: number | null = null;

  constructor(chip: AvrPart | null = null) {
    this.#server = createServer((client) => {
      this.#serve(client);
    });
    this.insert(chip);
  }

  /** Returns the port, once the part in the bay can answer: avrdude gives a board a quarter of a second. */
  async listen(): Promise<number> {
    await this.#chip?.start();
    this.#server.listen(0, LOOPBACK);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  get chip(): AvrPart | null {
    return this.#chip;
  }

  /** Puts a part in, or takes it out with null, and powers what is in the bay then. Returns what was there. */
  insert(chip: AvrPart | null): AvrPart | null {
    const before = this.#chip;
    before?.powerOff();
    this.#disconnect();
    this.#chip = chip;
    if (chip !== null) this.#seen.add(chip);
    chip?.powerOn();
    if (this.#client !== null) this.#connect();
    return before;
  }

  powerOn(): void {
    this.#chip?.powerOn();
  }

  /** Pulls the cable once, after that many further bytes to the part. */
  dropLinkAfter(bytes: number): void {
    this.#bytesUntilDrop = bytes;
  }

  /** Whether a break was ordered and has not come yet. */
  get awaitsLinkDrop(): boolean {
    return this.#bytesUntilDrop !== null;
  }

  /** Ends the processes of every part that was in it. */
  async close(): Promise<void> {
    this.#client?.destroy();
    this.#disconnect();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
    await Promise.all([...this.#seen].map((part) => part.end()));
  }

  #serve(client: Socket): void {
    this.#client?.destroy();
    this.#client = client;
    this.#disconnect();
    this.#connect();
    client.setNoDelay(true);
    client.on('data', (bytes) => void this.#forward(client, bytes));
    client.on('error', () => undefined);
    client.on('close', () => {
      if (client !== this.#client) return;
      this.#client = null;
      this.#disconnect();
    });
  }

  async #forward(client: Socket, bytes: Buffer): Promise<void> {
    const isDropped = this.#countDown(bytes.length);
    const line = this.#line;
    // An empty fixture swallows what is said to it.
    if (line !== null) {
      const part = await line;
      if (line === this.#line) part.write(bytes);
    }
    if (isDropped) client.destroy();
  }

  #countDown(bytes: number): boolean {
    if (this.#bytesUntilDrop === null) return false;
    this.#bytesUntilDrop -= bytes;
    if (this.#bytesUntilDrop >= 0) return false;
    this.#bytesUntilDrop = null;
    return true;
  }

  #connect(): void {
    if (this.#chip === null) return;
    const client = this.#client;
    const line = this.#chip.connect();
    this.#line = line;
    void line.then((part) => {
      part.on('data', (bytes) => {
        if (line === this.#line) client?.write(bytes);
      });
    });
  }

  #disconnect(): void {
    void this.#line?.then((part) => part.destroy());
    this.#line = null;
  }
}
