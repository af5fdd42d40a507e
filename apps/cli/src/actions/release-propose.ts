// SPDX-License-Identifier: Apache-2.0
import { RELEASE_CLASSES, type ReleaseClass, type ReleaseManifest } from '@witnessmark/attestation';
import type { Gate } from '@witnessmark/gate';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { releaseProposeOptions } from '../options/release.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { withOffice } from '../office-work.ts';
import { formatStatus } from '../promotion-text.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

type Options = OptionValues<typeof releaseProposeOptions>;

/** Ids become file names in the repository. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export async function releasePropose({
  options,
  session,
}: CommandInput<typeof releaseProposeOptions>): Promise<CommandResult> {
  return withOffice(session, options, async (gate, { values }) => {
    const { product } = values;
    const releaseId = options.releaseId ?? `${product.sku}-${options.releaseVersion}`;
    if (!NAME.test(releaseId)) throw usageError('--release-id takes letters, digits, dots, dashes and underlines');
    const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
    const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
    const key = { session, purpose: purposeOfStatement };
    const status = await withSigner(options.key, key, async (author) =>
      gate.propose({
        imagePath: options.image,
        version: options.releaseVersion,
        releaseId,
        releaseCounter: options.counter ?? (await nextCounter(gate, product.sku)),
        ...(options.securityCounter === undefined ? {} : { securityCounter: options.securityCounter }),
        ...(options.address === undefined ? {} : { address: options.address }),
        ...(options.leaveOpen || options.bootDigest ? { recipe: recipeOf(options) } : {}),
        sealed: options.sealed,
        ...(options.class === undefined ? {} : { releaseClass: releaseClassOf(options.class) }),
        ...(options.builder === undefined ? {} : { builder: options.builder }),
        ...(options.exception === undefined ? {} : { exceptionId: options.exception }),
        product,
        effectivity: {
          eco: options.eco ?? ticket,
          hwVersions: [...product.hwVersions],
          workOrders: options.workOrder.length === 0 ? null : [...options.workOrder],
          maxUnits: options.maxUnits ?? null,
        },
        ticket,
        reason,
        author,
      }),
    );
    const { output } = session;
    for (const line of formatStatus(status, options).slice(1)) output.data(line);
    output.verdict(`${status.promotionId} is proposed and waits for ${status.missing?.people ?? 0} people`);
    return { exit: EXIT.yes, document: { promotion: status } };
  });
}

function recipeOf({ leaveOpen, bootDigest }: Pick<Options, 'leaveOpen' | 'bootDigest'>): ReleaseManifest['recipe'] {
  return {
    name: `spi-nor${leaveOpen ? '-open' : ''}${bootDigest ? '-boot' : ''}`,
    version: '1',
    steps: [
      'program',
      'measure',
      ...(bootDigest ? ['bootDigest' as const] : []),
      ...(leaveOpen ? [] : ['lock' as const]),
    ],
  };
}

function releaseClassOf(text: string): ReleaseClass {
  const found = RELEASE_CLASSES.find((releaseClass) => releaseClass === text);
  if (found === undefined) throw usageError(`--class is one of ${RELEASE_CLASSES.join(', ')}`);
  return found;
}

/** One more than any release of the product that was ever proposed here. */
async function nextCounter(gate: Gate, sku: string): Promise<number> {
  const counters = (await gate.list()).map(({ proposal }) => (proposal?.sku === sku ? proposal.releaseCounter : 0));
  return Math.max(0, ...counters) + 1;
}
