// SPDX-License-Identifier: Apache-2.0
/**
 * Writes down what the trusted root has to say about a lost or stolen key: the entry for its list of revocations, to be
 * released like any other change of it. A ceremony of one card changes no trust by itself, and says what has to follow.
 */
import { formatInstant, formatJson, parseStrictJson, sha256Hex } from '@witnessmark/core';
import { findRegisteredKey, type RegisteredKey } from '@witnessmark/custody';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { inputName } from '../shapes.ts';
import type { ActPorts } from '../ports.ts';
import { ROOT_POLICY } from './holders.ts';

const REVOCATION_FILE = 'proposed-revocation.json';

const parameters = z.strictObject({ key: inputName, reason: inputName });
const proposal = z.strictObject({ keyid: z.string(), revokedAt: z.string(), reason: z.string() });

type Parameters = z.infer<typeof parameters>;
type Proposal = z.infer<typeof proposal>;
const LIMITS = { maxBytes: 4_096, maxDepth: 2, maxValues: 10 };

export function proposeRevocationAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'propose-revocation',
    parameters,
    isIrreversible: false,
    plan: async (context) => {
      const key = await registered(ports, context);
      return {
        lines: [
          `propose to revoke key ${key.policy} of ${key.holder} in the trusted root`,
          `key id ${key.keyid}`,
          whatFollows(key),
        ],
      };
    },
    inspect: async (context) => {
      const bytes = await ports.work.read(REVOCATION_FILE);
      if (bytes === null) return { state: 'notDone' };
      const found = proposal.parse(parseStrictJson(bytes, LIMITS));
      const key = await registered(ports, context);
      return found.keyid === key.keyid ? { state: 'done', result: toProposed(key, found) } : { state: 'notDone' };
    },
    perform: async (context) => {
      const key = await registered(ports, context);
      const revokedAt = formatInstant(context.clock.now());
      const entry = { keyid: key.keyid, revokedAt, reason: context.input(context.parameters.reason) };
      await ports.work.write(REVOCATION_FILE, formatJson(entry));
      return toProposed(key, entry);
    },
  });
}

async function registered(ports: ActPorts, context: ActContext<Parameters>): Promise<RegisteredKey> {
  return findRegisteredKey(await ports.registry.read(), context.input(context.parameters.key));
}

/** A key the root itself names is not gone from it until the root is rotated. */
function whatFollows({ policy }: RegisteredKey): string {
  return policy === ROOT_POLICY
    ? 'root rotation needed: the root names this key until a new root is signed without it'
    : 'the trusted root is released again with this entry; until then verifiers accept the key';
}

function toProposed(key: RegisteredKey, entry: Proposal): ActResult {
  return toResult(
    {
      key: key.policy,
      holder: key.holder,
      'revoked at': entry.revokedAt,
      file: REVOCATION_FILE,
      next: whatFollows(key),
    },
    { digests: { 'key id': key.keyid, proposal: sha256Hex(formatJson(entry)) } },
  );
}
