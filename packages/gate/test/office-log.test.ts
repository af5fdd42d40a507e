// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { formatEnvelope } from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner } from '@witnessmark/custody';
import { hashLeaf, openCheckpoint, verifyInclusion } from '@witnessmark/tlog';
import { describe, expect, it } from 'vitest';
import { OfficeLog, type Gate } from '../src/index.ts';
import { createOffice, NOW, proposal, StoppedClock } from './support/office.ts';

describe('the office log', () => {
  it('holds every statement of a promotion, each with a proof, over restarts', async () => {
    const office = await createOffice();
    const signer = new NoteSigner('witnessmark.dev/office/test', generateSoftwareKey('ed25519'));
    const directory = join(office.base, 'office-log');
    const open = (): Promise<OfficeLog> => OfficeLog.open({ directory, signer, clock: new StoppedClock(NOW) });
    const proven: number[] = [];
    const run = async (step: (gate: Gate) => Promise<unknown>): Promise<void> => {
      const log = await open();
      const gate = office.open({
        onStatement: async (envelope) => {
          const { index, proof, checkpoint } = await log.record(envelope);
          const { treeSize, rootHash } = openCheckpoint(checkpoint, signer.verifierKey);
          verifyInclusion({ leafHash: hashLeaf(formatEnvelope(envelope)), index, treeSize, proof, rootHash });
          proven.push(index);
        },
      });
      await step(gate);
      await log.close();
    };
    await run((gate) => gate.propose(proposal(office.image())));
    await run((gate) => office.approve('meyer', {}, gate));
    await run((gate) => office.approve('rossi', {}, gate));
    expect(proven).toEqual([0, 1, 2]);

    const log = await open();
    expect(log.size).toBe(3);
    await expect(open()).rejects.toMatchObject({ code: 'LG-110' });
    await log.close();
  });
});
