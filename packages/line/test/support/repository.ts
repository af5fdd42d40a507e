// SPDX-License-Identifier: Apache-2.0
/** A real TUF repository with one release, as the gate would publish it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEnvelope, type Bytes, type Instant } from '@witnessmark/core';
import { formatEffectivity, formatTrustedRoot, type EffectivityRule, type TrustedRoot } from '@witnessmark/attestation';
import { generateSoftwareKey } from '@witnessmark/custody';
import {
  approvalPath,
  candidatePath,
  createRepository,
  effectivityPath,
  nodeFiles,
  releaseManifestPath,
  toTargetContent,
  TrustAuthor,
  TRUSTED_ROOT_PATH,
} from '@witnessmark/trust';
import { PLACE, toTrustedRoot } from './cast.ts';
import { signRelease, toEffectivity, toManifest, toRule, type SignedRelease } from './release.ts';

export interface TestRepository {
  readonly directory: string;
  readonly initialRoot: Bytes;
  /** Publishes another effectivity. */
  publish(rules: readonly EffectivityRule[], withdrawn: readonly string[], now: Instant): Promise<void>;
}

export interface RepositoryContent {
  readonly now: Instant;
  readonly release?: SignedRelease;
  readonly rules?: readonly EffectivityRule[];
  readonly trustedRoot?: TrustedRoot;
  /** Leaves the candidate out. */
  readonly withoutCandidate?: boolean;
}

export async function createTestRepository(content: RepositoryContent): Promise<TestRepository> {
  const { now, rules = [toRule()], trustedRoot = toTrustedRoot() } = content;
  const release = content.release ?? (await signRelease(toManifest()));
  const { releaseId } = release.manifest;
  const directory = mkdtempSync(join(tmpdir(), 'wm-tuf-'));
  const holders = ['ap-ada', 'ap-bo', 'ap-cy'].map((owner) => ({
    owner,
    key: generateSoftwareKey('ecdsa-sha2-nistp256'),
  }));
  const threshold = { holders: holders.map(({ owner, key }) => ({ owner, publicKey: key.publicKey })), threshold: 2 };
  const signers = {
    online: generateSoftwareKey('ecdsa-sha2-nistp256'),
    effectivity: generateSoftwareKey('ecdsa-sha2-nistp256'),
  };
  const initialRoot = await createRepository({
    directory,
    files: nodeFiles,
    keys: { root: threshold, targets: threshold },
    approvers: holders.slice(0, 2).map(({ key }) => key),
    signers,
    targets: [
      toTargetContent(TRUSTED_ROOT_PATH, formatTrustedRoot(trustedRoot)),
      toTargetContent(releaseManifestPath(releaseId), release.manifestBytes),
    ],
    delegated: [
      toTargetContent(effectivityPath(PLACE.plant, PLACE.line), formatEffectivity(toEffectivity(rules))),
      ...(content.withoutCandidate === true
        ? []
        : [toTargetContent(candidatePath(releaseId), formatEnvelope(release.candidate))]),
      ...release.approvals.map((approval, index) =>
        toTargetContent(approvalPath(releaseId, index + 1), formatEnvelope(approval)),
      ),
    ],
    now,
  });
  return {
    directory,
    initialRoot,
    publish: async (nextRules, withdrawn, at) => {
      const author = await TrustAuthor.open({ directory, initialRoot, files: nodeFiles, signers });
      const effectivity = toEffectivity(
        nextRules,
        withdrawn.map((id) => ({ releaseId: id, reason: 'bug', withdrawnAt: '2026-03-02T06:00:00.000Z' })),
      );
      const content = toTargetContent(effectivityPath(PLACE.plant, PLACE.line), formatEffectivity(effectivity));
      await author.publish({ now: at, delegated: { add: [content] } });
    },
  };
}
