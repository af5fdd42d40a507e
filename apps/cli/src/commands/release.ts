// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  releaseApproveOptions,
  releaseMirrorOptions,
  releaseProposeOptions,
  releaseRefreshOptions,
  releaseReviewOptions,
  releaseStatusOptions,
  releaseWithdrawOptions,
} from '../options/release.ts';

const promotionArgument = {
  name: 'PROMOTION',
  description: 'the number of a proposal, for example P-0001',
  required: true,
  variadic: false,
} as const;

export const releaseProposeCommand = defineCommand({
  path: ['release', 'propose'],
  summary: 'Proposes a release made from a firmware file; other people have to approve it.',
  examples: [
    {
      command:
        'witnessmark release propose --data site --image app.bin --release-version 4.2.1 --key site/keys/author-alex.pem --ticket ECO-7731 --reason "fixes the watchdog"',
      note: 'for the product of the site',
    },
    {
      command:
        'witnessmark release propose --data site --image app.bin --release-version 4.2.1 --key alex.pem --work-order WO-48113 --max-units 1200',
      note: 'for one work order; asks for ticket and reason',
    },
    {
      command:
        'witnessmark release propose --data site --image boot.bin --release-version 1.0.0 --release-id boot-1.0.0 --key alex.pem --ticket T-1 --reason first --json',
      note: 'with its own id, for machines',
    },
  ],
  args: [],
  options: releaseProposeOptions,
  exits: {
    0: 'proposed; the promotion number is printed',
    4: 'refused: counter, image, id or author',
    6: 'the disk failed',
  },
  run: async (input) => (await import('../actions/release-propose.ts')).releasePropose(input),
});

export const releaseReviewCommand = defineCommand({
  path: ['release', 'review'],
  summary: 'Recomputes a proposal from the bytes on this machine and shows what it would change.',
  examples: [
    { command: 'witnessmark release review P-0001 --data site', note: 'before approving' },
    { command: 'witnessmark release review P-0001 --config office.json', note: "on an approver's own machine" },
    { command: 'witnessmark release review P-0001 --data site --json', note: 'for machines' },
  ],
  args: [promotionArgument],
  options: releaseReviewOptions,
  exits: { 0: 'the proposal is what was proposed', 4: 'refused: bytes changed, or another release came first' },
  run: async (input) => (await import('../actions/release-review.ts')).releaseReview(input),
});

export const releaseApproveCommand = defineCommand({
  path: ['release', 'approve'],
  summary: 'Approves or denies a proposal with an own key; the last approval that was missing publishes it.',
  examples: [
    {
      command:
        'witnessmark release approve P-0001 --data site --key site/keys/approver-anna.pem --confirm 9f3c --meaning "lab green" --ticket ECO-7731',
      note: 'with everything said',
    },
    {
      command: 'witnessmark release approve P-0001 --data site --key ben.pem',
      note: 'shows the review, then asks',
    },
    {
      command:
        'witnessmark release approve P-0001 --data site --key chris.pem --deny --meaning "pen test missing" --ticket ECO-7731',
      note: 'denies',
    },
  ],
  args: [promotionArgument],
  options: releaseApproveOptions,
  exits: {
    0: 'the decision is signed and stored; the output says whether the release is published',
    4: 'refused: own proposal, second time, no approver, expired, bytes changed, wrong characters',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/release-approve.ts')).releaseApprove(input),
});

export const releaseStatusCommand = defineCommand({
  path: ['release', 'status'],
  summary: 'Says where proposals stand, computed from signatures and not from notes.',
  examples: [
    { command: 'witnessmark release status --data site', note: 'all proposals; exit 5 while one waits for people' },
    { command: 'witnessmark release status P-0001 --data site', note: 'one proposal: who signed, who is missing' },
    { command: 'witnessmark release status P-0001 --data site -qq', note: 'for scripts: the exit code only' },
  ],
  args: [{ ...promotionArgument, required: false }],
  options: releaseStatusOptions,
  exits: {
    0: 'promoted; for all proposals: none waits',
    1: 'denied, withdrawn, expired, overtaken or void',
    4: 'there is no such promotion',
    5: 'waiting for people',
  },
  run: async (input) => (await import('../actions/release-status.ts')).releaseStatus(input),
});

export const releaseMirrorCommand = defineCommand({
  path: ['release', 'mirror'],
  summary: 'Copies the complete trust repository to a directory, for example a stick, and checks it while copying.',
  examples: [
    { command: 'witnessmark release mirror --data site --to /media/stick/trust', note: 'to a stick' },
    { command: 'witnessmark release mirror --config office.json --to /srv/www/trust', note: 'to a web server' },
    { command: 'witnessmark release mirror --data site --to copy --json', note: 'for machines' },
  ],
  args: [],
  options: releaseMirrorOptions,
  exits: {
    0: 'the copy is complete and verified',
    4: 'refused: the repository does not verify, or the copy is newer',
    6: 'the disk failed',
  },
  run: async (input) => (await import('../actions/release-mirror.ts')).releaseMirror(input),
});

export const releaseWithdrawCommand = defineCommand({
  path: ['release', 'withdraw'],
  summary: 'Withdraws a published release for good: stations and lines stop making it.',
  examples: [
    {
      command:
        'witnessmark release withdraw GW-210-4.2.1 --data site --key ben.pem --confirm GW-210-4.2.1 --reason "bricks hw B" --ticket INC-31',
      note: 'with everything said',
    },
    { command: 'witnessmark release withdraw GW-210-4.2.1 --data site --key ben.pem', note: 'asks for the rest' },
    { command: 'witnessmark release status --data site', note: 'shows it as withdrawn afterwards' },
  ],
  args: [{ name: 'RELEASE', description: 'the id of a published release', required: true, variadic: false }],
  options: releaseWithdrawOptions,
  exits: {
    0: 'withdrawn, now or before',
    4: 'refused: no approver, or no such release',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/release-withdraw.ts')).releaseWithdraw(input),
});

export const releaseRefreshCommand = defineCommand({
  path: ['release', 'refresh'],
  summary: 'Signs the timestamp of the trust repository anew, so that stations keep believing it; run it daily.',
  examples: [
    { command: 'witnessmark release refresh --data site', note: 'once' },
    { command: 'witnessmark release refresh --config office.json -q', note: 'from a timer' },
    { command: 'witnessmark release refresh --data site --json', note: 'for machines' },
  ],
  args: [],
  options: releaseRefreshOptions,
  exits: { 0: 'the repository is fresh', 4: 'refused: the repository does not verify', 6: 'the disk failed' },
  run: async (input) => (await import('../actions/release-refresh.ts')).releaseRefresh(input),
});
