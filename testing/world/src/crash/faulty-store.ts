// SPDX-License-Identifier: Apache-2.0
/** The store and the evidence key of a line behind a fault plan that is exchanged from run to run. */
import { CustodyError, type Signer } from '@witnessmark/custody';
import { StoreError, type Store } from '@witnessmark/store';
import { FaultPlan } from './fault-plan.ts';

/** Holds the plan of the line's present process; what an earlier one still does is of no consequence. */
export class LineFaults {
  plan: FaultPlan = new FaultPlan();

  wrapStore(store: Store): Store {
    const fail = (): never => {
      throw new StoreError('ERR_STORE_IO', 'the disk of the line gave an error');
    };
    return {
      views: store.views,
      head: () => store.head(),
      journal: () => store.journal(),
      commit: (request) => this.plan.call('store.commit', () => store.commit(request), fail),
      dump: () => store.dump(),
      close: () => store.close(),
    };
  }

  wrapSigner(signer: Signer): Signer {
    const fail = (): never => {
      throw new CustodyError('ERR_CUSTODY_SIGN', 'the token of the line was removed');
    };
    return {
      publicKey: signer.publicKey,
      custody: signer.custody,
      sign: (message) => this.plan.call('evidence.sign', () => signer.sign(message), fail),
    };
  }
}
