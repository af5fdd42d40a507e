// SPDX-License-Identifier: Apache-2.0
/** A small script with every kind of step, and the people for it. */
import { encodeBase64, formatJson, type JsonValue } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import {
  parseScript,
  SCRIPT_MEDIA_TYPE,
  type CeremonyFiles,
  type ReviewedScript,
  type RunSettings,
} from '@witnessmark/ceremony';
import type { CrashFs } from '../../../../testing/world/src/crash/crash-fs.ts';
import type { FaultPlan } from '../../../../testing/world/src/crash/fault-plan.ts';

const step = {
  title: 'A step',
  roles: ['administrator'],
  readAloud: 'We do what is written here.',
  irreversible: null,
  act: null,
  check: 'Look at it.',
  expected: 'the seal is whole',
  witness: 'The witness sees the seal.',
};

export const SCRIPT = {
  mediaType: SCRIPT_MEDIA_TYPE,
  name: 'test-root',
  version: 3,
  type: 'trustRoot',
  title: 'A root for tests',
  purpose: 'Two keys are made and one paper is stamped.',
  roles: { holders: 2, auditor: false },
  quorum: { threshold: 2, of: 2 },
  equipment: [{ name: 'card', description: 'the card of the first holder' }],
  inputs: [{ name: 'ticket', description: 'the change this belongs to' }],
  steps: [
    { ...step, id: 'open-bag', title: 'Open the bag' },
    {
      ...step,
      id: 'make-key',
      title: 'Make the key',
      roles: ['administrator', 'holder-1'],
      irreversible: 'The slot keeps this key for good.',
      act: { kind: 'burn', parameters: { thing: 'card' } },
    },
    { ...step, id: 'stamp-paper', title: 'Stamp the paper', act: { kind: 'stamp', parameters: { thing: 'card' } } },
    { ...step, id: 'seal-bag', title: 'Seal the bag', irreversible: 'A sealed bag is not opened again.' },
  ],
} satisfies JsonValue;

export const KEYS = {
  administrator: generateSoftwareKey('ecdsa-sha2-nistp256'),
  witness: generateSoftwareKey('ed25519'),
  auditor: generateSoftwareKey('ecdsa-sha2-nistp256'),
};

export const SETTINGS: RunSettings = {
  ceremonyId: 'root-2026',
  environment: { simulated: true, rehearsal: false },
  location: 'room K2',
  people: [
    { id: 'a.rossi', role: 'administrator', publicKey: encodeBase64(KEYS.administrator.publicKey.spki) },
    { id: 'j.abe', role: 'witness', publicKey: encodeBase64(KEYS.witness.publicKey.spki) },
    { id: 's.kim', role: 'holder', publicKey: null },
    { id: 'l.meyer', role: 'holder', publicKey: null },
  ],
  equipment: [{ name: 'card', label: 'officer-a', serial: '17402231', bag: 'TEB-0007' }],
  inputs: [{ name: 'ticket', value: 'ECO-7731' }],
  tool: { version: '0.1.0', sha256: 'ab'.repeat(32) },
};

/** A part of a document, to be changed into something that is none. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- damage is not typed
export type Draft = any;

export function script(change: (draft: Draft) => void = () => undefined): ReviewedScript {
  const draft = structuredClone(SCRIPT);
  change(draft);
  return parseScript(formatJson(draft));
}

/** The calls of a ceremony to a disk, each through a plan that may fail it or end the program there. */
export function faultyFiles(disk: CrashFs, plan: FaultPlan): CeremonyFiles {
  const call = <T>(name: string, effect: () => Promise<T>): Promise<T> =>
    plan.call(`fs.${name}`, effect, () => Promise.reject(Object.assign(new Error('the disk failed'), { code: 'EIO' })));
  return {
    makeDirectory: () => call('makeDirectory', () => disk.makeDirectory()),
    read: (path) => call(`read ${path}`, () => disk.read(path)),
    open: async (path, mode) => {
      const file = await call(`open ${path}`, () => disk.open(path, mode));
      return {
        write: (bytes) => call(`write ${path}`, () => file.write(bytes)),
        sync: () => call(`sync ${path}`, () => file.sync()),
        close: () => file.close(),
      };
    },
    rename: (from, to) => call(`rename ${to}`, () => disk.rename(from, to)),
    syncDirectory: (path) => call('syncDirectory', () => disk.syncDirectory(path)),
  };
}
