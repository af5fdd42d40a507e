// SPDX-License-Identifier: Apache-2.0
/** Releases from a TUF repository – the line's, or a mirror on a medium – each checked for its approvals before it is held. */
import { hasCode, RefusedError, sha256Hex, WitnessmarkError, type Instant } from '@witnessmark/core';
import {
  parseEffectivity,
  parseTrustedRoot,
  toTrustedKeys,
  type EffectivityRule,
  type ReleaseClass,
  type TrustedKey,
} from '@witnessmark/attestation';
import {
  checkFresh,
  checkReleaseClass,
  effectivityPath,
  partakersOf,
  readRelease,
  releaseInEffect,
  TRUSTED_ROOT_PATH,
  verifyRelease,
  type ApprovalRule,
  type PublishedRelease,
  type TargetReader,
  type TrustState,
  type UpdatedTargets,
} from '@witnessmark/trust';
import { StationRefusal } from './error.ts';
import { requireVerified, toContent } from './fixture.ts';
import type { HeldRelease, ReleaseQuery, ReleaseSource } from './ports.ts';

export interface TufReleaseSourceOptions {
  readonly client: UpdatedTargets;
  readonly plant: string;
  readonly line: string;
  /** Authors and approvers, from the station's own trusted root. */
  readonly keys: readonly TrustedKey[];
  /** The version of that trusted root; a later one in the repository takes its place, and none when absent. */
  readonly keysVersion?: number;
  readonly approvals: ApprovalRule;
  /** Classes of releases that are made here; `production` when absent. */
  readonly releaseClasses?: readonly ReleaseClass[];
}

export class TufReleaseSource implements ReleaseSource {
  readonly #options: TufReleaseSourceOptions;
  #state: TrustState | null = null;
  #held: { readonly basis: string; readonly release: PublishedRelease } | null = null;

  constructor(options: TufReleaseSourceOptions) {
    this.#options = options;
  }

  async refresh(now: Instant): Promise<void> {
    this.#state = await this.#options.client.update(now);
  }

  async releaseInEffect(query: ReleaseQuery): Promise<HeldRelease> {
    const { client, plant, line } = this.#options;
    const state = this.#state;
    if (state === null) throw new TypeError('the release source has not been refreshed');
    checkFresh(state, query.at);
    const bytes = await client.readTarget(effectivityPath(plant, line));
    const effectivity = parseEffectivity(bytes);
    const rule = releaseInEffect(effectivity, query);
    const release = await this.#readApproved(rule, state);
    const { manifest } = release;
    requireProduct(manifest.product, query, rule);
    const { rootVersion, targetsVersion, snapshotVersion, timestampVersion, timestampExpiresAt } = state;
    return {
      manifest,
      partakers: partakersOf(release),
      reference: {
        id: manifest.releaseId,
        version: manifest.version,
        releaseCounter: manifest.releaseCounter,
        candidateDigest: { sha256: sha256Hex(release.candidate.payload) },
        tuf: { rootVersion, targetsVersion, snapshotVersion, timestampVersion, timestampExpiresAt },
        effectivity: { version: effectivity.version, eco: rule.eco, digest: { sha256: sha256Hex(bytes) } },
      },
      readImage: async (component) => {
        const content = await client.readTarget(component.sealed?.targetPath ?? component.targetPath);
        requireVerified(toContent(component), content);
        return content;
      },
    };
  }

  /** Verified once for each state of the repository; metadata versions name its content. */
  async #readApproved({ releaseId }: EffectivityRule, state: TrustState): Promise<PublishedRelease> {
    const basis = [releaseId, state.targetsVersion, state.effectivityVersion].join(' ');
    if (this.#held?.basis === basis) return this.#held.release;
    const { client, approvals, releaseClasses = ['production'] } = this.#options;
    const release = await readPublished(client, releaseId);
    verifyRelease(release, await this.#readKeys(), approvals);
    checkReleaseClass(release.manifest, releaseClasses);
    this.#held = { basis, release };
    return release;
  }

  /** Who is enrolled now: approvers come and go by trusted roots that as many people signed as a release. */
  async #readKeys(): Promise<readonly TrustedKey[]> {
    const { client, keys, keysVersion = Infinity } = this.#options;
    if (!(await client.hasTarget(TRUSTED_ROOT_PATH))) return keys;
    const published = parseTrustedRoot(await client.readTarget(TRUSTED_ROOT_PATH));
    return published.version > keysVersion ? toTrustedKeys(published) : keys;
  }
}

async function readPublished(client: TargetReader, releaseId: string): Promise<PublishedRelease> {
  try {
    return await readRelease(client, releaseId);
  } catch (error) {
    if (error instanceof RefusedError && error.code !== 'TR-108') throw error;
    if (!(error instanceof WitnessmarkError) || hasCode(error, 'ERR_TRUST_UNREACHABLE')) throw error;
    const code = error.code === 'TR-108' ? 'LS-202' : 'LS-201';
    const expected = `release ${releaseId} with its approvals in the trust repository`;
    throw new StationRefusal(code, { expected, observed: `${error.code}: ${error.message}`, cause: error });
  }
}

function requireProduct(
  product: PublishedRelease['manifest']['product'],
  { sku, hwVersion }: ReleaseQuery,
  { releaseId }: EffectivityRule,
): void {
  if (product.sku === sku && product.hwVersions.includes(hwVersion)) return;
  throw new StationRefusal('LS-205', {
    expected: `${product.sku} ${product.hwVersions.join(', ')}, as ${releaseId} is made for`,
    observed: `${sku} ${hwVersion}`,
  });
}
