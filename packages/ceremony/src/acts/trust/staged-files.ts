// SPDX-License-Identifier: Apache-2.0
/**
 * What waits in the work folder for the holders of root keys: the root and targets to sign, and the signatures collected
 * so far, one file for each holder. Everything is public; nothing is believed because it is there.
 */
import { parseStrictJson, formatJson, RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import {
  isStagedSignature,
  parseStagedMetadata,
  type MetadataSignature,
  type StagedMetadata,
} from '@witnessmark/trust';
import { z } from 'zod';
import type { ActResult } from '../../act.ts';
import type { WorkFolder } from '../work-folder.ts';

export interface Staged {
  readonly root: StagedMetadata;
  readonly targets: StagedMetadata;
}

export interface HolderSignatures {
  readonly root: MetadataSignature;
  readonly targets: MetadataSignature;
}

const FILES = { root: 'staged-root.json', targets: 'staged-targets.json' } as const;
const JSON_LIMITS = { maxBytes: 16 * 1024, maxDepth: 4, maxValues: 100 };
const signature = z.strictObject({ keyid: z.string().max(64), sig: z.string().max(256) });
const signatures = z.strictObject({ root: signature, targets: signature });

export async function writeStaged(work: WorkFolder, staged: Staged): Promise<void> {
  await work.write(FILES.targets, staged.targets.document);
  await work.write(FILES.root, staged.root.document);
}

/** Null until both were written. Throws TR-109 for damaged ones. */
export async function readStaged(work: WorkFolder): Promise<Staged | null> {
  const root = await work.read(FILES.root);
  const targets = await work.read(FILES.targets);
  if (root === null || targets === null) return null;
  return { root: parseStagedMetadata('root', root), targets: parseStagedMetadata('targets', targets) };
}

/** A29: exactly what the people in the room were shown. Throws CE-211 or CE-215. */
export async function demandStaged(work: WorkFolder, shown: ActResult): Promise<Staged> {
  const staged = await readStaged(work);
  if (staged === null) throw new RefusedError('CE-215', 'the work folder holds no root to sign');
  for (const role of ['root', 'targets'] as const) {
    const expected = shown.digests.find(({ name }) => name === stagedDigestName(role))?.sha256;
    if (expected !== staged[role].digest) {
      throw new RefusedError(
        'CE-211',
        `the staged ${role} has digest ${staged[role].digest}, shown was ${expected ?? 'none'}`,
      );
    }
  }
  return staged;
}

export function stagedDigestName(role: 'root' | 'targets'): string {
  return `${role} to sign`;
}

export async function writeSignatures(work: WorkFolder, key: PublicKey, made: HolderSignatures): Promise<void> {
  await work.write(fileOf(key), formatJson(made));
}

/** What this key signed, or null; signatures over anything else count as none. */
export async function readSignatures(
  work: WorkFolder,
  key: PublicKey,
  staged: Staged,
): Promise<HolderSignatures | null> {
  const bytes = await work.read(fileOf(key));
  const found = bytes === null ? null : parseSignatures(bytes);
  if (found === null) return null;
  const areMade =
    isStagedSignature(key, staged.root, found.root) && isStagedSignature(key, staged.targets, found.targets);
  return areMade ? found : null;
}

function fileOf({ keyid }: PublicKey): string {
  return `signatures-${keyid}.json`;
}

function parseSignatures(bytes: Bytes): HolderSignatures | null {
  const parsed = signatures.safeParse(parseStrictJson(bytes, JSON_LIMITS));
  return parsed.success ? parsed.data : null;
}
