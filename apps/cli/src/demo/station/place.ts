// SPDX-License-Identifier: Apache-2.0
/**
 * A place of a station: a programmer with a fixed address, and the board somebody put in. A board is a process that behaves
 * as programmer and part do; what the part holds stays in a file when the power goes.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { deriveLabelSerial, toDeviceId } from '@witnessmark/attestation';
import { sha256, type Bytes } from '@witnessmark/core';
import {
  RemoteBitbangProcess,
  sampleUniqueId,
  SerprogProcess,
  STM32F103C8_BOARD,
  W25Q80_BOARD,
} from '@witnessmark/device';

/** `nor`: an SPI-NOR board that flashrom programs. `mcu`: a microcontroller that OpenOCD programs. */
export type BoardKind = 'nor' | 'mcu';

const HOST = '127.0.0.1';
const SEED = 'scene of the station';
const MCU_ID_BYTES = 12;

export class Board {
  readonly name: string;
  readonly #kind: BoardKind;
  readonly #path: string;
  readonly #uniqueId: Bytes;

  /** The same number is the same board, wherever it is put in; every number has a hardware identifier of its own. */
  constructor(kind: BoardKind, number: number, folder: string) {
    this.name = `${kind}-${number}`;
    this.#kind = kind;
    this.#path = `${folder}/${this.name}.part`;
    const id = sampleUniqueId(SEED, number);
    this.#uniqueId = kind === 'nor' ? id : sha256(id).subarray(0, MCU_ID_BYTES);
  }

  /** What the assembly line printed on its label. */
  labelOf(sku: string): string {
    const { hardwareIdScheme: scheme } = this.#kind === 'nor' ? W25Q80_BOARD : STM32F103C8_BOARD;
    return deriveLabelSerial(sku, toDeviceId({ scheme, value: this.#uniqueId }));
  }

  powerOn(): Promise<SerprogProcess | RemoteBitbangProcess> {
    return this.#kind === 'nor'
      ? SerprogProcess.start({ chipPath: this.#path, uniqueId: this.#uniqueId })
      : RemoteBitbangProcess.start({ partPath: this.#path, uniqueId: this.#uniqueId });
  }
}

export class Place {
  readonly slot: number;
  readonly #kind: BoardKind;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #board: Board | null = null;
  #running: SerprogProcess | RemoteBitbangProcess | null = null;
  /** Bytes that still reach the board before the cable is pulled. */
  #left = Infinity;
  #whenCut = Promise.withResolvers<null>();

  private constructor(kind: BoardKind, slot: number) {
    this.#kind = kind;
    this.slot = slot;
    this.#server = createServer((tool) => {
      this.#connect(tool);
    });
  }

  static async open(kind: BoardKind, slot: number): Promise<Place> {
    const place = new Place(kind, slot);
    place.#server.listen(0, HOST);
    await once(place.#server, 'listening');
    return place;
  }

  /** As `--device` takes it. */
  get device(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#kind === 'nor' ? 'flashrom' : 'openocd'}:${HOST}:${port}`;
  }

  /** The board that was there is taken out. */
  async insert(board: Board): Promise<void> {
    if (this.#board === board && this.#running !== null) return;
    await this.powerOff();
    this.#board = board;
    await this.powerOn();
  }

  async powerOn(): Promise<void> {
    this.#left = Infinity;
    this.#running = (await this.#board?.powerOn()) ?? null;
  }

  /** What was written stays written, as far as it had come. */
  async powerOff(): Promise<void> {
    for (const end of this.#ends) end.destroy();
    this.#ends.clear();
    await this.#running?.close();
    this.#running = null;
  }

  /** Pulls the cable when so many bytes went to the board from now on, and resolves then. */
  cutAfter(bytes: number): Promise<unknown> {
    this.#left = bytes;
    this.#whenCut = Promise.withResolvers();
    return this.#whenCut.promise;
  }

  async close(): Promise<void> {
    await this.powerOff();
    this.#server.close();
  }

  #connect(tool: Socket): void {
    if (this.#running === null) {
      tool.destroy();
      return;
    }
    const part = connect(this.#running.port, HOST);
    for (const [from, to] of [
      [tool, part],
      [part, tool],
    ] as const) {
      this.#ends.add(from);
      // Programmers speak in single bytes; each would wait for the one before to be acknowledged.
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.end();
        this.#ends.delete(from);
      });
    }
    part.pipe(tool);
    tool.on('data', (bytes: Buffer) => {
      part.write(bytes.subarray(0, Math.min(this.#left, bytes.length)));
      this.#left -= bytes.length;
      if (this.#left > 0) return;
      for (const end of [tool, part]) end.end();
      this.#whenCut.resolve(null);
    });
  }
}
