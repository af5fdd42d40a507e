// SPDX-License-Identifier: Apache-2.0
/** What the release commands share: opening the office, and the texts about a promotion. */
import type { Gate, PromotionReview, PromotionState, PromotionStatus } from '@witnessmark/gate';
import { loadConfig, namedConfig, officeConfigSchema, type LoadedConfig, type OfficeConfig } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { openOffice } from './roots/office.ts';
import type { Session } from './session.ts';

/** Characters of the digest that an approver types. */
const TYPED_LENGTH = 4;

const STATE_EXITS: Readonly<Record<PromotionState, ExitCode>> = {
  promoted: EXIT.yes,
  waiting: EXIT.waiting,
  approved: EXIT.waiting,
  withdrawn: EXIT.no,
  denied: EXIT.no,
  expired: EXIT.no,
  overtaken: EXIT.no,
  void: EXIT.no,
};

interface OfficeOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
}

export async function withOffice<T>(
  session: Session,
  options: OfficeOptions,
  work: (gate: Gate, config: LoadedConfig<OfficeConfig>) => Promise<T>,
): Promise<T> {
  const config = loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).officeConfig),
    officeConfigSchema,
  );
  const office = openOffice(config, session.clock);
  try {
    return await work(office.gate, config);
  } finally {
    await office.close();
  }
}

export function exitCodeOfState(state: PromotionState): ExitCode {
  return STATE_EXITS[state];
}

export function typedPartOf(digest: string): string {
  return digest.slice(0, TYPED_LENGTH);
}

/** Who signed, who is missing, who may. */
export function formatStatus(status: PromotionStatus): readonly string[] {
  const { promotionId, state, detail, code, proposal, decisions, eligible } = status;
  // A promoted release refuses further approvals; that is no finding.
  const finding = code === null || state === 'promoted' ? '' : `${code} `;
  const lines = [`${promotionId}  ${state.toUpperCase()}  ${finding}${detail}`];
  if (proposal !== null) {
    const { releaseId, sku, author, ticket, proposedAt, expiresAt, candidateDigest } = proposal;
    lines.push(`  release    ${releaseId} for ${sku}, counter ${proposal.releaseCounter}`);
    lines.push(`  candidate  sha256:${candidateDigest}`);
    lines.push(`  asked by   ${author} at ${proposedAt}, ticket ${ticket}, open until ${expiresAt}`);
  }
  for (const { person, role, decision, meaning, ticket, decidedAt, objection } of decisions) {
    const counts = objection === null ? '' : `  does not count: ${objection}`;
    lines.push(`  ${decision.padEnd(9)}  ${person} (${role}) at ${decidedAt}, ticket ${ticket}: ${meaning}${counts}`);
  }
  if (eligible.length > 0) {
    lines.push(`  may sign   ${eligible.map(({ person, role }) => `${person} (${role})`).join(', ')}`);
    lines.push(`  by         witnessmark release approve ${promotionId} --key FILE`);
  }
  return lines;
}

/** What an approver should see before signing: nothing of it came from anybody's description. */
export function formatReview(review: PromotionReview): readonly string[] {
  const { manifest, inEffect, components, releaseCounter, rule, site, endedRules } = review;
  const before = inEffect === null ? 'nothing is in effect' : `${inEffect.releaseId} is in effect`;
  const orders = rule.workOrders === null ? 'every work order' : `work orders ${rule.workOrders.join(', ')}`;
  const units = rule.maxUnits === null ? 'any number of units' : `${rule.maxUnits} units at most`;
  return [
    'Recomputed from the bytes on this machine:',
    `  release    ${manifest.releaseId} version ${manifest.version} for ${manifest.product.sku}; ${before}`,
    `  candidate  sha256:${review.candidateDigest}`,
    `  asked by   ${review.author} at ${review.proposedAt}, ticket ${review.ticket}: ${review.reason}`,
    ...components.map(({ name, kind, before: old, after }) => {
      const from = old === null ? '' : `${old.sha256.slice(0, 12)} -> `;
      const to = after === null ? 'removed' : `${after.sha256.slice(0, 12)}, ${after.length} bytes`;
      return `  ${kind.padEnd(9)}  ${name}: ${from}${to}`;
    }),
    `  counter    ${releaseCounter.before ?? 'none'} -> ${releaseCounter.after ?? 'none'}`,
    `  recipe     ${manifest.recipe.steps.join(', ')}`,
    `  where      ${site.plant} ${site.line}, hardware ${rule.hwVersions.join(', ')}, ${orders}, ${units}, from ${rule.validFrom}`,
    ...endedRules.map((ended) => `  ends       the rule for ${ended.releaseId}`),
    ...(review.securityCounterRises
      ? ['  This cannot be taken back: the security counter rises, and devices refuse what is below it.']
      : []),
  ];
}
