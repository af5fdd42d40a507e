// SPDX-License-Identifier: Apache-2.0
import { defineCommand } from '../command.ts';
import {
  releaseApproveOptions,
  releaseExceptOptions,
  releaseIndicatorsOptions,
  releaseMirrorOptions,
  releaseProposeOptions,
  releaseRefreshOptions,
  releaseReviewOptions,
  releaseStatusOptions,
  releaseSubmitOptions,
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
    4: 'refused: counter, image, class, id, exception or author',
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
      command:
        "witnessmark release approve P-0001 --data site --key 'pkcs11:token=officer-B;serial=42;object=SIGN%20key?module-path=/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so'",
      note: 'with a card: shows the review, then asks; names the card before its PIN',
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
    4: 'refused: own proposal, own build, second time, lent card, no approver, too soon, expired, bytes changed, wrong characters, locked card',
    6: 'the disk or the key failed, or the card is not there',
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

export const releaseSubmitCommand = defineCommand({
  path: ['release', 'submit'],
  summary: "Takes a decision to the office that was signed on an approver's own machine.",
  examples: [
    { command: 'witnessmark release submit P-0001 --data site --decision decision.json', note: 'from a file' },
    {
      command: 'witnessmark release submit P-0001 --config office.json --decision - < decision.json',
      note: 'from a pipe',
    },
    { command: 'witnessmark release submit P-0001 --data site --decision decision.json --json', note: 'for machines' },
  ],
  args: [promotionArgument],
  options: releaseSubmitOptions,
  exits: {
    0: 'it counts; the output says whether the release is published',
    4: 'refused, as an approval is, or about other bytes than are here',
    6: 'the disk failed',
  },
  run: async (input) => (await import('../actions/release-submit.ts')).releaseSubmit(input),
});

export const releaseExceptCommand = defineCommand({
  path: ['release', 'except'],
  summary: 'Asks for, or signs, an exception for one image with a lower security counter; it takes two approvers.',
  examples: [
    {
      command:
        'witnessmark release except --data site --image app.bin --key alex.pem --ticket REL-92 --reason "radio fails in the cold"',
      note: 'asks',
    },
    { command: 'witnessmark release except E-0001 --data site --key anna.pem', note: 'shows it, then asks' },
    {
      command: 'witnessmark release except E-0001 --data site --key ben.pem --confirm 4c1e --json',
      note: 'for machines',
    },
  ],
  args: [{ name: 'EXCEPTION', description: 'the number of an exception to sign', required: false, variadic: false }],
  options: releaseExceptOptions,
  exits: {
    0: 'enough approvers signed; it may be used with "release propose --exception"',
    4: 'refused: no author, no approver, own request, second time, not needed, wrong characters',
    5: 'waiting for approvers',
    6: 'the disk or the key failed',
  },
  run: async (input) => (await import('../actions/release-except.ts')).releaseExcept(input),
});

export const releaseIndicatorsCommand = defineCommand({
  path: ['release', 'indicators'],
  summary: 'Says how people approve: how long they take and how many in an hour, computed from the signed record.',
  examples: [
    { command: 'witnessmark release indicators --data site', note: 'every approver; exit 1 when one looks like habit' },
    { command: 'witnessmark release indicators --config office.json --json', note: 'for machines' },
    { command: 'witnessmark release indicators --data site -q', note: 'the verdict only' },
  ],
  args: [],
  options: releaseIndicatorsOptions,
  exits: {
    0: 'nothing to ask about',
    1: 'somebody approves faster, or more often, than anybody can look',
    4: 'refused: the log does not fit together',
    6: 'the disk failed',
  },
  run: async (input) => (await import('../actions/release-indicators.ts')).releaseIndicators(input),
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
