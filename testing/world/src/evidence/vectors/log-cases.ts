// SPDX-License-Identifier: Apache-2.0
/** Proofs and checkpoints that do not hold, and histories that contradict each other. */
import type { ReasonCode } from '@witnessmark/core';
import { countersign } from '@witnessmark/custody';
import { CALENDAR, CAST, LOG_KEYS, WITNESSES } from '../cast.ts';
import { TestLog } from '../test-log.ts';
import { EvidenceWorld } from '../world.ts';
import {
  changeProof,
  DEVICE,
  flipLineBit,
  play,
  scene,
  tampered,
  toMade,
  type Made,
  type VectorCase,
} from './scene.ts';

/** Lines of a tlog-proof: header, index, then hashes. */
const FIRST_HASH_LINE = 2;

export const LOG_CASES: readonly VectorCase[] = [
  refused('EV-104', 'proof-bit-flip', 'One bit of a proof hash is wrong.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => flipLineBit(proof, FIRST_HASH_LINE))),
  ),
  refused('EV-104', 'proof-of-another-entry', 'A valid proof, but of another entry of the log.', () =>
    tampered((evidence) => changeProof(evidence, -1, () => evidence.entries[1]!.proof)),
  ),
  refused('EV-104', 'proof-of-another-place', 'The proof claims another index.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => proof.replace('index 45', 'index 46'))),
  ),
  refused('EV-104', 'proof-one-hash-short', 'The proof ends one hash early.', () =>
    tampered((evidence) =>
      changeProof(evidence, -1, (proof) => proof.split('\n').toSpliced(FIRST_HASH_LINE, 1).join('\n')),
    ),
  ),
  refused('EV-104', 'proof-truncated', 'The proof was cut off before its checkpoint.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => proof.slice(0, 200))),
  ),
  refused('EV-104', 'proof-beyond-the-tree', 'The proof claims a place that the tree does not have.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => proof.replace('index 45', 'index 4500'))),
  ),
  refused(
    'EV-104',
    'countersigned-after-logging',
    'A signature was added to the entry after it was logged.',
    async () => {
      const { evidence } = await play();
      const { envelope, proof } = evidence.entries.at(-1)!;
      const changed = { envelope: await countersign(envelope, CAST.otherLine.key), proof };
      return toMade({ ...evidence, entries: [...evidence.entries.slice(0, -1), changed] });
    },
  ),
  refused('EV-105', 'checkpoint-root-bit-flip', 'One bit of the root hash is not what the log signed.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => changeCheckpointLine(proof, 2, flipFirstLetter))),
  ),
  refused('EV-105', 'checkpoint-size-changed', 'The tree size is not what the log signed.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => changeCheckpointLine(proof, 1, () => '50'))),
  ),
  refused('EV-105', 'checkpoint-by-an-impostor', 'A key of no trusted root signed under the name of the log.', () =>
    scene({ proof: { signer: LOG_KEYS.impostor } }),
  ),
  refused('EV-105', 'cosignature-bit-flip', 'A trusted witness is named, and its cosignature is wrong.', () =>
    tampered((evidence) => changeProof(evidence, -1, (proof) => changeCheckpointLine(proof, 5, flipLateLetter)), {
      proof: { witnesses: WITNESSES.slice(0, 2), witnessedAt: CALENDAR.sessionExpiresAt },
    }),
  ),
  refused('EV-103', 'log-key-expired', 'The key of the log was no longer valid when the entries were made.', () =>
    inLog(new TestLog(LOG_KEYS.expired)),
  ),
  refused(
    'EV-116',
    'two-histories',
    'A59: two heads of one size, both signed by the log, with different roots.',
    async () => {
      const { world, unit, evidence } = await play();
      const [session, ...others] = evidence.entries;
      const fork = world.log.fork();
      world.log.fill(5);
      fork.fill(5, 'entry of another history');
      const proofs = [await world.log.prove(unit.entries[0]!.index)];
      for (const { index } of unit.entries.slice(1)) proofs.push(await fork.prove(index));
      const entries = [session!, ...others].map((entry, index) => ({ ...entry, proof: proofs[index]! }));
      return toMade({ ...evidence, entries });
    },
  ),
  untold('EV-201', 'proof-missing', 'The file holds no proof that the event was logged.', () =>
    tampered((evidence) => changeProof(evidence, -1, () => '')),
  ),
  untold('EV-202', 'log-unknown', 'The trusted root has no key for the log.', () =>
    inLog(new TestLog(LOG_KEYS.unlisted)),
  ),
  {
    ...untold('EV-203', 'witness-missing', 'One witness cosigned, the policy asks for two.', () =>
      scene({ proof: { witnesses: WITNESSES.slice(0, 1), witnessedAt: CALENDAR.sessionExpiresAt } }),
    ),
    policy: 'witnessed-policy.json',
  },
  {
    ...untold('EV-203', 'witnesses-of-one-owner', 'A61: two witnesses cosigned, both of one owner.', () =>
      scene({ proof: { witnesses: [WITNESSES[0], WITNESSES[2]], witnessedAt: CALENDAR.sessionExpiresAt } }),
    ),
    policy: 'witnessed-policy.json',
  },
  {
    ...untold('EV-203', 'witness-key-expired', 'Two witnesses cosigned, after their keys had expired.', () =>
      scene({ proof: { witnesses: WITNESSES.slice(0, 2), witnessedAt: CALENDAR.keysUntil } }),
    ),
    policy: 'witnessed-policy.json',
  },
];

/** Changes a line of the checkpoint in a proof: origin, size, root, empty line, then signatures. */
function changeCheckpointLine(proof: string, line: number, change: (text: string) => string): string {
  const split = proof.indexOf('\n\n') + 2;
  const lines = proof.slice(split).split('\n');
  lines[line] = change(lines[line] as string);
  return proof.slice(0, split) + lines.join('\n');
}

function flipFirstLetter(text: string): string {
  return (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
}

/** A letter within the cosignature, so that name, key id and time stay. */
function flipLateLetter(line: string): string {
  return line.slice(0, -20) + flipFirstLetter(line.slice(-20));
}

/** A whole scene in another log. */
async function inLog(log: TestLog): Promise<Made> {
  const world = new EvidenceWorld(log);
  const release = await world.release();
  const session = await world.openSession();
  const unit = world.unit(DEVICE);
  await world.pass(unit, { session, release });
  return toMade(await world.evidence(unit));
}

function refused(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_fail`, why, verdict: 'FAILED', code, make };
}

function untold(code: ReasonCode, name: string, why: string, make: VectorCase['make']): VectorCase {
  return { name: `${name}_unverified`, why, verdict: 'NOT VERIFIED', code, make };
}
