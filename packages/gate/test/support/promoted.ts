// SPDX-License-Identifier: Apache-2.0
/** From a proposal to what a client sees of it. */
import { parseEffectivity, parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { effectivityPath, TRUSTED_ROOT_PATH } from '@witnessmark/trust';
import { SITE, type Office } from './office.ts';

export async function promote(office: Office, change: Parameters<Office['propose']>[0] = {}): Promise<void> {
  const { promotionId } = await office.propose(change);
  await office.approve('meyer', { promotionId });
  await office.approve('rossi', { promotionId });
}

/** A new client, the keys it trusts, and what is in effect for it. */
export async function published(office: Office) {
  const client = office.client();
  await client.update(office.clock.now());
  const keys = toTrustedKeys(parseTrustedRoot(await client.readTarget(TRUSTED_ROOT_PATH)));
  const effectivity = parseEffectivity(await client.readTarget(effectivityPath(SITE.plant, SITE.line)));
  return { client, keys, effectivity };
}
