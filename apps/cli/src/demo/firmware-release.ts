// SPDX-License-Identifier: Apache-2.0
/** A release the way the release commands make one: proposed by its author, approved by people with their own keys. */
import { loadSoftwareKey } from '@witnessmark/custody';
import type { PromotionStatus } from '@witnessmark/gate';
import { loadConfig, officeConfigSchema } from '../config.ts';
import { typedPartOf } from '../office-work.ts';
import { openOffice } from '../roots/office.ts';
import type { Session } from '../session.ts';
import type { DemoDirectory } from './demo-directory.ts';

interface ReleasePlan {
  readonly imagePath: string;
  readonly version: string;
  readonly author: string;
  /** Who approves, in this order. */
  readonly approvers: readonly string[];
}

const TICKET = 'ECO-0001';

export async function releaseFirmware(
  { clock, newId }: Session,
  directory: DemoDirectory,
  plan: ReleasePlan,
): Promise<PromotionStatus> {
  const config = loadConfig(directory.officeConfig, officeConfigSchema);
  const office = await openOffice(config, { clock, newId });
  const { gate } = office;
  try {
    let status = await gate.propose({
      imagePath: plan.imagePath,
      version: plan.version,
      releaseCounter: (await gate.list()).length + 1,
      product: config.values.product,
      effectivity: { eco: TICKET, hwVersions: [...config.values.product.hwVersions] },
      ticket: TICKET,
      reason: 'demo',
      author: loadSoftwareKey(directory.key(`author-${plan.author}`)),
    });
    for (const approver of plan.approvers) {
      status = await gate.approve({
        promotionId: status.promotionId,
        signer: loadSoftwareKey(directory.key(`approver-${approver}`)),
        meaning: 'looked at in the demo',
        ticket: TICKET,
        typedDigestPrefix: typedPartOf(status.proposal?.candidateDigest ?? ''),
      });
    }
    return status;
  } finally {
    await office.close();
  }
}

/** Asks the gate to publish, whoever has approved; throws PL-106 while people are missing. */
export async function publishAnyway(
  { clock, newId }: Session,
  directory: DemoDirectory,
  promotionId: string,
): Promise<PromotionStatus> {
  const office = await openOffice(loadConfig(directory.officeConfig, officeConfigSchema), { clock, newId });
  try {
    return await office.gate.publish(promotionId);
  } finally {
    await office.close();
  }
}
