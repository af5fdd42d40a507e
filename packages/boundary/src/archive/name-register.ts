// SPDX-License-Identifier: Apache-2.0
/** Every name of a medium once: equal names, and names that only case or Unicode form tells apart, are refused (A38). */
import { RefusedFile } from '../refused-file.ts';

interface Place {
  readonly path: string;
  readonly kind: 'file' | 'directory';
}

export class NameRegister {
  /** By the name that a file system ignoring case and Unicode form would use. */
  readonly #places = new Map<string, Place>();

  /** Throws BX-103 when another file or directory has this name already. */
  addFile(path: string): void {
    this.#addParents(path);
    const other = this.#places.get(fold(path));
    if (other !== undefined) throw collision(path, other);
    this.#places.set(fold(path), { path, kind: 'file' });
  }

  /** A directory may be named any number of times, always with the same spelling; throws BX-103. */
  addDirectory(path: string): void {
    this.#addParents(path);
    const other = this.#places.get(fold(path));
    if (other !== undefined && (other.kind === 'file' || other.path !== path)) throw collision(path, other);
    this.#places.set(fold(path), { path, kind: 'directory' });
  }

  #addParents(path: string): void {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (parent !== '') this.addDirectory(parent);
  }
}

/** Upper case first: it unites letters that have several lower-case forms, such as ß and ss, or ſ and s. */
function fold(path: string): string {
  return path.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

function collision(path: string, other: Place): RefusedFile {
  const what = other.path === path ? 'it is there twice' : `the ${other.kind} ${other.path} is there as well`;
  return new RefusedFile('BX-103', path, what);
}
