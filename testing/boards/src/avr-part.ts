// SPDX-License-Identifier: Apache-2.0
/**
 * One AVR on simavr: its memory in a file, its own process once something is connected to it. The layout of the
 * file is that of avr-board.c.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { Bytes } from '@witnessmark/core';
import type { ChipFaults } from '@witnessmark/device';
import { AVR_PARTS } from './build-avr-board.ts';

const FLASH_BYTES = 32_768;
const EEPROM_BYTES = 1024;
const CONTROL_BYTES = 4096;
const CONTROL_AT = FLASH_BYTES + EEPROM_BYTES;
const LOOPBACK = '127.0.0.1';

/** Offsets of the control words. */
const WORD = {
  powered: 0,
  revision: 4,
  deadErase: 8,
  ignoresProgram: 12,
  hangs: 16,
  powerCut: 20,
  powerCutBytes: 24,
  stuckCount: 28,
  stuck: 32,
} as const;
const POWER_CUT = { program: 1, erase: 2 } as const;

export interface AvrPartOptions {
  /** The compiled board. */
  readonly program: string;
  /** File for its memory; made anew. */
  readonly path: string;
  /** Written to the end of the EEPROM, as when the part was born. */
  readonly uniqueId: Bytes;
  /** What the flash holds from address 0 on; the rest is erased. */
  readonly content?: Bytes;
  /** Default: an ATmega328P. */
  readonly part?: keyof typeof AVR_PARTS;
}

export class AvrPart {
  readonly uniqueId: Bytes;
  readonly #program: string;
  readonly #path: string;
  readonly #file: number;
  readonly #part: keyof typeof AVR_PARTS;
  #child: ChildProcess | null = null;
  #port: Promise<number> | null = null;

  constructor({ program, path, uniqueId, content, part = 'atmega328p' }: AvrPartOptions) {
    this.#part = part;
    this.#program = program;
    this.#path = path;
    this.uniqueId = uniqueId;
    const memory = new Uint8Array(CONTROL_AT + CONTROL_BYTES).fill(0xff, 0, CONTROL_AT);
    memory.set(content ?? []);
    memory.set(uniqueId, CONTROL_AT - uniqueId.length);
    writeFileSync(path, memory);
    this.#file = openSync(path, 'r+');
    this.#setWord(WORD.powered, 1);
  }

  /** Counts erased and written pages. */
  get revision(): number {
    return this.#word(WORD.revision);
  }

  get awaitsPowerCut(): boolean {
    return this.#word(WORD.powerCut) !== 0;
  }

  /** The flash below the boot loader, as it is now. */
  snapshot(): { readonly memory: Bytes } {
    const memory = new Uint8Array(AVR_PARTS[this.#part].bootStart);
    readSync(this.#file, memory, 0, memory.length, 0);
    return { memory };
  }

  /** Faults of locks have no meaning here: this part's lock cannot be reached through its boot loader. */
  inject({ deadErase, ignoresProgram, hangs, powerCut, stuckBits = [] }: ChipFaults): void {
    if (deadErase === true) this.#setWord(WORD.deadErase, 1);
    if (ignoresProgram === true) this.#setWord(WORD.ignoresProgram, 1);
    if (hangs === true) this.#setWord(WORD.hangs, 1);
    if (powerCut !== undefined) {
      this.#setWord(WORD.powerCutBytes, powerCut.afterBytes);
      this.#setWord(WORD.powerCut, POWER_CUT[powerCut.during]);
    }
    for (const [index, { address, bit, value }] of stuckBits.entries()) {
      this.#setWord(WORD.stuck + 4 * index, (address << 4) | (bit << 1) | value);
    }
    if (stuckBits.length > 0) this.#setWord(WORD.stuckCount, stuckBits.length);
  }

  powerOn(): void {
    this.#setWord(WORD.powered, 1);
  }

  powerOff(): void {
    this.#setWord(WORD.powered, 0);
  }

  /** Starts its process when there is none; the part stands still until somebody connects. */
  async start(): Promise<number> {
    this.#port ??= this.#spawn();
    return this.#port;
  }

  /** Opens the serial line, which resets the part. */
  async connect(): Promise<Socket> {
    const socket = connect({ host: LOOPBACK, port: await this.start(), noDelay: true });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** Ends its process; its memory stays. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    this.#port = null;
    closeSync(this.#file);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async #spawn(): Promise<number> {
    const { bootStart, bootLoader } = AVR_PARTS[this.#part];
    const command = [this.#program, this.#part, String(bootStart), bootLoader, this.#path];
    // Its parent's death ends it, so that a killed test leaves nothing behind.
    const child = spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const [greeting] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    const port = /"port":(\d+)/.exec(String(greeting))?.[1];
    if (port === undefined) throw new Error('the AVR board did not start');
    return Number(port);
  }

  #word(at: number): number {
    const bytes = Buffer.alloc(4);
    readSync(this.#file, bytes, 0, 4, CONTROL_AT + at);
    return bytes.readUInt32LE();
  }

  #setWord(at: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    writeSync(this.#file, bytes, 0, 4, CONTROL_AT + at);
  }
}
