// SPDX-License-Identifier: Apache-2.0
import {
  openMedium,
  traceWatermark,
  type BundleState,
  type BundleStatus,
  type DebugBundleDesk,
} from '@witnessmark/boundary';
import { debugBundle, parseStatement, type DebugBundleSeal } from '@witnessmark/attestation';
import { formatBundle, toBundleDocument } from '../boundary-text.ts';
import type { CommandInput, CommandResult } from '../command.ts';
import { usageError } from '../error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { debugBundleStatusOptions } from '../options/boundary.ts';
import { withBoundary } from '../roots/boundary.ts';
import type { Session } from '../session.ts';

const STATE_EXITS: Readonly<Record<BundleState, ExitCode>> = {
  sealed: EXIT.yes,
  waiting: EXIT.waiting,
  approved: EXIT.waiting,
  denied: EXIT.no,
  expired: EXIT.no,
};

export async function debugBundleStatus({
  args,
  options,
  session,
}: CommandInput<typeof debugBundleStatusOptions>): Promise<CommandResult> {
  const [bundleId] = args;
  const { leaked } = options;
  return withBoundary(session, options, async (boundary) => {
    const desk = boundary.desk();
    if (leaked === undefined) return showStatus(session, desk, bundleId);
    if (bundleId === undefined) throw usageError('--leaked needs the number of the bundle');
    return trace(session, await desk.status(bundleId), leaked);
  });
}

async function showStatus(
  { output }: Session,
  desk: DebugBundleDesk,
  bundleId: string | undefined,
): Promise<CommandResult> {
  const bundles = bundleId === undefined ? await desk.list() : [await desk.status(bundleId)];
  for (const status of bundles) for (const line of formatBundle(status)) output.data(line);
  const isWaiting = bundles.some(({ state }) => state === 'waiting' || state === 'approved');
  output.verdict(`${bundles.length} debug bundles; ${isWaiting ? 'people are waited for' : 'nobody is waited for'}`);
  const [only] = bundles;
  const exit =
    bundleId !== undefined && only !== undefined ? STATE_EXITS[only.state] : isWaiting ? EXIT.waiting : EXIT.yes;
  return { exit, document: { bundles: bundles.map(toBundleDocument) } };
}

/** Whose copy somebody passed on, by the mark in it. */
async function trace({ output }: Session, { bundleId, seal }: BundleStatus, leaked: string): Promise<CommandResult> {
  const predicate = seal === null ? null : parseStatement(debugBundle, seal.payload).predicate;
  const recipient = predicate?.act === 'seal' ? await traceMedium(leaked, predicate) : null;
  output.verdict(recipient === null ? `no mark of ${bundleId} is in it` : `it is the copy of ${recipient}`);
  return { exit: recipient === null ? EXIT.unknown : EXIT.yes, document: { bundleId, recipient } };
}

async function traceMedium(path: string, seal: DebugBundleSeal): Promise<string | null> {
  const medium = await openMedium(path);
  try {
    for await (const member of medium.members()) {
      const recipient = traceWatermark([member], seal);
      if (recipient !== null) return recipient;
    }
    return null;
  } finally {
    await medium.close();
  }
}
