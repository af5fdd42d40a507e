// SPDX-License-Identifier: Apache-2.0
/**
 * A file system that knows what is durable. A file's content is durable once it was synced, its name once its directory
 * was; a power cut takes everything else.
 */
import { dirname } from 'node:path';
import { concatBytes, type Bytes } from '@witnessmark/core';
import type { FilePort } from '../src/index.ts';

const DIRECTORY = 'directory';
type Node = Bytes | typeof DIRECTORY;

export class CrashFiles implements FilePort {
  #seen: Map<string, Node>;
  #durable: Map<string, Node>;

  constructor(root: string, durable: ReadonlyMap<string, Node> = new Map()) {
    this.#durable = new Map([...durable, [root, DIRECTORY]]);
    this.#seen = new Map(this.#durable);
  }

  /** What a power cut now would leave. */
  afterPowerCut(root: string): CrashFiles {
    const left = [...this.#durable].filter(([path]) => this.#isReachable(path, root));
    return new CrashFiles(root, new Map(left));
  }

  /* eslint-disable @typescript-eslint/require-await -- the port is asynchronous */
  async read(path: string): Promise<Bytes | undefined> {
    const node = this.#seen.get(path);
    return node === DIRECTORY ? undefined : node;
  }

  async list(directory: string): Promise<readonly string[]> {
    return this.#children(this.#seen, directory).map((path) => path.slice(directory.length + 1));
  }

  async makeDirectory(path: string): Promise<void> {
    if (!this.#seen.has(path)) this.#seen.set(path, DIRECTORY);
  }

  async writeSynced(path: string, parts: readonly Bytes[]): Promise<void> {
    if (this.#seen.get(dirname(path)) !== DIRECTORY) throw new Error(`${path}: no such directory`);
    this.#seen.set(path, concatBytes(...parts));
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#seen.get(from);
    if (node === undefined || this.#seen.get(dirname(to)) !== DIRECTORY) throw new Error(`${from}: no such file`);
    this.#seen.set(to, node);
    this.#seen.delete(from);
  }

  async syncDirectory(path: string): Promise<void> {
    for (const child of this.#children(this.#durable, path)) if (!this.#seen.has(child)) this.#durable.delete(child);
    for (const child of this.#children(this.#seen, path)) {
      this.#durable.set(child, this.#seen.get(child) as Node);
    }
  }

  async remove(path: string): Promise<void> {
    for (const other of [...this.#seen.keys()]) {
      if (other === path || other.startsWith(`${path}/`)) this.#seen.delete(other);
    }
  }

  #children(nodes: ReadonlyMap<string, Node>, directory: string): string[] {
    return [...nodes.keys()].filter((path) => dirname(path) === directory && path !== directory);
  }

  #isReachable(path: string, root: string): boolean {
    return path === root || (this.#durable.get(dirname(path)) === DIRECTORY && this.#isReachable(dirname(path), root));
  }
}

/** How a durable step goes wrong. */
export const FAULTS = ['fails, not done', 'fails, though done', 'crash before', 'crash after'] as const;
export type Fault = (typeof FAULTS)[number];

/** Thrown where the power is cut: nothing after it runs. */
export class PowerCut extends Error {}

/** Counts steps and breaks one of them. */
export class FaultPlan {
  readonly steps: string[] = [];
  readonly #at: number;
  readonly #fault: Fault;
  #isCut = false;

  constructor(at = -1, fault: Fault = 'crash before') {
    this.#at = at;
    this.#fault = fault;
  }

  /** Runs a step; after a power cut no step does anything any more. */
  async step<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (this.#isCut) throw new PowerCut(`${name}: the power is off`);
    const position = this.steps.push(name) - 1;
    if (position !== this.#at) return run();
    this.#isCut = this.#fault.startsWith('crash');
    if (this.#fault === 'fails, though done' || this.#fault === 'crash after') await run();
    if (this.#isCut) throw new PowerCut(name);
    throw Object.assign(new Error(`${name}: input/output error`), { code: 'EIO' });
  }

  get cutsPower(): boolean {
    return this.#fault.startsWith('crash');
  }
}

/** The port with every changing step counted, and broken where the plan says. */
export function faultyFiles(files: FilePort, plan: FaultPlan): FilePort {
  return {
    read: (path) => files.read(path),
    list: (directory) => files.list(directory),
    makeDirectory: (path) => plan.step('make directory', () => files.makeDirectory(path)),
    writeSynced: (path, parts) => plan.step('write', () => files.writeSynced(path, parts)),
    rename: (from, to) => plan.step('rename', () => files.rename(from, to)),
    syncDirectory: (path) => plan.step('sync directory', () => files.syncDirectory(path)),
    remove: (path) => plan.step('remove', () => files.remove(path)),
  };
}
