// SPDX-License-Identifier: Apache-2.0
/**
 * What must hold for a start of a station (spec/station-start.md, "What a line must do"): it is the one station of that
 * key, it remembers what it was given, it sits on the same hardware, and it is made of what was approved.
 */
import { decodeBase64, parseInstant, parsePublicKey, RefusedError, WitnessmarkError } from '@witnessmark/core';
import { toQuotedData, type StationStart, type TrustedKey } from '@witnessmark/attestation';
import { verifyQuote } from '@witnessmark/enrolment';
import { ensure, LineRefusal } from '../error.ts';
import { checkPlace, placeOf } from '../station-place.ts';
import type { LineContext } from '../line-context.ts';
import type { KnownStart } from '../start-book.ts';
import { defineCheck, type CheckedRule, type SiteRecordCheck } from './check.ts';
import { firstLink, stationStartRule } from './station-start.ts';

/** What a station signed just before may still be on its way. */
const DELIVERY_MS = 10_000;
/** Own statements that are looked at; more than a station may have open. */
const MAX_RECENT_EVENTS = 256;
const MAX_NAMED_LINES = 8;

const checkStart: SiteRecordCheck<StationStart> = async ({ predicate, subject }, { signers: [signer], line }) => {
  const { keys, rules, starts } = line;
  keys().requireStation(signer);
  checkPlace(predicate.station, placeOf(signer, rules));
  checkForm(predicate, subject, signer);
  const newest = starts.newest(signer.owner);
  await checkChain(predicate, newest, line);
  await checkMemory(predicate, line);
  checkHardware(predicate, newest);
  line.identities.demandEnrolledMachine(predicate);
  checkQuote(predicate);
  checkBuild(predicate, line);
};

export const STATION_START_CHECKS: readonly CheckedRule[] = [defineCheck(stationStartRule, checkStart)];

function checkForm(start: StationStart, subject: string, { key }: TrustedKey): void {
  const { keyDigest, previous, sequence, reason, nonce, drift, driftCount } = start;
  ensure(
    keyDigest.sha256 === key.keyid && subject === key.keyid,
    'LS-506',
    'a start of the key that signed it',
    'one of another key',
  );
  ensure((previous === null) === (sequence === 1), 'LS-506', 'number 1 for the first start', String(sequence));
  ensure((nonce !== null) === (reason === 'prove'), 'LS-506', 'a nonce when it proves something', reason);
  ensure(driftCount >= drift.length, 'LS-506', `at least ${drift.length} differences`, String(driftCount));
}

/** LS-405: of two copies of a station one goes on; the other, and one that was set back, names a start that is not the newest. */
async function checkChain(
  { keyDigest, previous, sequence, station }: StationStart,
  newest: KnownStart | null,
  { views }: LineContext,
): Promise<void> {
  if (newest?.keyDigest === keyDigest.sha256) {
    const named = previous === null ? 'none' : `entry ${previous.index}, ${previous.digest.sha256}`;
    ensure(
      previous?.digest.sha256 === newest.digest && sequence === newest.sequence + 1,
      'LS-405',
      `a start of ${station.id} after entry ${newest.index}, ${newest.digest}`,
      `start ${sequence} after ${named}`,
    );
    return;
  }
  // A key that is new to the station begins its chain; one that was replaced has ended.
  const earlier = await views.siteRecordsRelatedTo(firstLink(keyDigest.sha256));
  ensure(
    earlier.length === 0 && previous === null,
    'LS-405',
    `the first start of a key of ${station.id}`,
    previous === null ? 'another one' : `start ${sequence} after ${previous.digest.sha256}`,
  );
}

/** LS-406 for a station that was set back; LS-303 when it is the log that was. What came before its key is not its own. */
async function checkMemory(
  { station, keyDigest, known, measuredAt }: StationStart,
  { logSize, views }: LineContext,
): Promise<void> {
  const size = known.head?.treeSize ?? 0;
  ensure(size <= logSize(), 'LS-303', `a log of at least ${size} entries`, `${logSize()}`);
  const [first] = await views.siteRecordsRelatedTo(firstLink(keyDigest.sha256));
  if (first === undefined) return;
  const last = Math.max(known.lastReceipt ?? -1, first.log_index);
  const before = parseInstant(measuredAt) - DELIVERY_MS;
  const pending = new Set(known.pending);
  const forgotten = (await views.recentEvents(station.id, MAX_RECENT_EVENTS)).filter(
    ({ log_index: index, payload_digest: digest, at }) =>
      index > last && !pending.has(digest) && parseInstant(at) < before,
  );
  const newest = forgotten[0];
  if (newest === undefined) return;
  throw new LineRefusal(
    'LS-406',
    `a station that knows entry ${newest.log_index}, which it signed at ${newest.at}`,
    `one that knows entry ${last}; ${forgotten.length} of its statements came later`,
  );
}

/** LS-407: the machine, and the TPM if it had one, that the key was first used with. */
function checkHardware({ fingerprint, quote, keyDigest, station }: StationStart, newest: KnownStart | null): void {
  if (newest?.keyDigest !== keyDigest.sha256) return;
  ensure(
    newest.attestationKey === null || quote?.attestationKey === newest.attestationKey,
    'LS-407',
    `a quote of the TPM of ${station.id}`,
    quote === null ? 'none' : 'one of another TPM',
  );
  ensure(
    fingerprint.sha256 === newest.fingerprint,
    'LS-407',
    `the machine ${newest.fingerprint.slice(0, 16)}… of ${station.id}`,
    `the machine ${fingerprint.sha256.slice(0, 16)}…`,
  );
}

/** ID-131 to ID-133 for a quote that is not one over this start; LS-506 for what is no quote. */
function checkQuote(start: StationStart): void {
  if (start.quote === null) return;
  const { attestationKey, ...evidence } = start.quote;
  try {
    verifyQuote(evidence, {
      attestationKey: parsePublicKey(decodeBase64(attestationKey)),
      extraData: toQuotedData(start),
    });
  } catch (error) {
    if (!(error instanceof WitnessmarkError) || error instanceof RefusedError) throw error;
    throw new LineRefusal('LS-506', 'a quote of a TPM', `${error.code}: ${error.message}`, error);
  }
}

/** LS-404 without an approved build, LS-401 and LS-402 for one that is not what it was measured against. */
function checkBuild(start: StationStart, { rules, starts }: LineContext): void {
  const { station, build, manifest } = start;
  const approved = starts.build(station.id);
  if (approved === null) {
    ensure(rules.stations.measured === 'optional', 'LS-404', `an approved build of ${station.id}`, 'none');
    ensure(build === null, 'LS-404', `a build of ${station.id} that is in the log`, build?.digest.sha256 ?? '');
    return;
  }
  ensure(
    build?.digest.sha256 === approved.digest,
    'LS-404',
    `version ${approved.version} of its build (${approved.digest.slice(0, 16)}…)`,
    build === null ? 'none' : `version ${build.version} (${build.digest.sha256.slice(0, 16)}…)`,
  );
  if (manifest.digest.sha256 === approved.manifestDigest) {
    ensure(start.driftCount === 0, 'LS-506', 'no drift of an equal build', String(start.driftCount));
    return;
  }
  const hasStrangeDevice = start.drift.some(({ section, change }) => section === 'usb' && change === 'added');
  throw new LineRefusal(
    hasStrangeDevice ? 'LS-402' : 'LS-401',
    `the build ${approved.manifestDigest.slice(0, 16)}… that was approved as version ${approved.version}`,
    describeDrift(start),
  );
}

function describeDrift({ drift, driftCount, manifest }: StationStart): string {
  if (drift.length === 0) return `the build ${manifest.digest.sha256.slice(0, 16)}…`;
  const named = drift.slice(0, MAX_NAMED_LINES).map(({ section, change, line }) => `${section} ${change}: ${line}`);
  const others = driftCount - named.length;
  return `${named.join('; ')}${others > 0 ? `; and ${others} more` : ''}`;
}
