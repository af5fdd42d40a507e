// SPDX-License-Identifier: Apache-2.0
/**
 * The certificate of the device CA: self-signed by the key an earlier step made, for issuing IDevID certificates
 * (IEEE 802.1AR-2018 section 6.4): an authority over devices and nothing else.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { decodeHex, formatInstant, RefusedError, sha256Hex, type Bytes, type Instant } from '@witnessmark/core';
import { findKey, findPublicKey, keyPolicy, type TokenIdentity } from '@witnessmark/custody';
import { buildCertificate, publicKeyOf, type CertificatePlan } from '@witnessmark/x509';
import { z } from 'zod';
import { defineAct, type ActContext, type ActResult, type AnyAct } from '../../act.ts';
import { line } from '../../fields.ts';
import { toCeremonyKey, toResult } from '../results.ts';
import { hsmToken, inputName, personRef } from '../shapes.ts';
import { lookAtHsmToken, withHsmToken } from '../tokens.ts';
import type { ActPorts } from '../ports.ts';

const CA_CERTIFICATE_FILE = 'device-ca.cer';
const POLICY = keyPolicy('device-ca');
const REF = { label: POLICY.label, id: decodeHex(POLICY.id) };

const parameters = z.strictObject({
  ...hsmToken,
  pinBy: personRef,
  organization: line(64),
  /** The input that holds the common name. */
  commonName: inputName,
});

type Parameters = z.infer<typeof parameters>;
/** RFC 5280 section 4.1.2.5: no expiry. Devices outlive issuing, whose end the key registry says. */
const NO_EXPIRY: Instant = Date.UTC(9999, 11, 31, 23, 59, 59);

export function issueCaCertificateAct(ports: ActPorts): AnyAct {
  return defineAct<Parameters>({
    kind: 'issue-ca-certificate',
    parameters,
    isIrreversible: false,
    plan: (context) =>
      lookAtHsmToken(ports, context, (token) => {
        const key = findPublicKey(token, REF);
        if (key === null) throw new RefusedError('CE-214', `the token holds no key "${POLICY.label}"`);
        return {
          lines: [
            `certify key "${POLICY.label}" by itself, as authority over devices`,
            `subject O=${context.parameters.organization}, CN=${context.input(context.parameters.commonName)}`,
            `without expiry, as the devices it is for; key id ${key.keyid}`,
          ],
        };
      }),
    inspect: async (context) => {
      const certificate = await ports.work.read(CA_CERTIFICATE_FILE);
      if (certificate === null) return { state: 'notDone' };
      return lookAtHsmToken(ports, context, ({ identity }) => ({
        state: 'done',
        result: toCertificateResult(certificate, identity),
      }));
    },
    perform: (context) =>
      withHsmToken(ports, context, async (token) => {
        const key = findKey(token, REF);
        const certificate = await buildCertificate(toPlan(ports, context, key), (bytes) => key.sign(bytes));
        const result = toCertificateResult(certificate, token.identity);
        await ports.work.write(CA_CERTIFICATE_FILE, certificate);
        return result;
      }),
  });
}

function toPlan(
  ports: ActPorts,
  context: ActContext<Parameters>,
  { publicKey }: Pick<ReturnType<typeof findKey>, 'publicKey'>,
): CertificatePlan {
  const { organization, commonName } = context.parameters;
  const name = { organizationName: organization, commonName: context.input(commonName) };
  return {
    subject: name,
    issuer: name,
    publicKey,
    notBefore: context.clock.now(),
    notAfter: NO_EXPIRY,
    isAuthority: true,
    // RFC 5280 section 4.2.1.2, method 1.
    subjectKeyIdentifier: Uint8Array.from(createHash('sha1').update(publicKey.point).digest()),
    randomBytes: ports.randomBytes,
  };
}

/** Throws CE-216 unless the certificate is an authority's and verifies under its own key. */
function toCertificateResult(der: Bytes, token: TokenIdentity): ActResult {
  const certificate = readCertificate(der);
  if (!certificate.ca || !certificate.verify(certificate.publicKey)) {
    throw new RefusedError('CE-216', 'the certificate of the device CA does not verify under its own key');
  }
  const publicKey = publicKeyOf(certificate);
  const { name, holder } = POLICY;
  const report = { name, change: 'used' as const, holder, publicKey, token, grade: 'selfReported' as const };
  return toResult(
    {
      subject: certificate.subject.replaceAll('\n', ', '),
      'serial number': certificate.serialNumber.toLowerCase(),
      'valid until': formatInstant(certificate.validToDate.getTime()),
      file: CA_CERTIFICATE_FILE,
    },
    {
      digests: { certificate: sha256Hex(der), 'key id': publicKey.keyid },
      keys: [toCeremonyKey({ ...report, certificates: [der] })],
    },
  );
}

function readCertificate(der: Bytes): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new RefusedError('CE-215', `${CA_CERTIFICATE_FILE} is not a certificate`, { cause });
  }
}
