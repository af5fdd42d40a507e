// SPDX-License-Identifier: Apache-2.0
/** What a promotion would change, compared with the release in effect; data for whoever shows it. */
import type { EffectivityRule, ReleaseManifest } from '@witnessmark/attestation';
import type { Instant } from '@witnessmark/core';
import { supersede } from '@witnessmark/trust';
import type { Promotion } from './inspection.ts';
import { findInEffect, type Site, type Workspace } from './workspace.ts';

type Component = ReleaseManifest['components'][number];

export interface Change<T> {
  readonly before: T | null;
  readonly after: T | null;
}

export interface ComponentChange extends Change<Component> {
  readonly name: string;
  readonly kind: 'added' | 'removed' | 'changed' | 'unchanged';
}

/** Everything in it was recomputed from the bytes on this machine. */
export interface PromotionReview {
  readonly promotionId: string;
  readonly site: Site;
  readonly candidateDigest: string;
  readonly manifestDigest: string;
  /** Canonical bytes that approvers sign for the repository. */
  readonly targets: { readonly version: number; readonly digest: string };
  readonly manifest: ReleaseManifest;
  readonly author: string;
  readonly ticket: string;
  readonly reason: string;
  readonly proposedAt: string;
  readonly expiresAt: string;
  /** The release in effect for this product now. */
  readonly inEffect: { readonly releaseId: string; readonly version: string } | null;
  readonly components: readonly ComponentChange[];
  readonly releaseCounter: Change<number>;
  /** A security counter that rises cannot be taken back: devices refuse what is below it. */
  readonly securityCounterRises: boolean;
  readonly rule: EffectivityRule;
  /** Rules that end or fall away when this one begins. */
  readonly endedRules: readonly EffectivityRule[];
}

export function reviewPromotion(promotion: Promotion, workspace: Workspace, site: Site, now: Instant): PromotionReview {
  const { candidate, manifest } = promotion;
  const current = findInEffect(workspace, candidate.effectivity, now);
  const next = supersede(workspace.effectivity, candidate.effectivity, now);
  const components = compareComponents(current?.components ?? [], manifest.components);
  return {
    promotionId: promotion.promotionId,
    site,
    candidateDigest: promotion.candidateDigest,
    manifestDigest: promotion.contents[0]?.sha256 ?? '',
    targets: { version: promotion.staged.version, digest: promotion.staged.digest },
    manifest,
    author: promotion.authorKey.owner,
    ticket: candidate.ticket,
    reason: candidate.reason,
    proposedAt: candidate.proposedAt,
    expiresAt: candidate.expiresAt,
    inEffect: current === null ? null : { releaseId: current.releaseId, version: current.version },
    components,
    releaseCounter: { before: current?.releaseCounter ?? null, after: manifest.releaseCounter },
    securityCounterRises: components.some(
      ({ before, after }) => after !== null && after.securityCounter > (before?.securityCounter ?? 0),
    ),
    rule: candidate.effectivity,
    endedRules: workspace.effectivity.rules.filter((rule) => !next.rules.includes(rule)),
  };
}

function compareComponents(before: readonly Component[], after: readonly Component[]): readonly ComponentChange[] {
  const names = new Set([...before, ...after].map((component) => component.name));
  return [...names].map((name) => {
    const old = before.find((component) => component.name === name) ?? null;
    const next = after.find((component) => component.name === name) ?? null;
    return { name, kind: kindOf(old, next), before: old, after: next };
  });
}

function kindOf(before: Component | null, after: Component | null): ComponentChange['kind'] {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  const isSame =
    before.sha256 === after.sha256 &&
    before.address === after.address &&
    before.securityCounter === after.securityCounter;
  return isSame ? 'unchanged' : 'changed';
}
