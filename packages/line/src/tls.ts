// SPDX-License-Identifier: Apache-2.0
/**
 * TLS of the line server (RFC 8446, version 1.3 only). Everybody may connect and read; who shows a client certificate has
 * to hold its key, and what the certificate says is judged with each statement, where a refusal can be recorded.
 */
import type { FastifyRequest } from 'fastify';
import type { ServerOptions } from 'node:https';
import { TLSSocket } from 'node:tls';
import {
  connectionKeyOptions,
  openSecureContext,
  readCertificate,
  readCertificatePem,
  type ConnectionKey,
} from '@witnessmark/enrolment';
import { ANONYMOUS_PEER, LOCAL_PEER, toPeer, type Peer } from './peer.ts';

export interface LineTls {
  /** PEM: the line's own certificate. */
  readonly certificate: string;
  readonly key: ConnectionKey;
  /** PEM: the one authority that issues certificates of stations. */
  readonly clientAuthority: string;
}

/** Throws `ERR_ENROLMENT_TLS` or `ERR_ENROLMENT_FORMAT` for what cannot be used. */
export function toServerOptions({ certificate, key, clientAuthority }: LineTls): ServerOptions {
  // Made once here, so that a key or certificate that cannot be used ends the start and not the first connection.
  openSecureContext(key, { cert: certificate });
  return {
    ...connectionKeyOptions(key),
    cert: certificate,
    ca: clientAuthority,
    minVersion: 'TLSv1.3',
    requestCert: true,
    // A refusal is an answer with a code, not a connection that breaks.
    rejectUnauthorized: false,
  };
}

/** Tells who sent a request; a connection is read once. */
export function peerReader(tls: LineTls | undefined): (request: FastifyRequest) => Peer {
  if (tls === undefined) return () => LOCAL_PEER;
  const authority = readCertificate(readCertificatePem(tls.clientAuthority));
  const known = new WeakMap<TLSSocket, Peer>();
  return ({ raw: { socket } }) => {
    if (!(socket instanceof TLSSocket)) return ANONYMOUS_PEER;
    const found = known.get(socket);
    if (found !== undefined) return found;
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? ANONYMOUS_PEER : toPeer(Uint8Array.from(certificate.raw), authority);
    known.set(socket, peer);
    return peer;
  };
}
