// SPDX-License-Identifier: Apache-2.0
/** ELF files (System V gABI, chapter 4): whether one is a core file, and whether it carries symbols or debug information. */
import type { Bytes } from '@witnessmark/core';

const TYPE_CORE = 4;
const SECTION_SYMBOL_TABLE = 2;
/** Names of sections with symbols or debug information; the dynamic symbols of a library are its interface. */
const SYMBOL_SECTIONS =
  /^\.(?:symtab|strtab|z?debug_|gnu_debugdata|gnu_debuglink|stab|line|gdb_index|gnu\.lto_|ctf|BTF)/;
const MAX_SECTIONS = 65_535;

export type ElfKind = 'core' | 'stripped' | 'symbols' | 'malformed';

/** Null when the bytes are no ELF file. `malformed` when it cannot be told what it carries. */
export function inspectElf(bytes: Bytes): ElfKind | null {
  if (!(bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46)) return null;
  try {
    return new ElfFile(bytes).kind();
  } catch (cause) {
    if (cause instanceof RangeError) return 'malformed';
    throw cause;
  }
}

interface Section {
  readonly type: number;
  readonly nameOffset: number;
  readonly offset: number;
  readonly size: number;
}

/** Reads beyond the end throw `RangeError`. */
class ElfFile {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #is64: boolean;
  readonly #isLittle: boolean;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#is64 = this.#oneOf(4, 1, 2) === 2;
    this.#isLittle = this.#oneOf(5, 1, 2) === 1;
  }

  kind(): ElfKind {
    if (this.#half(16) === TYPE_CORE) return 'core';
    const names = this.#sectionNames();
    if (names === null) return 'symbols';
    return names.some((name) => SYMBOL_SECTIONS.test(name)) ? 'symbols' : 'stripped';
  }

  /** Null when a section is a symbol table, whatever its name. */
  #sectionNames(): readonly string[] | null {
    const tableOffset = this.#is64 ? this.#long(40) : this.#word(32);
    const entryBytes = this.#half(this.#is64 ? 58 : 46);
    let count = this.#half(this.#is64 ? 60 : 48);
    let namesIndex = this.#half(this.#is64 ? 62 : 50);
    if (tableOffset === 0) return [];
    const section = (index: number): Section => this.#section(tableOffset + index * entryBytes);
    // More sections than a half can count are counted in the first section.
    if (count === 0) count = section(0).size;
    if (namesIndex === 0xffff) namesIndex = this.#word(tableOffset + (this.#is64 ? 40 : 24));
    if (count > MAX_SECTIONS || namesIndex >= count) throw new RangeError('the section table is not plausible');
    const names = section(namesIndex);
    const found: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const { type, nameOffset } = section(index);
      if (type === SECTION_SYMBOL_TABLE) return null;
      found.push(this.#text(names, nameOffset));
    }
    return found;
  }

  #section(at: number): Section {
    return {
      nameOffset: this.#word(at),
      type: this.#word(at + 4),
      offset: this.#is64 ? this.#long(at + 24) : this.#word(at + 16),
      size: this.#is64 ? this.#long(at + 32) : this.#word(at + 20),
    };
  }

  #text(names: Section, offset: number): string {
    const start = names.offset + offset;
    if (offset > names.size || start > this.#bytes.length) throw new RangeError('a section name is outside the file');
    return String.fromCharCode(...this.#bytes.subarray(start, start + 64)).split('\0', 1)[0] ?? '';
  }

  #oneOf(at: number, ...values: readonly number[]): number {
    const value = this.#view.getUint8(at);
    if (!values.includes(value)) throw new RangeError('the ELF identification is not plausible');
    return value;
  }

  #half(at: number): number {
    return this.#view.getUint16(at, this.#isLittle);
  }

  #word(at: number): number {
    return this.#view.getUint32(at, this.#isLittle);
  }

  #long(at: number): number {
    return Number(this.#view.getBigUint64(at, this.#isLittle));
  }
}
