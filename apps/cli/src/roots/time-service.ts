// SPDX-License-Identifier: Apache-2.0
/** The time service of a station, with the hierarchy of its line when the configuration names one. */
import type { TrustedKey } from '@witnessmark/attestation';
import {
  ChronyTimeSource,
  parseTimeHierarchy,
  type OpenHierarchy,
  type TimePolicy,
  type TimeSource,
} from '@witnessmark/station';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';

export interface TimeService {
  readonly source: TimeSource;
  readonly policy: TimePolicy;
  readonly hierarchy: OpenHierarchy | null;
}

/** Null for a station that has none. Throws LS-331 for a hierarchy that is not one of this line. */
export function openTimeService(
  { values, pathOf }: LoadedConfig<StationConfig>,
  keys: readonly TrustedKey[],
): TimeService | null {
  const { timeService, plant, line } = values;
  if (timeService === undefined) return null;
  const { chrony: command, program } = timeService;
  const source = new ChronyTimeSource({ command, ...(program !== undefined && { programPath: program }) });
  if (timeService.hierarchy === undefined) return { source, policy: timeService.policy, hierarchy: null };
  const bytes = readFile(pathOf(timeService.hierarchy), DOCUMENT_BYTES);
  const hierarchy = parseTimeHierarchy(bytes, { keys, plant, line });
  return { source, policy: hierarchy.policy, hierarchy };
}
