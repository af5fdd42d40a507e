// SPDX-License-Identifier: Apache-2.0
/**
 * HTTPS from a station to its line (TLS 1.3): the line proves itself to the authority of the site and to no other, the
 * station with its client certificate. In the form of `fetch`, which is what the client of the API asks for.
 */
import { Agent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { RefusedError } from '@witnessmark/core';
import { openSecureContext, type ConnectionKey } from './private-key.ts';

/** A line answers within one connection most of the time; a few more serve a browser of the log beside it. */
const MAX_SOCKETS = 8;

/** What OpenSSL says of a server's certificate that is not the expected one (openssl-verification-options(1)). */
const CERTIFICATE_ERRORS: ReadonlySet<string> = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
]);

export interface LineTransportOptions {
  /** PEM: the authority that issued the line's certificate. */
  readonly authority: string;
  /** PEM and its key; null for a reader, who needs none. */
  readonly client: { readonly certificate: string; readonly key: ConnectionKey } | null;
}

export interface LineTransport {
  readonly fetch: typeof fetch;
  /** Ends the connections; the key is let go of with them. */
  close(): void;
}

/** Throws `ERR_ENROLMENT_TLS` for a key that cannot be used; what is fetched rejects with ID-109 for another line. */
export function openLineTransport({ authority, client }: LineTransportOptions): LineTransport {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ...(client === null
      ? { ca: authority, minVersion: 'TLSv1.3' }
      : { secureContext: openSecureContext(client.key, { ca: authority, cert: client.certificate }) }),
  });
  return {
    fetch: (input, init) => exchange(agent, new URL(input instanceof Request ? input.url : input), init ?? {}),
    close: () => {
      agent.destroy();
    },
  };
}

function exchange(agent: Agent, url: URL, init: RequestInit): Promise<Response> {
  const body = init.body === undefined || init.body === null ? undefined : toBytes(init.body);
  const headers: Record<string, string> = { ...Object.fromEntries(new Headers(init.headers)) };
  if (body !== undefined) headers['content-length'] = String(body.byteLength);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      url,
      { agent, method: init.method ?? 'GET', headers, ...(init.signal == null ? {} : { signal: init.signal }) },
      (incoming) => {
        const { statusCode = 0 } = incoming;
        if (statusCode >= 300 && statusCode < 400) {
          incoming.destroy();
          reject(new TypeError('the line redirects, and nobody follows'));
          return;
        }
        const fields = Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
          typeof value === 'string' ? [[name, value]] : [],
        );
        const isEmpty = statusCode === 204 || statusCode === 304;
        if (isEmpty) incoming.resume();
        const stream = isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>);
        resolve(new Response(stream, { status: statusCode, headers: fields }));
      },
    );
    outgoing.on('error', (error) => {
      reject(nameError(error, url));
    });
    outgoing.end(body);
  });
}

function nameError(error: Error, url: URL): Error {
  const code = 'code' in error ? String(error.code) : '';
  if (!CERTIFICATE_ERRORS.has(code)) return error;
  return new RefusedError('ID-109', `${url.host} did not prove to be the line: ${code}`, { cause: error });
}

function toBytes(body: NonNullable<RequestInit['body']>): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError('a request to the line is bytes or text');
}
