// SPDX-License-Identifier: Apache-2.0
/** What the commands of the office share: opening it, and the exit codes of what waits there. */
import type { Gate, PromotionState } from '@witnessmark/gate';
import { loadConfig, namedConfig, officeConfigSchema, type LoadedConfig, type OfficeConfig } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { openOffice, type Office } from './roots/office.ts';
import type { Session } from './session.ts';
import { promptForPin } from './signer-reference.ts';

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

export interface OfficeOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
}

/** Opens the office with its keys, for the time of `work`. */
export function withOffice<T>(
  session: Session,
  options: OfficeOptions,
  work: (gate: Gate, config: LoadedConfig<OfficeConfig>, office: Office) => Promise<T>,
): Promise<T> {
  return openFor(session, options, false, work);
}

/** Opens it to look: nobody is asked for a PIN. */
export function lookAtOffice<T>(
  session: Session,
  options: OfficeOptions,
  work: (gate: Gate, config: LoadedConfig<OfficeConfig>, office: Office) => Promise<T>,
): Promise<T> {
  return openFor(session, options, true, work);
}

async function openFor<T>(
  session: Session,
  options: OfficeOptions,
  isLooking: boolean,
  work: (gate: Gate, config: LoadedConfig<OfficeConfig>, office: Office) => Promise<T>,
): Promise<T> {
  const config = loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).officeConfig),
    officeConfigSchema,
  );
  const { clock, newId } = session;
  const office = await openOffice(config, { clock, newId, askPin: promptForPin(session), isLooking });
  try {
    return await work(office.gate, config, office);
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
