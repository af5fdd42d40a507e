// SPDX-License-Identifier: Apache-2.0
/** The texts about a promotion: who signed, who is missing and by which command, and what an approver should see. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatKeyReference } from '@witnessmark/custody';
import type { EligiblePerson, PromotionReview, PromotionStatus } from '@witnessmark/gate';
import type { OfficeOptions } from './office-work.ts';

/** Where Debian puts OpenSC, and what OpenSC calls the key in slot 9c of a PIV card. */
const OPENSC = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const PIV_SIGNATURE_KEY = 'SIGN key';
const PLAIN_ARGUMENT = /^[A-Za-z0-9_./:=@%+-]+$/;

/** Who signed, who is missing, and the exact command for them. */
export function formatStatus(status: PromotionStatus, place: OfficeOptions): readonly string[] {
  const { promotionId, state, detail, code, proposal, decisions, eligible, flags } = status;
  // A promoted release refuses further approvals; that is no finding.
  const finding = code === null || state === 'promoted' ? '' : `${code} `;
  const lines = [`${promotionId}  ${state.toUpperCase()}  ${finding}${detail}`];
  if (proposal !== null) {
    const { releaseId, releaseClass, sku, author, builder, ticket, proposedAt, expiresAt, candidateDigest } = proposal;
    const built = builder === null ? '' : `, built by ${builder}`;
    lines.push(`  release    ${releaseId} for ${sku}, class ${releaseClass}, counter ${proposal.releaseCounter}`);
    lines.push(`  candidate  sha256:${candidateDigest}`);
    lines.push(`  asked by   ${author} at ${proposedAt}, ticket ${ticket}, open until ${expiresAt}${built}`);
  }
  for (const { person, role, decision, meaning, ticket, decidedAt, custodyGrade, objection } of decisions) {
    const counts = objection === null ? '' : `  does not count: ${objection}`;
    const key = `key ${custodyGrade}`;
    lines.push(
      `  ${decision.padEnd(9)}  ${person} (${role}) at ${decidedAt}, ${key}, ticket ${ticket}: ${meaning}${counts}`,
    );
  }
  for (const flag of flags) lines.push(`  look at    ${flag}`);
  for (const person of eligible) {
    lines.push(`  may sign   ${person.person} (${person.role}), key ${person.custodyGrade}`);
    lines.push(
      `             witnessmark release approve ${promotionId}${formatPlace(place)} --key ${keyOf(person, place)}`,
    );
  }
  return lines;
}

/** What an approver should see before signing: nothing of it came from anybody's description. */
export function formatReview(review: PromotionReview): readonly string[] {
  const { manifest, inEffect, components, rule, site, endedRules, floor, configuration, allowlist, exception } = review;
  const before = inEffect === null ? 'nothing is in effect' : `${inEffect.releaseId} is in effect`;
  const orders = rule.workOrders === null ? 'every work order' : `work orders ${rule.workOrders.join(', ')}`;
  const units = rule.maxUnits === null ? 'any number of units' : `${rule.maxUnits} units at most`;
  const built = review.builder === null ? '' : `; built by ${review.builder}`;
  return [
    'Recomputed from the bytes on this machine:',
    `  release    ${manifest.releaseId} version ${manifest.version} for ${manifest.product.sku}; ${before}`,
    `  candidate  sha256:${review.candidateDigest}`,
    `  asked by   ${review.author} at ${review.proposedAt}, ticket ${review.ticket}: ${review.reason}${built}`,
    ...components.map(({ name, kind, before: old, after }) => {
      const from = old === null ? '' : `${old.sha256.slice(0, 12)} -> `;
      const to = after === null ? 'removed' : `${after.sha256.slice(0, 12)}, ${after.length} bytes`;
      return `  ${kind.padEnd(9)}  ${name}: ${from}${to}`;
    }),
    ...configuration.map(
      ({ name, before: old, after }) => `  config     ${name}: ${old === null ? '' : `${old} -> `}${after ?? 'none'}`,
    ),
    `  floor      release counter ${formatChange(floor.releaseCounter)}`,
    ...floor.securityCounters.map(
      (change) => `  floor      security counter of ${change.name} ${formatChange(change)}`,
    ),
    ...allowlist.added.map(({ path, sha256 }) => `  allow      + ${path} ${sha256.slice(0, 12)}`),
    ...allowlist.removed.map(({ path, sha256 }) => `  allow      - ${path} ${sha256.slice(0, 12)}`),
    ...(exception === null
      ? []
      : [
          `  exception  ${exception.exceptionId}: security counter ${exception.allowed} below ${exception.published}: ${exception.reason}`,
        ]),
    `  recipe     ${manifest.recipe.steps.join(', ')}`,
    `  where      ${site.plant} ${site.line}, hardware ${rule.hwVersions.join(', ')}, ${orders}, ${units}, from ${rule.validFrom}`,
    ...endedRules.map((ended) => `  ends       the rule for ${ended.releaseId}`),
    ...(review.securityCounterRises
      ? ['  This cannot be taken back: the security counter rises, and devices refuse what is below it.']
      : []),
  ];
}

/** The options that lead to the same office again. */
export function formatPlace({ data, config }: OfficeOptions): string {
  if (config !== undefined) return ` --config ${quote(config)}`;
  return data === undefined ? '' : ` --data ${quote(data)}`;
}

/** The key a person is to sign with, as exactly as it is known here. */
function keyOf({ person, token }: EligiblePerson, { data }: OfficeOptions): string {
  if (token !== null) {
    const key = { label: PIV_SIGNATURE_KEY };
    return quote(formatKeyReference({ kind: 'pkcs11', token, key, modulePath: OPENSC, pin: null }));
  }
  const file = data === undefined ? null : join(data, 'keys', `approver-${person}.pem`);
  return file !== null && existsSync(file) ? quote(file) : 'KEY';
}

function formatChange({ before, after }: { readonly before: number | null; readonly after: number | null }): string {
  return before === after ? `stays ${before ?? 'none'}` : `${before ?? 'none'} -> ${after ?? 'none'}`;
}

/** For a POSIX shell. */
function quote(text: string): string {
  return PLAIN_ARGUMENT.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
