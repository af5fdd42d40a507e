// SPDX-License-Identifier: Apache-2.0
/** Writes the repository with the signatures that were collected; from then on its first root is what everybody pins. */
import { formatInstant, RefusedError, sha256Hex, type Bytes } from '@witnessmark/core';
import { collectedSigner, createRepository, DirectorySource, loadRepository } from '@witnessmark/trust';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { hsmToken, inputName, personRef, stepName } from '../shapes.ts';
import { hsmTokenRef, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';
import { firstRootOptions, readPreparedAt } from './prepare-trust-root.ts';
import {
  collectSignatures,
  findServiceKey,
  isStagedRoot,
  readRootFile,
  type CollectedSignatures,
} from './publication.ts';
import { demandStaged, type Staged } from './staged-files.ts';

const parameters = z.strictObject({
  ...hsmToken,
  pinBy: personRef,
  preparedIn: stepName,
  holders: z.array(personRef).min(2).max(8),
  threshold: z.int().min(2).max(8),
  trustedRoot: inputName,
});

type Parameters = z.infer<typeof parameters>;

export function publishTrustRootAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'publish-trust-root',
    parameters,
    isIrreversible: true,
    plan: async (context) => {
      if (await isPublished(ports)) {
        throw new RefusedError('CE-220', `${ports.repository.directory} holds a release repository already`);
      }
      const { staged, collected } = await demandCollected(ports, context);
      const { label, serial } = hsmTokenRef(context, context.parameters);
      return {
        lines: [
          `write the release repository, root version 1, digest ${staged.root.digest}`,
          `signed by ${collected.map(({ holder }) => holder.owner).join(', ')}`,
          `snapshot and timestamp are signed by token "${label}" (serial ${serial})`,
        ],
        confirmation: {
          what: 'the first four characters of the root digest',
          characters: staged.root.digest.slice(0, 4),
        },
      };
    },
    inspect: async (context) => {
      const root = await readRootFile(ports, 1);
      if (root === null || !(await isPublished(ports))) return { state: 'notDone' };
      await loadRepository(sourceOf(ports), root);
      const staged = await demandStaged(ports.work, context.result(context.parameters.preparedIn));
      return isStagedRoot(root, staged.root)
        ? { state: 'done', result: await toPublished(ports, context, root) }
        : { state: 'unknown', detail: `another repository is in ${ports.repository.directory}` };
    },
    perform: async (context) => {
      const { staged, collected } = await demandCollected(ports, context);
      const preparedAt = await readPreparedAt(ports.work);
      const now = preparedAt ?? context.clock.now();
      const options = await firstRootOptions(ports, context, now);
      const approvers = collected.map(({ holder, signatures }) =>
        collectedSigner(holder.publicKey, [
          { staged: staged.root, signature: signatures.root },
          { staged: staged.targets, signature: signatures.targets },
        ]),
      );
      const root = await withHsmToken(ports, context, (token) =>
        createRepository({
          ...ports.repository,
          ...options,
          approvers,
          signers: {
            online: findServiceKey(token, 'release-online', options.online),
            effectivity: findServiceKey(token, 'release-effectivity', options.effectivity),
          },
          delegated: [],
        }),
      );
      return toPublished(ports, context, root);
    },
  });
}

/** Throws CE-212 when fewer than the threshold have signed. */
async function demandCollected(
  ports: ActPorts,
  context: ActContext<Parameters>,
): Promise<{ readonly staged: Staged; readonly collected: readonly CollectedSignatures[] }> {
  const { preparedIn, threshold } = context.parameters;
  const staged = await demandStaged(ports.work, context.result(preparedIn));
  const { keys } = await firstRootOptions(ports, context, context.clock.now());
  const collected = await collectSignatures(ports, keys.root.holders, staged);
  if (collected.length < threshold) {
    throw new RefusedError('CE-212', `${collected.length} of ${threshold} holders have signed`);
  }
  return { staged, collected };
}

/** Until its timestamp is there, the repository is not there; writing it again is the same. */
async function isPublished(ports: ActPorts): Promise<boolean> {
  return (await sourceOf(ports).open('metadata/timestamp.json')) !== null;
}

function sourceOf({ repository }: ActPorts): DirectorySource {
  return new DirectorySource(repository.directory, repository.files);
}

/** The root file is what is handed out to those who pin it. */
async function toPublished(ports: ActPorts, context: ActContext<Parameters>, root: Bytes): Promise<ActResult> {
  return toResult(
    {
      'first root': 'metadata/1.root.json of the repository',
      threshold: `${context.parameters.threshold} of ${context.parameters.holders.length}`,
      'prepared at': formatInstant((await readPreparedAt(ports.work)) ?? context.clock.now()),
    },
    { digests: { 'first root': sha256Hex(root) } },
  );
}
