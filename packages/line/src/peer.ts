// SPDX-License-Identifier: Apache-2.0
/**
 * Who is at the other end of a connection, and whether a statement may come over it (spec/station-connection.md). The
 * client certificate names a station and the key of its statements; both must be the ones of the trusted root, now, and a
 * station's statement comes over its own connection only. People sign for themselves wherever they are.
 */
import { formatInstant, WitnessmarkError, type Bytes, type Instant } from '@witnessmark/core';
import { isValidAt, type TrustedKey } from '@witnessmark/attestation';
import { readCertificate, type ReadCertificate, type StationName } from '@witnessmark/enrolment';
import { ensure, LineRefusal } from './error.ts';
import type { KeyRing } from './key-ring.ts';

export type Peer =
  /** In the same process, or on the same machine by plain HTTP. */
  | { readonly kind: 'local' }
  /** TLS without a client certificate. */
  | { readonly kind: 'anonymous' }
  /** TLS with a certificate that says nothing here. */
  | { readonly kind: 'refused'; readonly code: 'ID-102' | 'ID-104'; readonly observed: string }
  | {
      readonly kind: 'station';
      readonly name: StationName;
      readonly notBefore: Instant;
      /** Inclusive. */
      readonly notAfter: Instant;
    };

export const LOCAL_PEER: Peer = { kind: 'local' };
export const ANONYMOUS_PEER: Peer = { kind: 'anonymous' };

/** Reads a client certificate, DER, whose key the connection proved to hold. Time is judged with each statement. */
export function toPeer(certificate: Bytes, authority: ReadCertificate): Peer {
  try {
    const read = readCertificate(certificate);
    if (!read.isIssuedBy(authority)) {
      return { kind: 'refused', code: 'ID-102', observed: 'a certificate of another authority' };
    }
    return { kind: 'station', name: read.stationName(), notBefore: read.notBefore, notAfter: read.notAfter };
  } catch (error) {
    if (!(error instanceof WitnessmarkError)) throw error;
    return { kind: 'refused', code: 'ID-104', observed: error.message };
  }
}

export interface PeerContext {
  readonly rules: { readonly line: string; readonly plant: string };
  readonly keys: KeyRing;
  readonly now: Instant;
}

/** Throws ID-101 to ID-106 when a statement of `signer` may not come over a connection of `peer`. */
export function checkPeer(peer: Peer, signer: TrustedKey, { rules, keys, now }: PeerContext): void {
  if (peer.kind === 'local') return;
  if (peer.kind === 'refused')
    throw new LineRefusal(peer.code, 'a certificate of a station of this line', peer.observed);
  const isStation = signer.role === 'station';
  if (peer.kind === 'anonymous') {
    ensure(!isStation, 'ID-101', `a connection of ${signer.owner}`, 'one without a client certificate');
    return;
  }
  const { name, notBefore, notAfter } = peer;
  const isHere = name.line === rules.line && name.plant === rules.plant;
  ensure(
    isHere,
    'ID-104',
    `a station of ${rules.line} of ${rules.plant}`,
    `${name.id} of ${name.line} of ${name.plant}`,
  );
  const validity = `from ${formatInstant(notBefore)} to ${formatInstant(notAfter)}`;
  ensure(notBefore <= now && now <= notAfter, 'ID-103', 'a certificate that is valid now', `one valid ${validity}`);
  const key = keys.find(name.keyid);
  const isInForce = key?.role === 'station' && key.owner === name.id && key.scope === name.line && isValidAt(key, now);
  ensure(isInForce, 'ID-105', `a key of ${name.id} that is in force`, `key ${name.keyid.slice(0, 8)}, which is not`);
  const isOwn = !isStation || signer.key.keyid === name.keyid;
  ensure(isOwn, 'ID-106', `a statement of ${name.id}`, `one of ${signer.owner}, key ${signer.key.keyid.slice(0, 8)}`);
}
