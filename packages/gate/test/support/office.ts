// SPDX-License-Identifier: Apache-2.0
/** An office with people, keys, a repository and a gate; time stands still until a test moves it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEffectivity, formatTrustedRoot, type KeyRole, type TrustedRoot } from '@witnessmark/attestation';
import {
  encodeBase64,
  formatInstant,
  parseInstant,
  type Bytes,
  type Clock,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import { generateSoftwareKey, type Signer, type SoftwareKey } from '@witnessmark/custody';
import { buildSampleImage } from '@witnessmark/device';
import {
  createRepository,
  effectivityPath,
  nodeFiles,
  toTargetContent,
  TrustClient,
  TRUSTED_ROOT_PATH,
  type Files,
} from '@witnessmark/trust';
import { afterAll } from 'vitest';
import {
  Gate,
  type ApprovalRequest,
  type GateOptions,
  type ProposalRequest,
  type PromotionStatus,
} from '../../src/index.ts';

export const NOW: Instant = parseInstant('2026-11-20T08:00:00Z');
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const SITE = { plant: 'PEN', line: 'L3' };
export const RULE = { threshold: 2, requiredRoles: ['security'] };

/** In memory where there is such a thing: thousands of syncs prove nothing more on a disk. */
const SCRATCH_BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

export function scratch(): string {
  const directory = mkdtempSync(join(SCRATCH_BASE, 'gate-test-'));
  directories.push(directory);
  return directory;
}

function key(): SoftwareKey {
  return generateSoftwareKey('ecdsa-sha2-nistp256');
}

export const KEYS = {
  /** Author. */
  dana: key(),
  /** Approvers, one card each. */
  meyer: key(),
  rossi: key(),
  abe: key(),
  /** A second card of Rossi, enrolled for release. */
  rossi2: key(),
  /** The author's card as an approver. */
  danaApprover: key(),
  /** An approver whose key ran out. */
  kim: key(),
  /** An author and an approver whose keys run out an hour from now. */
  eve: key(),
  lee: key(),
  operator: key(),
  /** What releases are sealed to: the line's two keys, one that ran out, and another line's. */
  unsealing: key(),
  spareUnsealing: key(),
  oldUnsealing: key(),
  foreignUnsealing: key(),
  stranger: key(),
  online: key(),
  effectivity: key(),
};
export type KeyName = keyof typeof KEYS;

function trustedRoot(now: Instant): TrustedRoot {
  const entry = (role: KeyRole, name: KeyName, owner: string, scope: string, until: Instant | null = null) => ({
    role,
    publicKey: encodeBase64(KEYS[name].publicKey.spki),
    owner,
    scope,
    custody: 'software' as const,
    validFrom: formatInstant(now - DAY),
    validUntil: until === null ? null : formatInstant(until),
  });
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: 'test',
    version: 1,
    logs: [],
    witnesses: [],
    keys: [
      entry('author', 'dana', 'd.okafor', 'engineering'),
      entry('approver', 'meyer', 'l.meyer', 'release'),
      entry('approver', 'rossi', 'a.rossi', 'security'),
      entry('approver', 'abe', 'j.abe', 'quality'),
      entry('approver', 'rossi2', 'a.rossi', 'release'),
      entry('approver', 'danaApprover', 'd.okafor', 'security'),
      entry('approver', 'kim', 's.kim', 'security', now),
      entry('author', 'eve', 'e.park', 'engineering', now + HOUR),
      entry('approver', 'lee', 'b.lee', 'security', now + HOUR),
      entry('operator', 'operator', 'n.lee', 'L3'),
      entry('unsealing', 'unsealing', 'L3', 'L3'),
      entry('unsealing', 'spareUnsealing', 'L3', 'L3', now + HOUR),
      entry('unsealing', 'oldUnsealing', 'L3', 'L3', now),
      entry('unsealing', 'foreignUnsealing', 'L4', 'L4'),
    ],
    certificateAuthorities: [],
    revocations: [],
  };
}

/** A clock that shows what it is told. */
export class StoppedClock implements Clock {
  instant: Instant;
  constructor(instant: Instant) {
    this.instant = instant;
  }
  now(): Instant {
    return this.instant;
  }
  monotonic(): number {
    return this.instant;
  }
}

export interface Office {
  readonly base: string;
  readonly repositoryDir: string;
  readonly initialRoot: Bytes;
  readonly clock: StoppedClock;
  readonly gate: Gate;
  /** Everything a gate is opened with. */
  readonly options: GateOptions;
  /** What the gate told its recorder. */
  readonly statements: Envelope[];
  /** Writes the file a build produced. */
  image(content?: Bytes | string): string;
  open(change?: Partial<GateOptions>): Gate;
  /** A gate on an approver's own machine, without the keys of the repository. */
  openDesk(change?: Partial<GateOptions>): Gate;
  propose(change?: Partial<ProposalRequest>): Promise<PromotionStatus>;
  approve(name: KeyName, change?: Partial<ApprovalRequest>, gate?: Gate): Promise<PromotionStatus>;
  client(): TrustClient;
  /** The directory of a promotion. */
  promotion(id?: string): string;
}

export const SAMPLE_IMAGE = buildSampleImage({ sizeBytes: 4096, version: '4.2.1', securityCounter: 13, seed: 'gate' });

/** Rossi has two cards in this root, which no root made by a gate would have. */
const HOLDERS: readonly KeyName[] = ['meyer', 'rossi', 'abe', 'rossi2', 'danaApprover', 'lee'];

export async function createOffice(files: Files = nodeFiles, people: readonly KeyName[] = HOLDERS): Promise<Office> {
  const base = scratch();
  const repositoryDir = join(base, 'trust');
  const holders = people.map((owner) => ({ owner, publicKey: KEYS[owner].publicKey }));
  const signers = { online: KEYS.online, effectivity: KEYS.effectivity };
  const initialRoot = await createRepository({
    directory: repositoryDir,
    files: nodeFiles,
    keys: { root: { threshold: 2, holders }, targets: { threshold: 2, holders } },
    approvers: [KEYS.meyer, KEYS.rossi],
    signers,
    targets: [toTargetContent(TRUSTED_ROOT_PATH, formatTrustedRoot(trustedRoot(NOW)))],
    delegated: [
      toTargetContent(
        effectivityPath(SITE.plant, SITE.line),
        formatEffectivity({
          mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
          ...SITE,
          version: 1,
          rules: [],
          withdrawn: [],
          default: 'STOP',
        }),
      ),
    ],
    now: NOW,
  });
  return officeAt(base, initialRoot, files);
}

export function officeAt(base: string, initialRoot: Bytes, files: Files = nodeFiles): Office {
  const repositoryDir = join(base, 'trust');
  const signers = { online: KEYS.online, effectivity: KEYS.effectivity };
  const clock = new StoppedClock(NOW);
  const statements: Envelope[] = [];
  const options = { directory: join(base, 'gate'), repositoryDir, initialRoot, site: SITE, rule: RULE, clock, files };
  const onStatement = (envelope: Envelope): Promise<void> => Promise.resolve(void statements.push(envelope));
  const open = (change: Partial<GateOptions> = {}): Gate => new Gate({ ...options, signers, onStatement, ...change });
  const gate = open();
  const image = (content: Bytes | string = SAMPLE_IMAGE): string => {
    const path = join(base, 'app.bin');
    writeFileSync(path, content);
    return path;
  };
  let clients = 0;
  return {
    base,
    repositoryDir,
    initialRoot,
    clock,
    gate,
    statements,
    options: { ...options, signers, onStatement },
    image,
    open,
    openDesk: (change = {}) => new Gate({ ...options, ...change }),
    propose: (change = {}) => gate.propose({ ...proposal(change.imagePath ?? image()), ...change }),
    approve: async (name, change = {}, at = gate) => {
      const promotionId = change.promotionId ?? 'P-0001';
      const digest = (await at.status(promotionId)).proposal?.candidateDigest ?? '';
      return at.approve({
        promotionId,
        signer: KEYS[name],
        meaning: 'lab green, ECO reviewed',
        ticket: 'ECO-7731',
        typedDigestPrefix: digest.slice(0, 4),
        ...change,
      });
    },
    client: () => {
      clients += 1;
      return new TrustClient({ metadataDir: join(base, `client-${clients}`), repositoryDir, initialRoot });
    },
    promotion: (id = 'P-0001') => join(base, 'gate/promotions', id),
  };
}

export function proposal(imagePath: string, author: Signer = KEYS.dana): ProposalRequest {
  return {
    imagePath,
    version: '4.2.1',
    releaseCounter: 41,
    product: { sku: 'GW-210', hwModel: 'GW', hwVersions: ['C', 'D'] },
    effectivity: { eco: 'ECO-7731' },
    ticket: 'ECO-7731',
    reason: 'fixes the boot loop',
    author,
  };
}
