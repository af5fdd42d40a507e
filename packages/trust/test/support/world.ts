// SPDX-License-Identifier: Apache-2.0
/** A small repository with real keys in a directory of its own, and the tools of somebody who damages it. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalize } from '@tufjs/canonical-json';
import { encodeHex, encodeUtf8, parseInstant, sha256Hex, type Bytes, type Instant } from '@witnessmark/core';
import { generateSoftwareKey, type SoftwareKey } from '@witnessmark/custody';
import { afterAll } from 'vitest';
import {
  createRepository,
  nodeFiles,
  signStagedMetadata,
  toTargetContent,
  toTufKey,
  TrustAuthor,
  TrustClient,
  type Files,
  type TargetContent,
} from '../../src/index.ts';

export const NOW: Instant = parseInstant('2026-11-20T08:00:00Z');
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** In memory where there is such a thing: thousands of syncs prove nothing more on a disk. */
const SCRATCH_BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

export function scratch(): string {
  const directory = mkdtempSync(join(SCRATCH_BASE, 'trust-test-'));
  directories.push(directory);
  return directory;
}

export const KEYS = {
  alice: generateSoftwareKey('ecdsa-sha2-nistp256'),
  bob: generateSoftwareKey('ecdsa-sha2-nistp256'),
  carol: generateSoftwareKey('ecdsa-sha2-nistp256'),
  dave: generateSoftwareKey('ecdsa-sha2-nistp256'),
  online: generateSoftwareKey('ecdsa-sha2-nistp256'),
  effectivity: generateSoftwareKey('ecdsa-sha2-nistp256'),
  stranger: generateSoftwareKey('ecdsa-sha2-nistp256'),
};
export type KeyName = keyof typeof KEYS;

export const SIGNERS = { online: KEYS.online, effectivity: KEYS.effectivity };

export function holders(...names: KeyName[]) {
  return { threshold: 2, holders: names.map((owner) => ({ owner, publicKey: KEYS[owner].publicKey })) };
}

export const IMAGE_PATH = 'images/gw.bin';
export const EFFECTIVITY_PATH = 'effectivity/PEN.L3.json';

export function content(path: string, text: string): TargetContent {
  return toTargetContent(path, encodeUtf8(text));
}

export interface World {
  readonly directory: string;
  readonly initialRoot: Bytes;
  open(files?: Files): Promise<TrustAuthor>;
  client(options?: { readonly metadataDir?: string; readonly cacheDir?: string }): TrustClient;
  /** Publishes an image text, approved by two of three. */
  release(text: string, signers?: readonly KeyName[], at?: Instant): Promise<void>;
}

export function createWorld(): Promise<World> {
  return createWorldAt(NOW);
}

export async function createWorldAt(now: Instant): Promise<World> {
  const base = scratch();
  const directory = join(base, 'repository');
  const keys = { root: holders('alice', 'bob', 'carol'), targets: holders('alice', 'bob', 'carol') };
  const initialRoot = await createRepository({
    directory,
    files: nodeFiles,
    keys,
    approvers: [KEYS.alice, KEYS.bob],
    signers: SIGNERS,
    targets: [content('trusted-root.json', 'keys')],
    delegated: [content(EFFECTIVITY_PATH, 'rules 1')],
    now,
  });
  return worldOf(base, directory, initialRoot);
}

/** The same world, moved: damage done here stays here. */
export function copyWorld(world: World): World {
  const base = scratch();
  const directory = join(base, 'repository');
  cpSync(world.directory, directory, { recursive: true });
  return worldOf(base, directory, world.initialRoot);
}

function worldOf(base: string, directory: string, initialRoot: Bytes): World {
  let clients = 0;
  const open = (files: Files = nodeFiles) => TrustAuthor.open({ directory, initialRoot, files, signers: SIGNERS });
  return {
    directory,
    initialRoot,
    open,
    client: ({ metadataDir, ...rest } = {}) => {
      clients += 1;
      return new TrustClient({
        metadataDir: metadataDir ?? join(base, `client-${clients}`),
        repositoryDir: directory,
        initialRoot,
        ...rest,
      });
    },
    release: async (text, names = ['alice', 'bob'], at = NOW) => {
      const author = await open();
      const image = content(IMAGE_PATH, text);
      const staged = author.stageTargets({ add: [image], expiresAt: at + 300 * DAY });
      const signatures = await Promise.all(names.map((name) => signStagedMetadata(staged, KEYS[name])));
      await author.publish({ now: at, targets: { staged, signatures }, contents: [image] });
    },
  };
}

/** Metadata as a forger sees it: JSON that no type holds back. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- damage is not typed
export type Loose = any;

/** A metadata file as JSON, changed freely and signed by whoever is named. */
export function forge(
  directory: string,
  name: string,
  change: (signed: Loose) => void,
  signers: readonly SoftwareKey[],
  as = name,
): void {
  const document = JSON.parse(readFileSync(join(directory, 'metadata', name), 'utf8'));
  change(document.signed);
  document.signatures = signers.map((key) => signature(key, document.signed));
  writeFileSync(join(directory, 'metadata', as), JSON.stringify(document));
}

export function keyIdOf(key: unknown): string {
  return sha256Hex(encodeUtf8(canonicalize(key)));
}

export function signature(key: SoftwareKey, signed: unknown): { keyid: string; sig: string } {
  const bytes = encodeUtf8(canonicalize(signed));
  return { keyid: toTufKey(key.publicKey).keyID, sig: encodeHex(key.signNow(bytes)) };
}

/**
 * Changes metadata and signs every file above it anew, as an attacker with these keys could. `change` gets the documents'
 * `signed`; lengths and digests are put right afterwards.
 */
export function forgeChain(
  directory: string,
  change: (signed: Record<'targets' | 'effectivity' | 'snapshot' | 'timestamp', Loose>) => void,
  signers: { targets: readonly SoftwareKey[]; online: SoftwareKey; effectivity?: SoftwareKey },
): void {
  const read = (name: string): Loose => JSON.parse(readFileSync(join(directory, 'metadata', name), 'utf8')).signed;
  const timestamp = read('timestamp.json');
  const snapshot = read(`${timestamp.meta['snapshot.json'].version}.snapshot.json`);
  const targets = read(`${snapshot.meta['targets.json'].version}.targets.json`);
  const effectivity = read(`${snapshot.meta['effectivity.json'].version}.effectivity.json`);
  const before = { targets: JSON.stringify(targets), effectivity: JSON.stringify(effectivity) };
  change({ targets, effectivity, snapshot, timestamp });
  const write = (name: string, signed: unknown, keys: readonly SoftwareKey[]): Bytes => {
    const bytes = encodeUtf8(JSON.stringify({ signatures: keys.map((key) => signature(key, signed)), signed }));
    writeFileSync(join(directory, 'metadata', name), bytes);
    return bytes;
  };
  const meta = (version: number, bytes: Bytes) => ({
    version,
    length: bytes.length,
    hashes: { sha256: sha256Hex(bytes) },
  });
  if (JSON.stringify(targets) !== before.targets) {
    const bytes = write(`${targets.version}.targets.json`, targets, signers.targets);
    snapshot.meta['targets.json'] = meta(targets.version, bytes);
  }
  if (JSON.stringify(effectivity) !== before.effectivity) {
    const bytes = write(`${effectivity.version}.effectivity.json`, effectivity, [signers.effectivity as SoftwareKey]);
    snapshot.meta['effectivity.json'] = meta(effectivity.version, bytes);
  }
  const snapshotBytes = write(`${snapshot.version}.snapshot.json`, snapshot, [signers.online]);
  timestamp.meta['snapshot.json'] = meta(snapshot.version, snapshotBytes);
  write('timestamp.json', timestamp, [signers.online]);
}
