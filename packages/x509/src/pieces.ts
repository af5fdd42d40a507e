// SPDX-License-Identifier: Apache-2.0
/** The few pieces of X.509 (RFC 5280) that requests and certificates share. */
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Name,
  RelativeDistinguishedName,
} from '@peculiar/asn1-x509';
import type { Bytes } from '@witnessmark/core';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** Object identifiers of the parts of a name (X.520). */
export const NAME_ATTRIBUTES = { commonName: '2.5.4.3', organizationName: '2.5.4.10' } as const;

export interface DistinguishedName {
  readonly organizationName?: string;
  readonly commonName: string;
}

/** Signs the encoded bytes: ECDSA P-256/SHA-256, DER. */
export type SignBytes = (toBeSigned: Bytes) => Promise<Bytes>;

export function toName({ organizationName, commonName }: DistinguishedName): Name {
  const attribute = (type: string, utf8String: string): RelativeDistinguishedName =>
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]);
  return new Name([
    ...(organizationName === undefined ? [] : [attribute(NAME_ATTRIBUTES.organizationName, organizationName)]),
    attribute(NAME_ATTRIBUTES.commonName, commonName),
  ]);
}

export function ecdsaWithSha256(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
}

export function isEcdsaWithSha256({ algorithm, parameters }: AlgorithmIdentifier): boolean {
  return algorithm === ECDSA_WITH_SHA256 && (parameters === undefined || parameters === null);
}

export function toArrayBuffer(bytes: Bytes): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
