// SPDX-License-Identifier: Apache-2.0
/** What targets metadata lists, and to whose key it gives the effectivity role. */
import type { Metadata, Targets } from '@tufjs/models';
import { RefusedError, type PublicKey } from '@witnessmark/core';
import { parseTargets } from './metadata.ts';
import { toTargetInfo } from './repository.ts';
import type { StagedMetadata } from './staged-metadata.ts';
import type { TargetInfo } from './target-content.ts';
import { EFFECTIVITY_ROLE } from './target-path.ts';
import { toPublicKey } from './tuf-key.ts';

/** What a staged document would list, by path. */
export function readStagedTargets({ document }: StagedMetadata): ReadonlyMap<string, TargetInfo> {
  return targetsOf(parseTargets(document));
}

/** The key that a staged document gives the effectivity role to. Throws TR-109 when it gives it to nobody. */
export function stagedEffectivityKey({ document }: StagedMetadata): PublicKey {
  return effectivityKeyOf(parseTargets(document));
}

export function targetsOf({ signed }: Metadata<Targets>): ReadonlyMap<string, TargetInfo> {
  return new Map(Object.entries(signed.targets).map(([path, target]) => [path, toTargetInfo(path, target)]));
}

export function effectivityKeyOf(targets: Metadata<Targets>): PublicKey {
  const { keys, roles } = targets.signed.delegations ?? {};
  const key = keys?.[roles?.[EFFECTIVITY_ROLE]?.keyIDs[0] ?? ''];
  if (key === undefined) throw new RefusedError('TR-109', 'the targets metadata delegates no effectivity role');
  return toPublicKey(key);
}
