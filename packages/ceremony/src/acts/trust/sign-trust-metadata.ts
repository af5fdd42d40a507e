// SPDX-License-Identifier: Apache-2.0
/**
 * One holder signs the staged root and targets with a card. What is signed is read from the work folder and compared with
 * what everybody was shown, on the machine the card is in. A signature whose fate is unknown is made again: two signatures
 * of one key count once.
 */
import { decodeHex, RefusedError, type PublicKey } from '@witnessmark/core';
import { findKey, keyPolicy, type TokenIdentity } from '@witnessmark/custody';
import { isStagedSignature, signStagedMetadata } from '@witnessmark/trust';
import { z } from 'zod';
import { defineAct, type ActContext, type ActInspection, type ActResult, type AnyAct } from '../../act.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { equipmentName, personRef, stepName } from '../shapes.ts';
import { findCard, withCardToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';
import { demandHolderKey, ROOT_POLICY, toPublicKey } from './holders.ts';
import { demandStaged, readSignatures, stagedDigestName, writeSignatures, type Staged } from './staged-files.ts';

const parameters = z.strictObject({ equipment: equipmentName, holder: personRef, preparedIn: stepName });

type Parameters = z.infer<typeof parameters>;
const { label, id } = keyPolicy(ROOT_POLICY);

export function signTrustMetadataAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'sign-trust-metadata',
    parameters,
    isIrreversible: true,
    plan: async (context) => {
      const { equipment, holder, preparedIn } = context.parameters;
      const staged = await demandStaged(ports.work, context.result(preparedIn));
      const card = await findCard(ports, context, equipment);
      return {
        lines: [
          `${context.person(holder)} signs with card ${card.serial}`,
          `root version ${staged.root.version}, digest ${staged.root.digest}`,
          `targets version ${staged.targets.version}, digest ${staged.targets.digest}`,
        ],
        confirmation: {
          what: 'the first four characters of the root digest',
          characters: staged.root.digest.slice(0, 4),
        },
      };
    },
    inspect: async (context): Promise<ActInspection> => {
      const staged = await demandStaged(ports.work, context.result(context.parameters.preparedIn));
      const owner = context.person(context.parameters.holder);
      const registry = await ports.registry.read();
      for (const key of registry.keys.filter(({ policy, holder }) => policy === ROOT_POLICY && holder === owner)) {
        const publicKey = toPublicKey(key);
        if ((await readSignatures(ports.work, publicKey, staged)) !== null) {
          return { state: 'done', result: toSigned(context, staged, publicKey, key.token) };
        }
      }
      return { state: 'notDone' };
    },
    perform: async (context) => {
      const staged = await demandStaged(ports.work, context.result(context.parameters.preparedIn));
      const owner = context.person(context.parameters.holder);
      const registry = await ports.registry.read();
      return withCardToken(ports, context, context.parameters, async (token) => {
        const key = findKey(token, { label, id: decodeHex(id) });
        demandHolderKey(registry, owner, key.publicKey);
        const root = await signStagedMetadata(staged.root, key);
        const targets = await signStagedMetadata(staged.targets, key);
        if (!isStagedSignature(key.publicKey, staged.root, root)) {
          throw new RefusedError('CE-211', `what key ${key.publicKey.keyid} signed is not the staged root`);
        }
        await writeSignatures(ports.work, key.publicKey, { root, targets });
        return toSigned(context, staged, key.publicKey, token.identity);
      });
    },
  });
}

function toSigned(
  context: ActContext<Parameters>,
  { root, targets }: Staged,
  publicKey: PublicKey,
  token: Omit<TokenIdentity, 'slot'> | null,
): ActResult {
  const holder = context.person(context.parameters.holder);
  const { serial } = context.equipment(context.parameters.equipment);
  const report = { name: ROOT_POLICY, change: 'used' as const, holder, publicKey, token };
  return toResult(
    { 'signed by': holder, 'card serial': serial, 'key id': publicKey.keyid },
    {
      digests: { [stagedDigestName('root')]: root.digest, [stagedDigestName('targets')]: targets.digest },
      keys: [toCeremonyKey({ ...report, grade: 'selfReported' })],
    },
  );
}
