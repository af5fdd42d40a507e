// SPDX-License-Identifier: Apache-2.0
/** What one run of a script is given besides the script: who, with which things, with which words. Fixed at the opening. */
import type { Participant } from './roles.ts';

/** The thing this run uses for a name in the script's `equipment`; a rehearsal binds the same names to spare things. */
export interface EquipmentBinding {
  readonly name: string;
  /** What it says of itself and what is printed on it, never a slot. */
  readonly label: string;
  readonly serial: string;
  /** Number of the tamper-evident bag it came out of; null when it was in none. */
  readonly bag: string | null;
}

export interface InputBinding {
  readonly name: string;
  readonly value: string;
}

export interface RunSettings {
  readonly ceremonyId: string;
  readonly environment: { readonly simulated: boolean; readonly rehearsal: boolean };
  readonly location: string;
  readonly people: readonly Participant[];
  readonly equipment: readonly EquipmentBinding[];
  readonly inputs: readonly InputBinding[];
  /** Version and digest of the program that runs the ceremony. */
  readonly tool: { readonly version: string; readonly sha256: string };
}
