// SPDX-License-Identifier: Apache-2.0
/** Is every entry in the log, under a head the log signed, and is there one history only? */
import { encodeHex, equalBytes } from '@witnessmark/core';
import { cannotTell, count, fail, notRequired, pass, type Check, type Examination, type Finding } from '../check.ts';
import type { LogPlace } from '../evidence.ts';
import { describeHead, type LogHead } from '../log-head.ts';

export const logHead: Check = {
  name: 'log head',
  whyItMatters: 'a head that the log did not sign binds nobody',
  after: [],
  run: checkHeads,
};

export const logInclusion: Check = {
  name: 'log inclusion',
  whyItMatters: 'a record outside the log can be made or changed afterwards',
  after: ['log head'],
  run: checkInclusion,
};

export const oneHistory: Check = {
  name: 'one history',
  whyItMatters: 'a log that shows different histories to different people hides something from one of them',
  after: ['log head'],
  run: checkHistory,
};

export const witnesses: Check = {
  name: 'witnesses',
  whyItMatters: 'without others who saw the same head, the log could show a history made for this file',
  after: ['log head'],
  run: checkWitnesses,
};

function checkHeads({ evidence, time }: Examination): Finding {
  let missing: Finding | undefined;
  for (const [index, place] of evidence.places.entries()) {
    const entry = `entry ${index + 1}`;
    if (place.state === 'not signed') return fail('EV-105', `${entry}: ${place.detail}`);
    if (place.state === 'unreadable') return fail('EV-104', `${entry}: its proof is not a tlog-proof: ${place.detail}`);
    if (place.state === 'unknown log') {
      missing ??= cannotTell('EV-202', `${entry}: the trusted root has no key for the log ${place.origin}`);
    } else if (place.state === 'no proof') {
      missing ??= cannotTell('EV-201', `${entry}: the file holds no proof that it was logged`);
    }
  }
  for (const { place, at, ...record } of evidence.records) {
    if (place.state !== 'placed') continue;
    const { logKey, origin } = place.head;
    // A later head, signed by a later key of the log, may well prove an earlier entry; a dead key proves nothing newer than its end.
    if (at >= logKey.validUntil || logKey.validFrom > time) {
      return fail('EV-103', `the key of ${origin} was not valid for ${record.kind} (entry ${record.entry})`);
    }
  }
  const heads = headsOf(evidence.places);
  const [newest] = heads.toSorted((left, right) => right.treeSize - left.treeSize);
  return (
    missing ??
    pass(newest === undefined ? 'no entries' : `${count(heads.length, 'head')}, up to ${describeHead(newest)}`)
  );
}

function checkInclusion({ evidence }: Examination): Finding {
  let included = 0;
  for (const [index, place] of evidence.places.entries()) {
    if (place.state !== 'placed') continue;
    if (!place.isIncluded) {
      return fail('EV-104', `entry ${index + 1} is not at place ${place.index} of ${describeHead(place.head)}`);
    }
    included += 1;
  }
  return pass(`${count(included, 'entry', 'entries')}, each where its proof says`);
}

function checkHistory({ evidence }: Examination): Finding {
  const heads = headsOf(evidence.places);
  const bySize = new Map<string, LogHead>();
  for (const head of heads) {
    const key = `${head.treeSize} ${head.origin}`;
    const other = bySize.get(key);
    if (other !== undefined && !equalBytes(other.rootHash, head.rootHash)) {
      return fail(
        'EV-116',
        `${describeHead(other)}, and root ${encodeHex(head.rootHash).slice(0, 16)} of the same size`,
      );
    }
    bySize.set(key, head);
  }
  return pass(`${count(heads.length, 'head')}, none contradicts another`);
}

function checkWitnesses({ evidence, policy, time }: Examination): Finding {
  const needed = policy.witnesses.threshold;
  if (needed === 0) return notRequired('this policy asks for no witness');
  for (const head of headsOf(evidence.places)) {
    const seen = head.witnesses.filter(({ cosignedAt }) => cosignedAt <= time).length;
    if (seen < needed) {
      return cannotTell('EV-203', `${seen} of ${count(needed, 'witness', 'witnesses')} cosigned ${describeHead(head)}`);
    }
  }
  return pass(`at least ${count(needed, 'witness', 'witnesses')} cosigned every head`);
}

/** The signed heads of a file, each once. */
function headsOf(places: readonly LogPlace[]): readonly LogHead[] {
  const placed = places.filter((place) => place.state === 'placed');
  return [...new Map(placed.map(({ head }) => [head.note, head])).values()];
}
