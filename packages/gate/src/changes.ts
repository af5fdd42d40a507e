// SPDX-License-Identifier: Apache-2.0
/** What a promotion would change, compared with the release in effect; data for whoever shows it. */
import {
  releaseClassOf,
  type CounterException,
  type EffectivityRule,
  type ReleaseManifest,
} from '@witnessmark/attestation';
import type { Instant } from '@witnessmark/core';
import { readStagedTargets, supersede, type TargetInfo } from '@witnessmark/trust';
import { exceptionOf } from './counter-exception.ts';
import { counterFloor } from './counters.ts';
import type { Promotion } from './inspection.ts';
import { findInEffect, type Site, type Workspace } from './workspace.ts';

type Component = ReleaseManifest['components'][number];

export interface Change<T> {
  readonly before: T | null;
  readonly after: T | null;
}

export interface NamedChange<T> extends Change<T> {
  readonly name: string;
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
  /** Null when the proposal does not say who built the image. */
  readonly builder: string | null;
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
  /** Counters below these can never be made again; the highest that was ever published, and would be. */
  readonly floor: {
    readonly releaseCounter: Change<number>;
    readonly securityCounters: readonly NamedChange<number>[];
  };
  /** Settings of the release that differ from the one in effect: class, product, recipe, label rule. */
  readonly configuration: readonly NamedChange<string>[];
  /** What stations may program: targets that come and go. */
  readonly allowlist: { readonly added: readonly TargetInfo[]; readonly removed: readonly TargetInfo[] };
  /** The exception under which a security counter falls; null without one. */
  readonly exception: CounterException | null;
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
    builder: candidate.builder?.id ?? null,
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
    floor: compareFloor(manifest, workspace),
    configuration: compareConfiguration(current, manifest),
    allowlist: compareTargets(promotion, workspace),
    exception: exceptionOf(promotion, workspace.keys, now)?.predicate ?? null,
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

function compareFloor(manifest: ReleaseManifest, { manifests }: Workspace): PromotionReview['floor'] {
  const floor = counterFloor(manifests.values(), manifest.product.sku);
  const highest = (before: number | null | undefined, next: number): number => Math.max(before ?? 0, next);
  return {
    releaseCounter: {
      before: floor.releaseCounter,
      after: highest(floor.releaseCounter, manifest.releaseCounter),
    },
    securityCounters: manifest.components.map(({ name, securityCounter }) => {
      const before = floor.securityCounters.get(name);
      return { name, before: before ?? null, after: highest(before, securityCounter) };
    }),
  };
}

/** Every setting of a release that is neither an image nor a counter. */
function compareConfiguration(before: ReleaseManifest | null, after: ReleaseManifest): readonly NamedChange<string>[] {
  const old = before === null ? null : settingsOf(before);
  return Object.entries(settingsOf(after)).flatMap(([name, value]) =>
    old?.[name] === value ? [] : [{ name, before: old?.[name] ?? null, after: value }],
  );
}

function settingsOf(manifest: ReleaseManifest): Readonly<Record<string, string>> {
  const { product, recipe, labelRule, components } = manifest;
  return {
    class: releaseClassOf(manifest),
    model: product.hwModel,
    hardware: product.hwVersions.join(', '),
    recipe: `${recipe.name} ${recipe.version}: ${recipe.steps.join(', ')}`,
    label: labelRule,
    sealed: components.some(({ sealed }) => sealed !== undefined) ? 'yes' : 'no',
  };
}

function compareTargets({ staged }: Promotion, { author }: Workspace): PromotionReview['allowlist'] {
  const published = author.listTargets();
  const next = readStagedTargets(staged);
  const isIn = (list: ReadonlyMap<string, TargetInfo>, { path, sha256 }: TargetInfo): boolean =>
    list.get(path)?.sha256 === sha256;
  return {
    added: [...next.values()].filter((target) => !isIn(published, target)),
    removed: [...author.listApprovedTargets().values()].filter((target) => !isIn(next, target)),
  };
}
