// SPDX-License-Identifier: Apache-2.0
/**
 * A station in its certificate: two URIs of the subject alternative name (RFC 5280 section 4.2.1.6). One names the station
 * by plant, line and id, the other the key of its statements, so that certificate, identity and signing key are one.
 */
import { EnrolmentError } from '../error.ts';

const STATION_URN = 'urn:witnessmark:station:';
const KEY_URN = 'urn:witnessmark:key:';
const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u;
const KEYID = /^[0-9a-f]{64}$/;

export interface StationName {
  readonly id: string;
  readonly line: string;
  readonly plant: string;
  /** Of the key that signs its statements. */
  readonly keyid: string;
}

/** The station, then its key. */
export function formatStationName({ plant, line, id, keyid }: StationName): readonly [string, string] {
  return [`${STATION_URN}${[plant, line, id].map(encodeURIComponent).join(':')}`, `${KEY_URN}${keyid}`];
}

/** Reads the URIs of a certificate that was verified. Throws `ERR_ENROLMENT_FORMAT` for anything else than one of each. */
export function parseStationName(uris: readonly string[]): StationName {
  const [station, key] = uris;
  if (uris.length !== 2 || station === undefined || key === undefined) throw malformed(`${uris.length} names`);
  if (!station.startsWith(STATION_URN) || !key.startsWith(KEY_URN)) throw malformed('no station and its key');
  const parts = station.slice(STATION_URN.length).split(':').map(decode);
  const [plant, line, id] = parts;
  const keyid = key.slice(KEY_URN.length);
  if (parts.length !== 3 || plant === undefined || line === undefined || id === undefined || !KEYID.test(keyid)) {
    throw malformed('no station and its key');
  }
  return { plant, line, id, keyid };
}

function decode(text: string): string {
  let name: string;
  try {
    name = decodeURIComponent(text);
  } catch (cause) {
    throw new EnrolmentError('ERR_ENROLMENT_FORMAT', 'the certificate has a name that is not UTF-8', { cause });
  }
  // One name has one spelling.
  if (!NAME.test(name) || encodeURIComponent(name) !== text) throw malformed('a name we do not write');
  return name;
}

function malformed(what: string): EnrolmentError {
  return new EnrolmentError('ERR_ENROLMENT_FORMAT', `the certificate has ${what}`);
}
