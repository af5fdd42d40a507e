// SPDX-License-Identifier: Apache-2.0
/**
 * Who signed in last: a session ends when somebody else signs in at its station, or its person somewhere else. Kept in
 * memory; after a restart a session counts until a later one is opened, at most for its own time.
 */
import type { OperatorSessionRow } from '@witnessmark/store';
import type { SessionFacts } from './admission.ts';

type SignIn = Pick<OperatorSessionRow, 'station' | 'operator' | 'log_index'>;

export class SignIns {
  readonly #byStation = new Map<string, SignIn>();
  readonly #byOperator = new Map<string, SignIn>();

  record(signIn: SignIn): void {
    keepLatest(this.#byStation, signIn.station, signIn);
    keepLatest(this.#byOperator, signIn.operator, signIn);
  }

  /** The later sign-in that ended a session, if there is one. */
  findSuccessor(row: SignIn): SessionFacts['successor'] {
    const later = [this.#byStation.get(row.station), this.#byOperator.get(row.operator)].find(
      (signIn) => signIn !== undefined && signIn.log_index > row.log_index,
    );
    return later ?? null;
  }
}

function keepLatest(map: Map<string, SignIn>, key: string, signIn: SignIn): void {
  if ((map.get(key)?.log_index ?? -1) < signIn.log_index) map.set(key, signIn);
}
