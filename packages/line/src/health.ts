// SPDX-License-Identifier: Apache-2.0
/** Whether a unit could be begun now, as far as that depends on the line alone. */
import { WitnessmarkError } from '@witnessmark/core';
import type { Health } from '@witnessmark/api';
import type { LineContext } from './line-context.ts';

type HealthItem = Health['checks'][number];

export async function checkHealth(context: Pick<LineContext, 'clock' | 'releases' | 'checkRoom'>): Promise<Health> {
  const log = await checkItem('evidence log', () => {
    context.checkRoom('new');
  });
  const checks = [log, await checkTrustRepository(context)];
  return { status: checks.every(({ ok }) => ok) ? 'ok' : 'failing', checks };
}

/** Reads the repository, so that its keys and releases are known from then on. */
export function checkTrustRepository({
  clock,
  releases,
}: Pick<LineContext, 'clock' | 'releases'>): Promise<HealthItem> {
  return checkItem('trust repository', () => releases.current(clock.now()));
}

async function checkItem(name: string, test: () => unknown): Promise<HealthItem> {
  try {
    await test();
    return { name, ok: true, detail: '' };
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { name, ok: false, detail: `${error.code}: ${error.message}` };
  }
}
