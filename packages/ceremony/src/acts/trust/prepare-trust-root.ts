// SPDX-License-Identifier: Apache-2.0
/** Composes the first root of the release repository and its first targets, for the holders to sign one after the other. */
import {
  formatInstant,
  parseInstant,
  parseStrictJson,
  formatJson,
  RefusedError,
  sha256Hex,
  type Bytes,
  type Instant,
} from '@witnessmark/core';
import { parseTrustedRoot } from '@witnessmark/attestation';
import {
  stageFirstRoot,
  toTargetContent,
  TRUSTED_ROOT_PATH,
  type FirstRootOptions,
  type TargetContent,
} from '@witnessmark/trust';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { inputName, personRef } from '../shapes.ts';
import type { ActPorts } from '../ports.ts';
import type { WorkFolder } from '../work-folder.ts';
import { rootHolders, servicePublicKey } from './holders.ts';
import { readStaged, stagedDigestName, writeStaged, type Staged } from './staged-files.ts';

const PREPARED_FILE = 'prepared.json';
const PREPARED_LIMITS = { maxBytes: 1024, maxDepth: 2, maxValues: 10 };
const MIN_THRESHOLD = 2;

const parameters = z.strictObject({
  holders: z.array(personRef).min(MIN_THRESHOLD).max(8),
  threshold: z.int().min(MIN_THRESHOLD).max(8),
  /** The input that holds the SHA-256 of the trusted root, a file in the work folder. */
  trustedRoot: inputName,
});

export type TrustRootParameters = z.infer<typeof parameters>;

export function prepareTrustRootAct(ports: ActPorts): AnyAct {
  return defineAct<TrustRootParameters>({
    kind: 'prepare-trust-root',
    parameters,
    isIrreversible: false,
    plan: async (context) => {
      const options = await firstRootOptions(ports, context, context.clock.now());
      const { holders, threshold } = options.keys.root;
      return {
        lines: [
          `root and targets, each by ${threshold} of ${holders.length} holders`,
          ...holders.map(({ owner, publicKey }) => `${owner}: key id ${publicKey.keyid}`),
          `online key ${options.online.keyid}`,
          `effectivity key ${options.effectivity.keyid}`,
          `trusted root ${context.input(context.parameters.trustedRoot)}`,
        ],
      };
    },
    inspect: async (context) => {
      const staged = await readStaged(ports.work);
      if (staged === null || (await readPreparedAt(ports.work)) === null) return { state: 'notDone' };
      return { state: 'done', result: toPrepared(staged, context.parameters) };
    },
    perform: async (context) => {
      const now = context.clock.now();
      const staged = stageFirstRoot(await firstRootOptions(ports, context, now));
      await ports.work.write(PREPARED_FILE, formatJson({ preparedAt: formatInstant(now) }));
      await writeStaged(ports.work, staged);
      return toPrepared(staged, context.parameters);
    },
  });
}

/** The same as when it was prepared, given the same registry and documents. Throws CE-211, CE-214, CE-215, CE-217 or CE-218. */
export async function firstRootOptions(
  ports: ActPorts,
  context: ActContext<TrustRootParameters>,
  now: Instant,
): Promise<FirstRootOptions & { readonly targets: readonly TargetContent[] }> {
  const registry = await ports.registry.read();
  const keys = rootHolders(registry, context, context.parameters);
  return {
    keys: { root: keys, targets: keys },
    online: servicePublicKey(registry, context, 'release-online'),
    effectivity: servicePublicKey(registry, context, 'release-effectivity'),
    targets: [toTargetContent(TRUSTED_ROOT_PATH, await demandTrustedRoot(ports.work, context))],
    now,
  };
}

/** Null before it was prepared. */
export async function readPreparedAt(work: WorkFolder): Promise<Instant | null> {
  const bytes = await work.read(PREPARED_FILE);
  if (bytes === null) return null;
  const { preparedAt } = z.strictObject({ preparedAt: z.string() }).parse(parseStrictJson(bytes, PREPARED_LIMITS));
  return parseInstant(preparedAt);
}

async function demandTrustedRoot(work: WorkFolder, context: ActContext<TrustRootParameters>): Promise<Bytes> {
  const bytes = await work.demand(TRUSTED_ROOT_PATH);
  const expected = context.input(context.parameters.trustedRoot);
  const found = sha256Hex(bytes);
  if (found !== expected) throw new RefusedError('CE-211', `${TRUSTED_ROOT_PATH} is ${found}, expected is ${expected}`);
  parseTrustedRoot(bytes);
  return bytes;
}

function toPrepared({ root, targets }: Staged, { holders, threshold }: TrustRootParameters): ActResult {
  return toResult(
    {
      'root version': `${root.version}`,
      threshold: `${threshold} of ${holders.length}`,
      'root expires': formatInstant(root.expiresAt),
      'targets expire': formatInstant(targets.expiresAt),
    },
    { digests: { [stagedDigestName('root')]: root.digest, [stagedDigestName('targets')]: targets.digest } },
  );
}
