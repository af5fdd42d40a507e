// SPDX-License-Identifier: Apache-2.0
/** What the media and debug-bundle commands say. */
import type { BundleStatus, Finding, Transfer } from '@witnessmark/boundary';

const MAX_SHOWN_FINDINGS = 50;

/** One line for each file that is wrong. */
export function formatFindings(findings: readonly Finding[]): readonly string[] {
  const lines = findings.slice(0, MAX_SHOWN_FINDINGS).map(({ path, code, detail }) => `  ${code}  ${path}: ${detail}`);
  const more = findings.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}

export function formatTransfer({ tree, predicate, findings }: Transfer): readonly string[] {
  const { medium, person, batch } = predicate;
  return [
    `  medium     ${medium.id} (${medium.learntFrom}), ${medium.form}`,
    `  person     ${person.id} (${person.role})`,
    `  files      ${tree.files.length}, ${tree.bytes} bytes`,
    `  tree       sha256:${tree.digest}`,
    ...(batch === null ? [] : [`  batch      ${batch.sequence}`]),
    ...formatFindings(findings),
  ];
}

export function formatBundle(status: BundleStatus): readonly string[] {
  const { bundleId, state, proposal, decisions } = status;
  const { requester, recipients, contents, purpose, ticket, expiresAt, reseals } = proposal.predicate;
  return [
    `${bundleId}  ${state.toUpperCase()}`,
    `  proposal   sha256:${proposal.digest}`,
    `  asked by   ${requester.id} (${requester.role}), ticket ${ticket}: ${purpose}`,
    `  for        ${recipients.map(({ id }) => id).join(', ')}, until ${expiresAt}`,
    ...(reseals === null ? [] : [`  again      sha256:${reseals.sha256}`]),
    ...contents.map(({ path, bytes, digest, class: name, symbols }) => {
      const marked = symbols === 'present' ? ', WITH SYMBOLS' : '';
      return `  file       ${path}: ${bytes} bytes, ${digest.sha256.slice(0, 12)}, ${name}${marked}`;
    }),
    ...decisions.map(({ predicate, key, objection }) => {
      const counts = objection === null ? '' : `  does not count: ${objection}`;
      return `  ${predicate.act.padEnd(9)}  ${key.owner} (${key.scope}) at ${predicate.decidedAt}: ${predicate.meaning}${counts}`;
    }),
  ];
}

/** What `--json` says about a bundle. */
export function toBundleDocument({ bundleId, state, proposal, decisions, approvals }: BundleStatus): object {
  return {
    bundleId,
    state,
    proposalDigest: proposal.digest,
    proposal: proposal.predicate,
    decisions: decisions.map(({ predicate, objection }) => ({ ...predicate, objection })),
    approvals: approvals.length,
  };
}
