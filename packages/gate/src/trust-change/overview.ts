// SPDX-License-Identifier: Apache-2.0
/** The keys in force: who holds which, how it is kept, and how many of them it takes. */
import { isValidAt, type HolderUse, type KeyRole } from '@witnessmark/attestation';
import { formatInstant, type CustodyGrade } from '@witnessmark/core';
import type { Judge } from '../status.ts';
import { holdersOf } from './next-trusted-root.ts';

export interface HolderSummary {
  readonly keyid: string;
  readonly owner: string;
  readonly uses: readonly HolderUse[];
  /** Null where the trusted root does not say. */
  readonly custodyGrade: CustodyGrade | null;
  readonly isRehearsal: boolean;
}

export interface KeySummary {
  readonly keyid: string;
  readonly role: KeyRole;
  readonly owner: string;
  readonly scope: string;
  readonly custody: 'hardware' | 'software';
  readonly custodyGrade: CustodyGrade;
  readonly isRehearsal: boolean;
  readonly token: { readonly label: string; readonly serial: string } | null;
  readonly isValid: boolean;
  /** Null without end. */
  readonly validUntil: string | null;
}

export interface TrustOverview {
  readonly root: {
    readonly version: number;
    readonly expires: string;
    readonly rootThreshold: number;
    readonly targetsThreshold: number;
  };
  readonly trustedRoot: { readonly name: string; readonly version: number };
  readonly holders: readonly HolderSummary[];
  readonly keys: readonly KeySummary[];
}

export function describeOverview({ workspace, now }: Judge): TrustOverview {
  const { author, trustedRoot, keys } = workspace;
  const { root, targets, online } = author.rootKeys;
  const owners = holdersOf(trustedRoot);
  const uses: readonly (readonly [HolderUse, readonly string[]])[] = [
    ['root', root.holders.map(({ publicKey }) => publicKey.keyid)],
    ['targets', targets.holders.map(({ publicKey }) => publicKey.keyid)],
    ['online', [online.keyid]],
    ['effectivity', [author.effectivityKey.keyid]],
  ];
  const keyids = new Set(uses.flatMap(([, all]) => all));
  const { signed } = author.repository.root;
  return {
    root: {
      version: signed.version,
      expires: signed.expires,
      rootThreshold: root.threshold,
      targetsThreshold: targets.threshold,
    },
    trustedRoot: { name: trustedRoot.name, version: trustedRoot.version },
    holders: [...keyids].map((keyid) => {
      const known = trustedRoot.repository?.holders.find((holder) => holder.keyid === keyid);
      const signs = keys.find(({ key }) => key.keyid === keyid);
      return {
        keyid,
        owner: owners.get(keyid) ?? 'not written down',
        uses: uses.flatMap(([use, all]) => (all.includes(keyid) ? [use] : [])),
        custodyGrade: known === undefined ? (signs?.custodyGrade ?? null) : (known.custodyGrade ?? 'asserted'),
        isRehearsal: known?.rehearsal === true || signs?.isRehearsal === true,
      };
    }),
    keys: keys.map((key) => ({
      keyid: key.key.keyid,
      role: key.role,
      owner: key.owner,
      scope: key.scope,
      custody: key.custody,
      custodyGrade: key.custodyGrade,
      isRehearsal: key.isRehearsal,
      token: key.token,
      isValid: isValidAt(key, now),
      validUntil: key.validUntil === Infinity ? null : formatInstant(key.validUntil),
    })),
  };
}
