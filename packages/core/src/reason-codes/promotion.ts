// SPDX-License-Identifier: Apache-2.0
import type { ReasonCodeTable } from './reason-code.ts';

/** Refusals of the promotion gate. */
export const PROMOTION_CODES = {
  'PL-101': {
    operatorText: 'The author cannot approve',
    cause: 'The person who proposed a release may not approve it.',
    nextStep: 'Ask another approver.',
    overrideBy: 'nobody',
  },
  'PL-102': {
    operatorText: 'This person approved already',
    cause: 'A threshold counts people: a second key of one person adds nothing.',
    nextStep: 'Ask another approver.',
    overrideBy: 'nobody',
  },
  'PL-103': {
    operatorText: 'The candidate changed',
    cause: 'The bytes on disk are not the ones that were proposed; all approvals are void.',
    nextStep: 'Propose the release again.',
    overrideBy: 'nobody',
  },
  'PL-104': {
    operatorText: 'The approval ran out',
    cause: 'The proposal or approval is past its expiry.',
    nextStep: 'Propose or approve again.',
    overrideBy: 'nobody',
  },
  'PL-105': {
    operatorText: 'Not an approver',
    cause: 'The key is not an approver of the trusted root, or not valid now.',
    nextStep: 'Use an enrolled approver key.',
    overrideBy: 'nobody',
  },
  'PL-106': {
    operatorText: 'Approvals are missing',
    cause: 'Fewer people than the threshold have approved.',
    nextStep: 'See "witnessmark release status" for who is missing.',
    overrideBy: 'nobody',
  },
  'PL-107': {
    operatorText: 'The release was denied',
    cause: 'An approver denied the release.',
    nextStep: 'Propose a corrected release.',
    overrideBy: 'nobody',
  },
  'PL-108': {
    operatorText: 'A counter would fall',
    cause: 'The release or security counter is below the one in effect.',
    nextStep: 'Raise the counter.',
    overrideBy: 'nobody',
  },
  'PL-109': {
    operatorText: 'The typed characters differ',
    cause: 'What was typed does not begin the digest of the candidate.',
    nextStep: 'Compare the digest again, then type its first four characters.',
    overrideBy: 'nobody',
  },
  'PL-110': {
    operatorText: 'A required role is missing',
    cause: 'The approvals do not include a role the policy demands.',
    nextStep: 'Ask an approver of that role.',
    overrideBy: 'nobody',
  },
  'PL-111': {
    operatorText: 'The threshold is too low',
    cause: 'A root or role with a threshold below the policy floor is refused.',
    nextStep: 'Restore the threshold.',
    overrideBy: 'nobody',
  },
  'PL-112': {
    operatorText: 'Unknown promotion',
    cause: 'No proposal with this number exists here.',
    nextStep: 'See "witnessmark release status".',
    overrideBy: 'nobody',
  },
  'PL-113': {
    operatorText: 'The release exists already',
    cause: 'A release with this id or counter was proposed before with other content.',
    nextStep: 'Choose a new release id and counter.',
    overrideBy: 'nobody',
  },
  'PL-114': {
    operatorText: 'The image is not acceptable',
    cause: 'The image file is empty, too large, or its header contradicts its length.',
    nextStep: 'Check the file that the build produced.',
    overrideBy: 'nobody',
  },
  'PL-115': {
    operatorText: 'Another release was published',
    cause: 'The trust repository has moved on: what was to be signed no longer follows its current version.',
    nextStep: 'Propose the release again.',
    overrideBy: 'nobody',
  },
  'PL-116': {
    operatorText: 'Not an author',
    cause: 'The key is not an author of the trusted root, or not valid now.',
    nextStep: 'Use an enrolled author key.',
    overrideBy: 'nobody',
  },
  'PL-117': {
    operatorText: 'Approval came too soon',
    cause: 'The cooling-off time between a proposal and its approval is not over.',
    nextStep: 'Look at the proposal again, and approve when the time is over.',
    overrideBy: 'nobody',
  },
  'PL-118': {
    operatorText: 'The image is no production image',
    cause: 'The image says that it is for debugging or unlocks the device, or is signed with a published key.',
    nextStep: 'Build it for production, or propose it with the class debug.',
    overrideBy: 'nobody',
  },
  'PL-119': {
    operatorText: 'The builder cannot approve',
    cause: 'The person who built the image, or runs what built it, may not approve it.',
    nextStep: 'Ask another approver.',
    overrideBy: 'nobody',
  },
  'PL-120': {
    operatorText: 'This card counted already',
    cause: 'The key or its token has signed for somebody else: a threshold counts cards as well as people.',
    nextStep: 'Ask an approver with another card, and find out who lent it.',
    overrideBy: 'nobody',
  },
  'PL-121': {
    operatorText: 'The exception does not hold',
    cause: 'An exception for a lower counter needs two approvers, is for one image, and runs out.',
    nextStep: 'Have the exception signed by a second approver, or ask for a new one.',
    overrideBy: 'nobody',
  },
  'PL-122': {
    operatorText: 'Unknown trust change',
    cause: 'No change of the keys with this number exists here.',
    nextStep: 'See "witnessmark trust status".',
    overrideBy: 'nobody',
  },
  'PL-123': {
    operatorText: 'The trust change cannot be made',
    cause: 'What is to be removed is not there, what is to be added is, or too few holders would be left.',
    nextStep: 'See "witnessmark trust show" for the keys in force.',
    overrideBy: 'nobody',
  },
} as const satisfies ReasonCodeTable;
