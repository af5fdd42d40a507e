// SPDX-License-Identifier: Apache-2.0
/** Printers: raw ZPL on a TCP port or a device file, and a folder for printers that take files or for nobody at all. */
import { constants } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeUtf8, type Bytes } from '@witnessmark/core';
import { formatUnitZpl, renderUnitPng, renderUnitSvg, type UnitLabel } from '@witnessmark/label';
import { StationRefusal } from '../error.ts';
import type { LabelForm, LabelPrinter } from './label-printer.ts';

/** A printer takes a label in milliseconds; one that is out of paper or offline stops taking. */
const DEFAULT_TIMEOUT_MS = 5_000;
const RETRY_PAUSE_MS = 20;

const LABEL_FORMS: Readonly<Record<LabelForm['suffix'], LabelForm>> = {
  zpl: { suffix: 'zpl', format: (label) => encodeUtf8(formatUnitZpl(label)) },
  png: { suffix: 'png', format: (label) => renderUnitPng(label, 'qrCode') },
  svg: { suffix: 'svg', format: (label) => encodeUtf8(renderUnitSvg(label, 'qrCode')) },
};

/** Raw ZPL to a network printer, most often on port 9100 (AppSocket): it answers nothing, closing means taken. */
export class TcpLabelPrinter implements LabelPrinter {
  readonly name: string;
  readonly #host: string;
  readonly #port: number;
  readonly #timeoutMs: number;

  constructor({
    host,
    port,
    timeoutMs,
  }: {
    readonly host: string;
    readonly port: number;
    readonly timeoutMs?: number;
  }) {
    this.name = `tcp:${host}:${port}`;
    this.#host = host;
    this.#port = port;
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  async print(label: UnitLabel): Promise<void> {
    const bytes = encodeUtf8(formatUnitZpl(label));
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection({ host: this.#host, port: this.#port });
      const fail = (reason: string): void => {
        socket.destroy();
        reject(silent(this.name, reason));
      };
      socket.setTimeout(this.#timeoutMs, () => {
        fail('it took nothing in time');
      });
      socket.on('error', (error) => {
        fail(error.message);
      });
      // What it says is not ours to read; without reading, its closing would not be heard.
      socket.resume();
      socket.on('connect', () => socket.end(bytes));
      socket.on('close', (hadError) => {
        if (!hadError) resolve();
      });
    });
  }
}

/** A device file such as `/dev/usb/lp0`, or a named pipe; it must be there and be no plain file. */
export class DeviceLabelPrinter implements LabelPrinter {
  readonly name: string;
  readonly #path: string;
  readonly #timeoutMs: number;

  constructor({ path, timeoutMs }: { readonly path: string; readonly timeoutMs?: number }) {
    this.name = `device:${path}`;
    this.#path = path;
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  async print(label: UnitLabel): Promise<void> {
    const bytes = encodeUtf8(formatUnitZpl(label));
    try {
      // Without waiting: a pipe that nobody reads is a printer that is off.
      const device = await open(this.#path, constants.O_WRONLY | constants.O_NONBLOCK);
      try {
        if ((await device.stat()).isFile()) throw silent(this.name, 'it is a plain file');
        await writeInTime(device, bytes, this.#timeoutMs);
      } finally {
        await device.close();
      }
    } catch (error) {
      if (error instanceof StationRefusal || !(error instanceof Error)) throw error;
      throw silent(this.name, error.message);
    }
  }
}

/** One file for each label, `SERIAL-COPY.zpl`, `.png` or `.svg`; never one that is there already. */
export class FolderLabelPrinter implements LabelPrinter {
  readonly name: string;
  readonly #directory: string;
  readonly #form: LabelForm;

  constructor({ directory, form }: { readonly directory: string; readonly form: LabelForm['suffix'] }) {
    this.name = `folder:${form}`;
    this.#directory = directory;
    this.#form = LABEL_FORMS[form];
  }

  async print(label: UnitLabel): Promise<void> {
    const bytes = await this.#form.format(label);
    const name = `${label.printedSerial.replaceAll(/[^A-Za-z0-9.-]/g, '_')}-${label.copy}.${this.#form.suffix}`;
    const draft = join(this.#directory, `.${name}`);
    try {
      await mkdir(this.#directory, { recursive: true });
      const file = await open(draft, 'w', 0o644);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, join(this.#directory, name));
    } catch (error) {
      throw silent(this.name, error instanceof Error ? error.message : 'it failed');
    }
  }
}

/** A device takes what its buffer holds; the rest when there is room again. */
async function writeInTime(device: Awaited<ReturnType<typeof open>>, bytes: Bytes, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  let rest = bytes;
  while (rest.length > 0) {
    try {
      const { bytesWritten } = await device.write(rest);
      rest = rest.subarray(bytesWritten);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN') || signal.aborted) throw error;
      await pause(RETRY_PAUSE_MS);
    }
  }
}

function silent(name: string, reason: string): StationRefusal {
  return new StationRefusal('LB-112', { expected: `${name} to take a label`, observed: reason.slice(0, 200) });
}
