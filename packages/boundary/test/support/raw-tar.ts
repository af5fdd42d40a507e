// SPDX-License-Identifier: Apache-2.0
/** Writes tar archives with any defect: each field of a header can be said outright. */

export interface RawTarEntry {
  readonly name: string | Uint8Array;
  readonly content?: Uint8Array | string;
  readonly type?: string;
  readonly link?: string;
  /** Declared, when it is not the length of the content. */
  readonly size?: number;
  readonly sizeField?: string;
  readonly prefix?: string;
  readonly magic?: string;
  readonly checksum?: number;
  readonly padding?: number;
}

export const TAR_END: Uint8Array = new Uint8Array(1024);

export function rawTar(entries: readonly RawTarEntry[], end: Uint8Array = TAR_END): Uint8Array {
  return new Uint8Array(Buffer.concat([...entries.map(rawTarEntry), end]));
}

export function rawTarEntry(entry: RawTarEntry): Buffer {
  const content = bytes(entry.content ?? '');
  const block = Buffer.alloc(512);
  block.set(bytes(entry.name).subarray(0, 100), 0);
  block.write('0000644\x000000000\x000000000\0', 100, 'latin1');
  block.write(entry.sizeField ?? `${(entry.size ?? content.length).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.write('14474000000\0', 136, 'latin1');
  block.fill(0x20, 148, 156);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write(entry.link ?? '', 157, 'latin1');
  block.write(entry.magic ?? 'ustar\x0000', 257, 'latin1');
  block.write(entry.prefix ?? '', 345, 'latin1');
  const sum = entry.checksum ?? block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512, entry.padding ?? 0);
  return Buffer.concat([block, content, padding]);
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (Buffer.byteLength(`${length}${rest}`) !== length) length += 1;
  return `${length}${rest}`;
}

export function paxHeader(...records: readonly (readonly [key: string, value: string])[]): RawTarEntry {
  return { name: 'pax', type: 'x', content: records.map(([key, value]) => paxRecord(key, value)).join('') };
}

function bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}
