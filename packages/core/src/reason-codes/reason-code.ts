// SPDX-License-Identifier: Apache-2.0
/** What a reason code tells the people who meet it. */
export interface ReasonCodeEntry {
  /** What the operator sees; at most eight words. */
  readonly operatorText: string;
  readonly cause: string;
  readonly nextStep: string;
  /** Who may lift it; `nobody` means that no override exists. */
  readonly overrideBy: string;
}

export type ReasonCodeTable = Readonly<Record<string, ReasonCodeEntry>>;
