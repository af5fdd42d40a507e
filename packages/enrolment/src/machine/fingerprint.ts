// SPDX-License-Identifier: Apache-2.0
/**
 * The fingerprint of a machine (spec/station-enrolment.md): one keyed digest for each part of it, so that two fingerprints
 * name the parts that differ and neither tells a serial number. Pure; `read-machine.ts` reads the machine.
 */
import { formatJson, sha256Hex } from '@witnessmark/core';

export const MACHINE_PARTS = ['system', 'board', 'cpu', 'disks', 'network', 'tpm'] as const;
export type MachinePart = (typeof MACHINE_PARTS)[number];

/** 64 hexadecimal digits; or nothing of the kind is there; or it is there and this user may not read it. */
export type PartState = string;
export const PART_ABSENT = 'absent';
export const PART_UNREADABLE = 'unreadable';

export interface MachineFingerprint {
  /** SHA-256 over all parts, lower-case hexadecimal. */
  readonly digest: string;
  readonly parts: Readonly<Record<MachinePart, PartState>>;
}

export interface PartChange {
  readonly part: MachinePart;
  readonly what: 'changed' | 'missing' | 'new' | 'unreadable';
}

export function toMachineFingerprint(parts: MachineFingerprint['parts']): MachineFingerprint {
  // The order of the parts is that of the table, whoever made the object.
  const ordered = MACHINE_PARTS.map((part) => [part, parts[part]] as const);
  return {
    digest: sha256Hex(formatJson(ordered.map((entry) => [...entry]))),
    parts: Object.fromEntries(ordered) as Record<MachinePart, PartState>,
  };
}

/** The parts that are not what they were, in the order of {@link MACHINE_PARTS}; none for the same machine. */
export function compareFingerprints(
  enrolled: Pick<MachineFingerprint, 'parts'>,
  found: Pick<MachineFingerprint, 'parts'>,
): readonly PartChange[] {
  return MACHINE_PARTS.flatMap((part) => {
    const [before, after] = [enrolled.parts[part], found.parts[part]];
    return before === after ? [] : [{ part, what: describe(before, after) }];
  });
}

/** For people: `network changed, disks missing`. */
export function describeChanges(changes: readonly PartChange[]): string {
  return changes.map(({ part, what }) => `${part} ${what}`).join(', ');
}

function describe(before: PartState, after: PartState): PartChange['what'] {
  if (after === PART_UNREADABLE) return 'unreadable';
  if (after === PART_ABSENT) return 'missing';
  return before === PART_ABSENT ? 'new' : 'changed';
}
