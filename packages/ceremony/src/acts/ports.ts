// SPDX-License-Identifier: Apache-2.0
/** What the acts need of the world, handed in by whoever offers them: tokens, cards, the registry and a folder. */
import type { Bytes, Instant } from '@witnessmark/core';
import type { Pkcs11Module, PivTool } from '@witnessmark/custody';
import type { Files } from '@witnessmark/trust';
import type { BreakGlassPort } from './break-glass/break-glass-port.ts';
import type { RegistryFile } from './registry/registry-file.ts';
import type { WorkFolder } from './work-folder.ts';

export interface ActPorts {
  /** The module of the HSMs; the act that opens it closes it. */
  readonly openHsmModule: () => Promise<Pkcs11Module>;
  /** The module of the PIV cards. */
  readonly openCardModule: () => Promise<Pkcs11Module>;
  readonly pivTool: PivTool;
  /** Vendors whose attestations are believed; certificates in DER. */
  readonly pivRoots: readonly Bytes[];
  readonly registry: RegistryFile;
  /** Of this ceremony alone: what its steps hand to one another and to those who come after. */
  readonly work: WorkFolder;
  /** The release repository. */
  readonly repository: { readonly directory: string; readonly files: Files };
  readonly randomBytes: (length: number) => Bytes;
  /** Null where nothing can be opened in an emergency. */
  readonly breakGlass: BreakGlassPort | null;
}

/** How long keys and certificates count, from an instant on. */
const DAY_MS = 24 * 60 * 60 * 1000;

export function addDays(from: Instant, days: number): Instant {
  return from + days * DAY_MS;
}
