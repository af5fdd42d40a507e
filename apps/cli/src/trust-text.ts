// SPDX-License-Identifier: Apache-2.0
/** The texts about who is trusted and about changes to it. */
import type { PublicKey } from '@witnessmark/core';
import type { TrustChangeReview, TrustChangeState, TrustChangeStatus, TrustOverview } from '@witnessmark/gate';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { OfficeOptions } from './office-work.ts';
import { formatPlace } from './promotion-text.ts';

const STATE_EXITS: Readonly<Record<TrustChangeState, ExitCode>> = {
  published: EXIT.yes,
  waiting: EXIT.waiting,
  approved: EXIT.waiting,
  denied: EXIT.no,
  expired: EXIT.no,
  overtaken: EXIT.no,
  void: EXIT.no,
};

export function exitCodeOfChange({ state }: TrustChangeStatus): ExitCode {
  return STATE_EXITS[state];
}

export function formatOverview({ root, holders, keys }: TrustOverview): readonly string[] {
  return [
    `  root       version ${root.version}, ${root.rootThreshold} holders; a release ${root.targetsThreshold}; until ${root.expires}`,
    ...holders.map(({ keyid, owner, uses, custodyGrade, isRehearsal }) => {
      const kept = `${custodyGrade ?? 'custody not stated'}${isRehearsal ? ', REHEARSAL' : ''}`;
      return `  holder     ${keyid} ${owner}: ${uses.join(', ')}; ${kept}`;
    }),
    ...keys.map(({ keyid, role, owner, scope, custody, custodyGrade, isRehearsal, token, isValid, validUntil }) => {
      const card = token === null ? '' : `, token "${token.label}" (serial ${token.serial})`;
      const kept = `${custody}, ${custodyGrade}${isRehearsal ? ', REHEARSAL' : ''}${card}`;
      const validity = isValid
        ? `until ${validUntil ?? 'further notice'}`
        : `not valid now (until ${validUntil ?? 'never'})`;
      return `  ${role.padEnd(9)}  ${keyid} ${owner} (${scope}); ${kept}; ${validity}`;
    }),
  ];
}

export function formatChange(status: TrustChangeStatus, place: OfficeOptions): readonly string[] {
  const { changeId, state, code, detail, digest, decisions, eligible, proposedBy, ticket, reason, expiresAt } = status;
  const lines = [`${changeId}  ${state.toUpperCase()}  ${code === null ? '' : `${code} `}${detail}`];
  if (digest !== null) {
    const root = status.rootVersion === null ? 'the root stays' : `root version ${status.rootVersion}`;
    lines.push(`  change     sha256:${digest}`);
    lines.push(`  makes      trusted root version ${status.trustedRootVersion ?? '?'}; ${root}`);
    lines.push(
      `  asked by   ${proposedBy ?? '?'}, ticket ${ticket ?? '?'}, open until ${expiresAt ?? '?'}: ${reason ?? ''}`,
    );
  }
  for (const { person, decision, signed, meaning, decidedAt, custodyGrade, objection } of decisions) {
    const what = signed.length === 0 ? '' : ` ${signed.join(' and ')}`;
    const counts = objection === null ? '' : `  does not count: ${objection}`;
    lines.push(`  ${decision.padEnd(9)}  ${person}${what} at ${decidedAt}, key ${custodyGrade}: ${meaning}${counts}`);
  }
  for (const { person, role } of eligible) {
    lines.push(`  may sign   ${person} (${role}): witnessmark trust sign ${changeId}${formatPlace(place)} --key KEY`);
  }
  return lines;
}

/** Nothing of it came from anybody's description. */
export function formatChangeReview({ root, enrolments, revocations, status }: TrustChangeReview): readonly string[] {
  const roleLines = (name: 'root' | 'targets'): readonly string[] => {
    const change = root?.[name];
    if (change === undefined) return [];
    const { threshold, added, removed, kept } = change;
    const holders = kept.length + added.length;
    return [
      `  ${name.padEnd(9)}  ${threshold.before} -> ${threshold.after} of ${holders} holders`,
      ...added.map((key) => `             + ${describeKey(key, enrolments)}`),
      ...removed.map((key) => `             - ${key.keyid}`),
    ];
  };
  return [
    'Recomputed from the bytes on this machine:',
    `  change     sha256:${status.digest ?? ''}`,
    ...roleLines('root'),
    ...roleLines('targets'),
    ...(root?.online == null ? [] : [`  online     ${root.online.before.keyid} -> ${root.online.after.keyid}`]),
    ...(root === null ? [] : [`  expires    ${root.expires.before} -> ${root.expires.after}`]),
    ...enrolments.map(({ claims, key }) => {
      const { owner, role, scope, custody, custodyGrade, rehearsal } = claims;
      const what = role === null ? 'for the repository only' : `${role} (${scope ?? owner})`;
      return `  enrols     ${key.keyid} ${owner}: ${what}; ${custody}, ${custodyGrade}${rehearsal ? ', REHEARSAL' : ''}`;
    }),
    ...revocations.map(({ keyid, revokedAt, reason }) => `  revokes    ${keyid} from ${revokedAt} on: ${reason}`),
  ];
}

function describeKey({ keyid }: PublicKey, enrolments: TrustChangeReview['enrolments']): string {
  const owner = enrolments.find(({ key }) => key.keyid === keyid)?.claims.owner;
  return owner === undefined ? keyid : `${keyid} ${owner}`;
}
