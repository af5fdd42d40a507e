// SPDX-License-Identifier: Apache-2.0
import { breakGlass } from './break-glass.ts';
import { custodyGrade, keyCustody, realKeys, trustRoot } from './custody.ts';
import { label, measuredContent, protection } from './device.ts';
import { fileName, oneUnit, records } from './file.ts';
import { eventChain, exceptions, intentAndEvent, outcome } from './history.ts';
import { logHead, logInclusion, oneHistory, witnesses } from './log.ts';
import { realDevice, realRun, releaseClass } from './marks.ts';
import { withoutLine } from './offline.ts';
import { operatorCredential, operatorSession } from './operator.ts';
import { releaseApproval, releaseContent } from './release.ts';
import { lineCountersignature, stationSignature } from './signatures.ts';
import { clock, orderOfTimes } from './time.ts';
import type { Check } from '../check.ts';

/** Every check, in the order in which they run and are shown; the first that does not pass gives the verdict its code. */
export const CHECKS: readonly Check[] = [
  fileName,
  records,
  oneUnit,
  stationSignature,
  lineCountersignature,
  logHead,
  logInclusion,
  oneHistory,
  witnesses,
  eventChain,
  intentAndEvent,
  operatorSession,
  releaseApproval,
  releaseContent,
  outcome,
  exceptions,
  measuredContent,
  protection,
  label,
  clock,
  orderOfTimes,
  realDevice,
  realRun,
  breakGlass,
  withoutLine,
  releaseClass,
  keyCustody,
  realKeys,
  custodyGrade,
  operatorCredential,
  trustRoot,
];
