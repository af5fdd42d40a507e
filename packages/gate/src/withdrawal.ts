// SPDX-License-Identifier: Apache-2.0
/** Withdrawing a published release (spec/release-approval.md): signed by one approver, effective at every site at once. */
import { buildStatement, formatEffectivity, parseEffectivity, releaseWithdrawal } from '@witnessmark/attestation';
import { formatEnvelope, formatInstant, RefusedError, sha256Hex, type Envelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import {
  releaseManifestPath,
  toTargetContent,
  withdrawalPath,
  withdrawRelease,
  type TargetContent,
  type TrustState,
} from '@witnessmark/trust';
import { findApprover, signStatement } from './decision.ts';
import type { Judge } from './status.ts';

export interface WithdrawalRequest {
  readonly releaseId: string;
  readonly signer: Signer;
  readonly reason: string;
  readonly ticket: string;
}

export interface Withdrawal {
  readonly releaseId: string;
  /** False when it was withdrawn before; nothing was changed then. */
  readonly isNew: boolean;
  readonly state: TrustState;
}

export async function withdrawPublished(
  { releaseId, signer, reason, ticket }: WithdrawalRequest,
  judge: Pick<Judge, 'workspace' | 'demands' | 'now'>,
  record: (envelope: Envelope) => Promise<void>,
): Promise<Withdrawal> {
  const { workspace, now } = judge;
  const { author, manifests } = workspace;
  const approver = findApprover(signer, judge);
  if (!manifests.has(releaseId)) throw new RefusedError('PL-112', `there is no published release ${releaseId}`);

  const changed: TargetContent[] = [];
  for (const path of author.listTargets().keys()) {
    if (!path.startsWith('effectivity/')) continue;
    const effectivity = parseEffectivity(await author.readTarget(path));
    const next = withdrawRelease(effectivity, releaseId, reason, now);
    if (next !== effectivity) changed.push(toTargetContent(path, formatEffectivity(next)));
  }
  if (changed.length === 0) return { releaseId, isNew: false, state: author.state };

  const path = releaseManifestPath(releaseId);
  const payload = buildStatement(
    releaseWithdrawal,
    { name: path, digest: { sha256: sha256Hex(await author.readTarget(path)) } },
    {
      releaseId,
      withdrawnBy: { id: approver.owner, role: approver.scope },
      reason,
      ticket,
      withdrawnAt: formatInstant(now),
    },
  );
  const envelope = await signStatement(payload, signer);
  await record(envelope);
  const statement = toTargetContent(withdrawalPath(releaseId), formatEnvelope(envelope));
  const state = await author.publish({ now, delegated: { add: [...changed, statement] } });
  return { releaseId, isNew: true, state };
}
