// SPDX-License-Identifier: Apache-2.0
/** Writes ZIP archives with any defect: what the directory says and what stands before a file can differ. */
import { crc32 } from 'node:zlib';
import { storedDeflate } from './raw-deflate.ts';

interface Claims {
  readonly name?: string;
  readonly flags?: number;
  readonly method?: number;
  readonly crc?: number;
  readonly compressedSize?: number;
  readonly size?: number;
  readonly extra?: Uint8Array;
}

export interface RawZipEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  readonly deflated?: boolean;
  /** Unix mode in the upper half of the external attributes. */
  readonly mode?: number;
  readonly comment?: string;
  readonly offset?: number;
  /** Bytes after the data, such as a data descriptor. */
  readonly after?: Uint8Array;
  /** What only the header before the file says. */
  readonly local?: Claims;
  /** What only the directory says. */
  readonly central?: Claims;
  readonly both?: Claims;
}

export interface RawZipOptions {
  readonly before?: Uint8Array;
  readonly beforeDirectory?: Uint8Array;
  readonly afterDirectory?: Uint8Array;
  readonly comment?: string;
  readonly trailing?: Uint8Array;
  readonly entries?: number;
}

export function rawZip(entries: readonly RawZipEntry[], options: RawZipOptions = {}): Buffer {
  const parts: Buffer[] = [Buffer.from(options.before ?? [])];
  const directory: Buffer[] = [];
  let offset = parts[0]!.length;
  for (const entry of entries) {
    const raw = Buffer.from(entry.content ?? '');
    const data = entry.deflated === true ? storedDeflate(raw) : raw;
    const truth = {
      name: entry.name,
      flags: 0,
      method: entry.deflated === true ? 8 : 0,
      crc: crc32(raw),
      compressedSize: data.length,
      size: raw.length,
      extra: new Uint8Array(0),
      ...entry.both,
    };
    const local = { ...truth, ...entry.local };
    const header = Buffer.concat([localHeader(local), data, Buffer.from(entry.after ?? [])]);
    directory.push(centralHeader({ ...truth, ...entry.central }, entry, entry.offset ?? offset));
    parts.push(header);
    offset += header.length;
  }
  const before = Buffer.from(options.beforeDirectory ?? []);
  const after = Buffer.from(options.afterDirectory ?? []);
  const central = Buffer.concat([...directory, after]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.entries ?? entries.length, 8);
  end.writeUInt16LE(options.entries ?? entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset + before.length, 16);
  end.writeUInt16LE(Buffer.byteLength(options.comment ?? ''), 20);
  return Buffer.concat([
    ...parts,
    before,
    central,
    end,
    Buffer.from(options.comment ?? ''),
    Buffer.from(options.trailing ?? []),
  ]);
}

/** A data descriptor with its signature (APPNOTE 4.3.9). */
export function descriptor(content: string, lie = 0): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt32LE(0x08074b50, 0);
  record.writeUInt32LE(crc32(Buffer.from(content)), 4);
  record.writeUInt32LE(Buffer.byteLength(content) + lie, 8);
  record.writeUInt32LE(Buffer.byteLength(content), 12);
  return record;
}

export function extraField(id: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

function localHeader(claims: Required<Claims>): Buffer {
  const name = Buffer.from(claims.name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(header, 4, claims, name);
  return Buffer.concat([header, name, claims.extra]);
}

function centralHeader(claims: Required<Claims>, { mode = 0, comment = '' }: RawZipEntry, offset: number): Buffer {
  const name = Buffer.from(claims.name);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(0x031e, 4);
  writeCommon(header, 6, claims, name);
  header.writeUInt16LE(Buffer.byteLength(comment), 32);
  header.writeUInt32LE((mode << 16) >>> 0, 38);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, name, claims.extra, Buffer.from(comment)]);
}

/** The fields both headers share, from "version needed" to the length of the extra field. */
function writeCommon(header: Buffer, at: number, claims: Required<Claims>, name: Buffer): void {
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(claims.flags, at + 2);
  header.writeUInt16LE(claims.method, at + 4);
  header.writeUInt32LE(claims.crc, at + 10);
  header.writeUInt32LE(claims.compressedSize, at + 14);
  header.writeUInt32LE(claims.size, at + 18);
  header.writeUInt16LE(name.length, at + 22);
  header.writeUInt16LE(claims.extra.length, at + 24);
}
