// SPDX-License-Identifier: Apache-2.0
/** People with keys, a log that remembers, policies, and directories: what the tests of media and bundles need. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KeyRole, TrustedKey } from '@witnessmark/attestation';
import { parseInstant, type Clock, type Envelope } from '@witnessmark/core';
import { generateSoftwareKey, type SoftwareKey } from '@witnessmark/custody';
import {
  DEFAULT_SECRET_CLASSES,
  formatSecretClasses,
  SecretClasses,
  type MediumIdentity,
  type TransferRequest,
} from '../../src/index.ts';

export const NOW: number = parseInstant('2026-11-18T09:00:00Z');
export const HOUR: number = 3600 * 1000;
export const CLASSES: SecretClasses = SecretClasses.parse(formatSecretClasses(DEFAULT_SECRET_CLASSES));

export interface World {
  readonly directory: string;
  readonly keys: TrustedKey[];
  /** What was recorded, in order. */
  readonly log: Envelope[];
  readonly clock: Clock & { at: number };
  readonly record: (envelope: Envelope) => Promise<void>;
  person(name: string, role: KeyRole): SoftwareKey;
  /** Writes files below a new directory and names it. */
  tree(files: Readonly<Record<string, string | Uint8Array>>): string;
  path(name: string): string;
}

export function createWorld(): World {
  const directory = mkdtempSync(join(tmpdir(), 'wm-boundary-'));
  const keys: TrustedKey[] = [];
  const log: Envelope[] = [];
  let trees = 0;
  const clock = { at: NOW, now: () => clock.at, monotonic: () => clock.at };
  return {
    directory,
    keys,
    log,
    clock,
    record: (envelope) => {
      log.push(envelope);
      return Promise.resolve();
    },
    person(name, role) {
      const key = generateSoftwareKey('ecdsa-sha2-nistp256');
      keys.push({
        role,
        owner: name,
        scope: 'L3',
        custody: 'software',
        key: key.publicKey,
        validFrom: NOW - HOUR,
        validUntil: NOW + 1000 * HOUR,
      } as TrustedKey);
      return key;
    },
    tree(files) {
      trees += 1;
      const root = join(directory, `tree-${trees}`);
      mkdirSync(root);
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      }
      return root;
    },
    path: (name) => join(directory, name),
  };
}

export const STICK: MediumIdentity = { id: '5A1C-0B2E', learntFrom: 'filesystemUuid', serial: null };

/** What every transfer of a test says. */
export function requestOf(world: World, signer: SoftwareKey, destination: string): TransferRequest {
  let ids = 0;
  return {
    signer,
    keys: world.keys,
    identity: STICK,
    site: { plant: 'PEN', line: 'L3' },
    classes: CLASSES,
    purpose: 'release of the week',
    ticket: 'ECO-7731',
    clock: world.clock,
    newId: () => `00000000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`,
    record: world.record,
    destination: world.path(destination),
  };
}
