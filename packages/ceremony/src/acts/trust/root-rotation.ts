// SPDX-License-Identifier: Apache-2.0
/**
 * A new root: other holders, or another threshold. It is signed by a threshold of the old holders and of the new ones, and
 * so are the targets, because a station must be able to verify them before and after it has learnt of the change.
 */
import { formatInstant, RefusedError, sha256Hex } from '@witnessmark/core';
import {
  compareRoots,
  DEFAULT_LIFETIMES,
  missingHolders,
  TrustAuthor,
  type KeyHolder,
  type RepositorySigners,
} from '@witnessmark/trust';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { hsmToken, inputName, personRef, stepName } from '../shapes.ts';
import { hsmTokenRef, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';
import { rootHolders } from './holders.ts';
import { collectSignatures, findServiceKey, isStagedRoot, readRootFile } from './publication.ts';
import { demandStaged, readStaged, stagedDigestName, writeStaged, type Staged } from './staged-files.ts';

const rotation = {
  /** Everybody who holds a root key afterwards. */
  holders: z.array(personRef).min(2).max(8),
  threshold: z.int().min(2).max(8),
  /** The input that holds the SHA-256 of the first root, as everybody pinned it. */
  firstRoot: inputName,
};
const preparation = z.strictObject(rotation);
const publication = z.strictObject({ ...rotation, ...hsmToken, pinBy: personRef, preparedIn: stepName });

type Preparation = z.infer<typeof preparation>;
type Publication = z.infer<typeof publication>;

export function prepareRootRotationAct(ports: ActPorts): AnyAct {
  return defineAct<Preparation>({
    kind: 'prepare-root-rotation',
    parameters: preparation,
    isIrreversible: false,
    plan: async (context) => {
      const author = await openAuthor(ports, context);
      const { root, version } = compareRoots(author.repository, (await stage(ports, context, author)).root);
      const keyids = (keys: readonly { readonly keyid: string }[]): string =>
        keys.map(({ keyid }) => `${keyid.slice(0, 16)}…`).join(', ') || 'none';
      return {
        lines: [
          `root version ${version}, by ${root.threshold.after} of ${root.kept.length + root.added.length} holders`,
          `added: ${keyids(root.added)}`,
          `removed: ${keyids(root.removed)}`,
          `threshold ${root.threshold.before} before, ${root.threshold.after} after`,
        ],
      };
    },
    inspect: async () => {
      const staged = await readStaged(ports.work);
      return staged === null ? { state: 'notDone' } : { state: 'done', result: toPrepared(staged) };
    },
    perform: async (context) => {
      const staged = await stage(ports, context, await openAuthor(ports, context));
      await writeStaged(ports.work, staged);
      return toPrepared(staged);
    },
  });
}

export function publishRootRotationAct(ports: ActPorts): AnyAct {
  return defineAct<Publication>({
    kind: 'publish-root-rotation',
    parameters: publication,
    isIrreversible: true,
    plan: async (context) => {
      const author = await openAuthor(ports, context);
      const { staged } = await demandCollected(ports, context, author);
      const { label, serial } = hsmTokenRef(context, context.parameters);
      return {
        lines: [
          `publish root version ${staged.root.version}, digest ${staged.root.digest}`,
          'stations that have seen it never go back to the one before',
          `snapshot and timestamp are signed by token "${label}" (serial ${serial})`,
        ],
        confirmation: {
          what: 'the first four characters of the root digest',
          characters: staged.root.digest.slice(0, 4),
        },
      };
    },
    inspect: async (context) => {
      const staged = await demandStaged(ports.work, context.result(context.parameters.preparedIn));
      const file = await readRootFile(ports, staged.root.version);
      if (file === null) return { state: 'notDone' };
      await openAuthor(ports, context);
      return isStagedRoot(file, staged.root)
        ? { state: 'done', result: toPublished(staged, sha256Hex(file)) }
        : { state: 'unknown', detail: `the repository has another root version ${staged.root.version}` };
    },
    perform: async (context) => {
      const reader = await openAuthor(ports, context);
      const { staged, collected } = await demandCollected(ports, context, reader);
      const { online } = reader.rootKeys;
      await withHsmToken(ports, context, async (token) => {
        const signers = {
          online: findServiceKey(token, 'release-online', online),
          effectivity: findServiceKey(token, 'release-effectivity', reader.effectivityKey),
        };
        const author = await openAuthor(ports, context, signers);
        await author.publish({
          now: context.clock.now(),
          root: { staged: staged.root, signatures: collected.map(({ signatures }) => signatures.root) },
          targets: { staged: staged.targets, signatures: collected.map(({ signatures }) => signatures.targets) },
        });
      });
      const file = await readRootFile(ports, staged.root.version);
      if (file === null) throw new RefusedError('CE-215', `the repository has no root version ${staged.root.version}`);
      return toPublished(staged, sha256Hex(file));
    },
  });
}

/** Throws CE-211 for another first root than the one everybody pinned, and the TR- codes of a repository that does not verify. */
async function openAuthor(
  ports: ActPorts,
  context: ActContext<Preparation>,
  signers?: RepositorySigners,
): Promise<TrustAuthor> {
  const initialRoot = await readRootFile(ports, 1);
  const expected = context.input(context.parameters.firstRoot);
  if (initialRoot === null || sha256Hex(initialRoot) !== expected) {
    throw new RefusedError('CE-211', `the first root of the repository is not ${expected}`);
  }
  const options = { ...ports.repository, initialRoot };
  return TrustAuthor.open(signers === undefined ? options : { ...options, signers });
}

/** Expiry counts from now, so that only one staging of a ceremony is signed: the one in the work folder. */
async function stage(ports: ActPorts, context: ActContext<Preparation>, author: TrustAuthor): Promise<Staged> {
  const keys = rootHolders(await ports.registry.read(), context, context.parameters);
  const now = context.clock.now();
  return {
    root: author.stageRoot({ root: keys, targets: keys, expiresAt: now + DEFAULT_LIFETIMES.root }),
    targets: author.stageTargets({ add: [], expiresAt: now + DEFAULT_LIFETIMES.targets }),
  };
}

/** Throws CE-212 until a threshold of the old holders and of the new ones have signed both. */
async function demandCollected(ports: ActPorts, context: ActContext<Publication>, author: TrustAuthor) {
  const staged = await demandStaged(ports.work, context.result(context.parameters.preparedIn));
  const after = rootHolders(await ports.registry.read(), context, context.parameters).holders;
  const before = author.rootKeys.root.holders;
  const collected = await collectSignatures(ports, onceEach([...after, ...before]), staged);
  for (const role of ['root', 'targets'] as const) {
    const signatures = collected.map((own) => own.signatures[role]);
    const missing = missingHolders(author.repository, staged[role], staged.root, signatures);
    if (missing.before > 0 || missing.after > 0) {
      const detail = `${missing.before} of the old holders and ${missing.after} of the new ones`;
      throw new RefusedError('CE-212', `${role}: ${detail} have still to sign`);
    }
  }
  return { staged, collected };
}

function onceEach(holders: readonly KeyHolder[]): KeyHolder[] {
  return [...new Map(holders.map((holder) => [holder.publicKey.keyid, holder])).values()];
}

function toPrepared({ root, targets }: Staged): ActResult {
  return toResult(
    { 'root version': `${root.version}`, 'root expires': formatInstant(root.expiresAt) },
    { digests: { [stagedDigestName('root')]: root.digest, [stagedDigestName('targets')]: targets.digest } },
  );
}

function toPublished({ root }: Staged, sha256: string): ActResult {
  return toResult(
    { 'root version': `${root.version}` },
    { digests: { 'root file': sha256, 'root signed': root.digest } },
  );
}
