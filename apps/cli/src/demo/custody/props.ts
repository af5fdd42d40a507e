// SPDX-License-Identifier: Apache-2.0
/** What the parts of the scene share: the things on the stage, and how an officer approves. */
import type { Session } from '../../session.ts';
import { OPENSC_MODULE, type Equipment } from './equipment.ts';
import { TICKET, type House, type Officer } from './house.ts';
import type { Stage } from '../stage.ts';

export interface Props {
  readonly session: Session;
  readonly stage: Stage;
  readonly house: House;
  readonly equipment: Equipment;
  readonly officers: readonly [Officer, Officer, Officer];
  readonly data: string;
}

/** The first characters of the candidate's digest, as an approver reads them on the own machine. */
export async function digestOf(stage: Stage, data: string, promotion: string): Promise<string> {
  const { stdout } = await stage.attempt(['release', 'review', promotion, '--data', data, '--json']);
  const digest = /"candidateDigest":\s*"([0-9a-f]{64})"/.exec(stdout)?.[1] ?? '';
  return digest.slice(0, 4);
}

export function approval(order: {
  readonly house: House;
  readonly officer: Officer;
  readonly data: string;
  readonly confirm: string;
  readonly promotion?: string;
}): string[] {
  const { house, officer, data, confirm, promotion = 'P-0001' } = order;
  const key = house.cardReference(officer, OPENSC_MODULE);
  return [
    ...['release', 'approve', promotion, '--data', data, '--key', key, '--confirm', confirm],
    ...['--meaning', `looked at it as ${officer.role}`, '--ticket', TICKET],
  ];
}
