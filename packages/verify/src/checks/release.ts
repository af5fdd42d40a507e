// SPDX-License-Identifier: Apache-2.0
/** Was the release approved by enough different people over exact bytes, and is it what the station used? */
import { parseInstant } from '@witnessmark/core';
import type { ProvisioningEvent, ReleaseManifest } from '@witnessmark/attestation';
import { cannotTell, count, fail, list, pass, type Check, type Examination, type Finding } from '../check.ts';
import { describeRecord, type ChainRecord, type Evidence, type ReleaseRecord } from '../evidence.ts';
import { findSigner } from '../trust-store.ts';
import type { Policy } from '../policy.ts';

export const releaseApproval: Check = {
  name: 'release approval',
  whyItMatters: 'one person alone, or a change after approval, could release anything',
  after: ['records'],
  run: checkApprovals,
};

export const releaseContent: Check = {
  name: 'release content',
  whyItMatters: 'an approval says nothing about other images, other products or another time',
  after: ['records', 'release approval'],
  run: checkContent,
};

/** Shared with whoever looks a release up: the record of the candidate that a chain record names. */
function findRelease({ releases }: Evidence, record: ChainRecord): ReleaseRecord | undefined {
  const { sha256 } = record.predicate.release.candidateDigest;
  return releases.find(({ candidate }) => candidate.payloadDigest === sha256);
}

function checkApprovals({ evidence, policy }: Examination): Finding {
  const cited = new Set<ReleaseRecord>();
  for (const record of evidence.chain) {
    const release = findRelease(evidence, record);
    if (release === undefined) {
      return cannotTell('EV-206', `the release that ${describeRecord(record)} names is not in the file`);
    }
    cited.add(release);
  }
  const summaries: string[] = [];
  for (const release of evidence.releases) {
    const { releaseId } = release.candidate.predicate.manifest;
    if (!cited.has(release)) return fail('EV-111', `release ${releaseId} is in the file, and no record names it`);
    const problem = judgeAuthor(release) ?? judgeApprovals(release, policy);
    if (problem !== undefined) return problem;
    const people = release.approvals.map(({ predicate }) => `${predicate.approver.id} (${predicate.approver.role})`);
    summaries.push(`${releaseId} by ${people.join(' and ')}`);
  }
  return pass(list(summaries));
}

function judgeAuthor({ candidate }: ReleaseRecord): Finding | undefined {
  const { proposedBy } = candidate.predicate;
  const found = findSigner(candidate.signers, {
    role: 'author',
    owner: proposedBy.id,
    scope: undefined,
    at: candidate.at,
  });
  if ('missing' in found) {
    return found.missing === 'expired'
      ? fail('EV-103', `the author key of ${proposedBy.id} was not valid when the release was proposed`)
      : fail('EV-110', `${proposedBy.id} did not sign the candidate with an author key`);
  }
  if (candidate.subject.digest.sha256 !== candidate.manifestDigest) {
    return fail('EV-110', 'the candidate is about another manifest than it holds');
  }
  return undefined;
}

/** Every approval in the file has to hold; those that do are counted by person. */
function judgeApprovals({ candidate, approvals }: ReleaseRecord, policy: Policy): Finding | undefined {
  const proposal = candidate.predicate;
  const people = new Set<string>();
  const roles = new Set<string>();
  const tokens = new Set<string>();
  const countsFrom = candidate.at + (policy.approvals.coolingOffMinutes ?? 0) * 60_000;
  for (const approval of approvals) {
    const { approver, decision, promotionId, releaseId, expiresAt } = approval.predicate;
    const { id, role } = approver;
    if (approval.subject.digest.sha256 !== candidate.payloadDigest) {
      return fail('EV-110', `${id} approved another candidate than the one in the file`);
    }
    if (promotionId !== proposal.promotionId || releaseId !== proposal.manifest.releaseId) {
      return fail('EV-110', `${id} approved under another promotion or release id`);
    }
    const found = findSigner(approval.signers, { role: 'approver', owner: id, scope: role, at: approval.at });
    if ('missing' in found) {
      return found.missing === 'expired'
        ? fail('EV-103', `the approver key of ${id} was not valid at the time of approval`)
        : fail('EV-110', `the approval of ${id} is not signed by an approver key for ${role}`);
    }
    if (decision === 'deny') return fail('EV-110', `${id} denied the release`);
    if (id === proposal.proposedBy.id) return fail('EV-110', `${id} approved a release of their own`);
    if (id === proposal.builder?.id) return fail('EV-110', `${id} approved an image that they built`);
    if (approval.at < candidate.at || approval.at >= parseInstant(proposal.expiresAt)) {
      return fail('EV-110', `${id} did not approve while the proposal was open`);
    }
    if (approval.at >= parseInstant(expiresAt))
      return fail('EV-110', `the approval of ${id} had expired when it was made`);
    if (approval.at < countsFrom) return fail('EV-110', `${id} approved before the cooling-off time was over`);
    const { token } = found.signer;
    if (token !== null && tokens.has(token.serial) && !people.has(id)) {
      return fail('EV-110', `${id} approved with a card that another person approved with`);
    }
    if (token !== null) tokens.add(token.serial);
    people.add(id);
    roles.add(role);
  }
  return judgeQuorum(approvals, people, roles, policy);
}

function judgeQuorum(
  approvals: ReleaseRecord['approvals'],
  people: ReadonlySet<string>,
  roles: ReadonlySet<string>,
  { approvals: { threshold, requiredRoles } }: Policy,
): Finding | undefined {
  if (approvals.length === 0) return cannotTell('EV-206', 'the file holds no approvals');
  if (people.size < threshold) {
    return fail('EV-110', `expected approvals by ${threshold} different people, found ${people.size}`);
  }
  if (people.size < approvals.length) return fail('EV-110', 'one person approved twice');
  const missingRole = requiredRoles.find((role) => !roles.has(role));
  if (missingRole !== undefined) return fail('EV-110', `nobody approved in the role ${missingRole}`);
  const completeAt = Math.max(...approvals.map(({ at }) => at));
  const lapsed = approvals.find(({ predicate }) => parseInstant(predicate.expiresAt) <= completeAt);
  if (lapsed !== undefined) {
    return fail('EV-110', `the approval of ${lapsed.predicate.approver.id} expired before the last one was given`);
  }
  return undefined;
}

function checkContent({ evidence }: Examination): Finding {
  let highestCounter = 0;
  for (const record of evidence.chain) {
    const release = findRelease(evidence, record);
    if (release === undefined) continue;
    const difference = findDifference(record, release);
    if (difference !== undefined) return fail('EV-111', `${describeRecord(record)}: ${difference}`);
    const { releaseCounter } = record.predicate.release;
    if (releaseCounter < highestCounter) {
      return fail(
        'EV-111',
        `${describeRecord(record)}: the release counter fell from ${highestCounter} to ${releaseCounter}`,
      );
    }
    highestCounter = releaseCounter;
  }
  const manifest = evidence.releases.at(-1)?.candidate.predicate.manifest;
  const components = manifest?.components ?? [];
  return pass(`${count(components.length, 'component')} of ${manifest?.releaseId ?? ''}, counter ${highestCounter}`);
}

function findDifference(record: ChainRecord, { candidate }: ReleaseRecord): string | undefined {
  const { manifest, effectivity } = candidate.predicate;
  const { product, recipe, release } = record.predicate;
  if (release.id !== manifest.releaseId || release.version !== manifest.version) return 'it names another release';
  if (release.releaseCounter !== manifest.releaseCounter) return 'its release counter is not that of the release';
  const { sku, hwModel, hwVersions } = manifest.product;
  if (product.sku !== sku || product.hwModel !== hwModel || !hwVersions.includes(product.hwVersion)) {
    return `the release is not for ${product.sku} ${product.hwModel} ${product.hwVersion}`;
  }
  if (recipe.name !== manifest.recipe.name || recipe.version !== manifest.recipe.version) {
    return 'its recipe is not that of the release';
  }
  if (effectivity.releaseId !== manifest.releaseId || effectivity.sku !== sku)
    return 'the approved effectivity is not for it';
  if (!effectivity.hwVersions.includes(product.hwVersion)) return `hardware ${product.hwVersion} is not in effect`;
  const { workOrders } = effectivity;
  if (workOrders !== null && (product.workOrder === null || !workOrders.includes(product.workOrder))) {
    return 'its work order is not in effect';
  }
  if (record.kind === 'event') return findComponentDifference(record.predicate, manifest);
  // The intent is where the release was taken; an event may end after the release went out of effect.
  const from = parseInstant(effectivity.validFrom);
  const until = effectivity.validUntil === null ? Infinity : parseInstant(effectivity.validUntil);
  if (record.at < from || record.at >= until) return 'the release was not in effect at the time';
  if (record.at >= parseInstant(release.tuf.timestampExpiresAt)) return 'the trust metadata had expired by then';
  return undefined;
}

function findComponentDifference(event: ProvisioningEvent, manifest: ReleaseManifest): string | undefined {
  const names = new Set(event.components.map(({ name }) => name));
  if (names.size !== event.components.length || names.size !== manifest.components.length) {
    return `expected ${count(manifest.components.length, 'component')}, found ${event.components.length}`;
  }
  for (const { name, sha256, length, version, securityCounter } of manifest.components) {
    const found = event.components.find((component) => component.name === name);
    if (found === undefined) return `the component ${name} is missing`;
    if (found.image.digest.sha256 !== sha256 || found.image.length !== length)
      return `${name} is not the approved image`;
    if (found.version !== version || found.securityCounter !== securityCounter) {
      return `${name} has another version or security counter than approved`;
    }
  }
  if (manifest.recipe.steps.includes('key') && event.outcome === 'SUCCEEDED' && event.keys.length === 0) {
    return 'the recipe demands a key, and none was made';
  }
  return undefined;
}
