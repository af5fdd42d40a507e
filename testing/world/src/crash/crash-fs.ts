// SPDX-License-Identifier: Apache-2.0
/**
 * A disk in memory that keeps apart what is durable and what is not. Bytes become durable by syncing their file, names
 * by syncing their directory; at a power cut everything else is kept, lost, torn, or a file has grown without its data.
 */
import { concatBytes, type Bytes } from '@witnessmark/core';
import type { FileSystem, OpenFile } from '@witnessmark/station';

const SECTOR_BYTES = 512;

/** What becomes of something that was not synced. */
export type Fate = 'kept' | 'lost' | 'torn' | 'zeros';
/** Decides one fate; `kind` says whether a name or bytes are at stake. */
export type FateChooser = (kind: 'name' | 'bytes') => Fate;

interface Inode {
  durable: Bytes;
  pending: Bytes[];
}

interface NameChange {
  readonly directory: string;
  readonly apply: (names: Map<string, Inode>) => void;
}

/** What a disk holds after a power cut. */
export type DiskImage = ReadonlyMap<string, Bytes>;

export class CrashFs implements FileSystem {
  readonly #durableNames: Map<string, Inode>;
  readonly #names: Map<string, Inode>;
  #changes: NameChange[] = [];
  /** A disk that says it synced and did not. */
  readonly #ignoresSync: boolean;

  constructor(image: DiskImage = new Map(), options: { readonly ignoresSync?: boolean } = {}) {
    this.#durableNames = new Map([...image].map(([path, bytes]) => [path, { durable: bytes, pending: [] }]));
    this.#names = new Map(this.#durableNames);
    this.#ignoresSync = options.ignoresSync ?? false;
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve();
  }

  list(directory: string): Promise<readonly string[]> {
    const inside = [...this.#names.keys()].filter((path) => directoryOf(path) === directory);
    return Promise.resolve(inside.map((path) => path.slice(path.lastIndexOf('/') + 1)));
  }

  read(path: string): Promise<Bytes | null> {
    const inode = this.#names.get(path);
    return Promise.resolve(inode === undefined ? null : contentOf(inode));
  }

  open(path: string, mode: 'create' | 'append'): Promise<OpenFile> {
    let inode = mode === 'append' ? this.#names.get(path) : undefined;
    if (inode === undefined) {
      const created: Inode = { durable: new Uint8Array(0), pending: [] };
      this.#change(path, (names) => names.set(path, created));
      inode = created;
    }
    return Promise.resolve(this.#toOpenFile(inode));
  }

  rename(from: string, to: string): Promise<void> {
    const inode = this.#names.get(from);
    if (inode === undefined) return Promise.reject(new Error(`ENOENT: ${from}`));
    this.#change(to, (names) => {
      names.delete(from);
      names.set(to, inode);
    });
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    if (!this.#names.has(path)) return Promise.reject(new Error(`ENOENT: ${path}`));
    this.#change(path, (names) => names.delete(path));
    return Promise.resolve();
  }

  syncDirectory(path: string): Promise<void> {
    if (this.#ignoresSync) return Promise.resolve();
    for (const change of this.#changes) if (change.directory === path) change.apply(this.#durableNames);
    this.#changes = this.#changes.filter((change) => change.directory !== path);
    return Promise.resolve();
  }

  /** What is surely there after a power cut. */
  durableImage(): DiskImage {
    return new Map([...this.#durableNames].map(([path, { durable }]) => [path, durable]));
  }

  /** What a reader sees now. */
  currentImage(): DiskImage {
    return new Map([...this.#names].map(([path, inode]) => [path, contentOf(inode)]));
  }

  /** What is there after a power cut now, with `choose` deciding about everything that was not synced. */
  cutPower(choose: FateChooser): DiskImage {
    const names = new Map(this.#durableNames);
    for (const change of this.#changes) if (choose('name') === 'kept') change.apply(names);
    return new Map([...names].map(([path, inode]) => [path, survive(inode, choose)]));
  }

  #toOpenFile(inode: Inode): OpenFile {
    return {
      write: (bytes) => {
        inode.pending.push(bytes.slice());
        return Promise.resolve();
      },
      sync: () => {
        if (!this.#ignoresSync) {
          inode.durable = contentOf(inode);
          inode.pending = [];
        }
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }

  #change(path: string, apply: NameChange['apply']): void {
    this.#changes.push({ directory: directoryOf(path), apply });
    apply(this.#names);
  }
}

function contentOf({ durable, pending }: Inode): Bytes {
  return concatBytes(durable, ...pending);
}

/** Appended bytes arrive in order: after the first that did not arrive whole, nothing does. */
function survive({ durable, pending }: Inode, choose: FateChooser): Bytes {
  const parts = [durable];
  for (const bytes of pending) {
    const fate = choose('bytes');
    if (fate === 'kept') {
      parts.push(bytes);
      continue;
    }
    if (fate === 'zeros') parts.push(new Uint8Array(bytes.length));
    if (fate === 'torn') parts.push(bytes.subarray(0, tornLength(bytes.length)));
    break;
  }
  return concatBytes(...parts);
}

/** Half of the sectors, or half of the only one. */
function tornLength(length: number): number {
  return length <= SECTOR_BYTES
    ? Math.floor(length / 2)
    : Math.floor(length / SECTOR_BYTES / 2) * SECTOR_BYTES || SECTOR_BYTES;
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}
