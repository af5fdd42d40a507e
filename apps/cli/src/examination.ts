// SPDX-License-Identifier: Apache-2.0
/** What an examination of `doctor` is given, and what it finds. */
import type { Clock } from '@witnessmark/core';
import type { DataDirectory } from './data-directory.ts';

export interface Finding {
  readonly name: string;
  readonly outcome: 'ok' | 'warn' | 'FAIL' | 'skip';
  readonly detail: string;
  readonly next?: string;
}

export interface Patient {
  readonly directory: DataDirectory | undefined;
  readonly lineUrl: string | undefined;
  readonly device: string | undefined;
  readonly profile: string | undefined;
  readonly clock: Clock;
}

export type Observation = Omit<Finding, 'name' | 'outcome'> & { readonly outcome?: Finding['outcome'] };
