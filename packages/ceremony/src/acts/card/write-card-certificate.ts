// SPDX-License-Identifier: Apache-2.0
/**
 * Puts a certificate beside the key in its slot: without one, OpenSC does not list the key, and its common name is the
 * label the token has from then on. It proves nothing: its issuer's key is made for it and forgotten, and nobody trusts it.
 */
import { X509Certificate } from 'node:crypto';
import { parsePublicKey, RefusedError, type Bytes } from '@witnessmark/core';
import { generateSoftwareKey } from '@witnessmark/custody';
import { buildCertificate, publicKeyOf } from '@witnessmark/x509';
import { z } from 'zod';
import { defineAct, type ActResult, type AnyAct } from '../../act.ts';
import { toResult } from '../results.ts';
import { days, equipmentName, stepName } from '../shapes.ts';
import { findCard } from '../tokens.ts';
import { addDays, type ActPorts } from '../ports.ts';

const parameters = z.strictObject({ equipment: equipmentName, madeIn: stepName, validDays: days });
const SLOT = '9c';
const ISSUER = { commonName: 'Witnessmark card label' };

export function writeCardCertificateAct(ports: ActPorts): AnyAct {
  return defineAct<z.infer<typeof parameters>>({
    kind: 'write-card-certificate',
    parameters,
    isIrreversible: false,
    plan: async (context) => {
      const { label } = context.equipment(context.parameters.equipment);
      const card = await findCard(ports, context, context.parameters.equipment);
      return { lines: [`write a certificate with the name "${label}" into slot ${SLOT} of card ${card.serial}`] };
    },
    inspect: async (context) => {
      const card = await findCard(ports, context, context.parameters.equipment);
      const certificate = await ports.pivTool.readCertificate(card, SLOT);
      const expected = keyidMadeIn(context.result(context.parameters.madeIn));
      return certificate !== null && keyidOf(certificate) === expected
        ? { state: 'done', result: toCertificateResult(certificate) }
        : { state: 'notDone' };
    },
    perform: async (context) => {
      const { equipment, madeIn, validDays } = context.parameters;
      const card = await findCard(ports, context, equipment);
      const [key] = context.result(madeIn).keys;
      const publicKey = parsePublicKey(Uint8Array.from(Buffer.from(key?.spki ?? '', 'base64')));
      const issuer = generateSoftwareKey('ecdsa-sha2-nistp256');
      const notBefore = context.clock.now();
      const plan = {
        subject: { commonName: context.equipment(equipment).label },
        issuer: ISSUER,
        publicKey,
        notBefore,
        notAfter: addDays(notBefore, validDays),
        isAuthority: false,
        randomBytes: ports.randomBytes,
      };
      const certificate = await buildCertificate(plan, (bytes) => issuer.sign(bytes));
      await ports.pivTool.writeCertificate(card, SLOT, new X509Certificate(certificate).toString());
      const written = await ports.pivTool.readCertificate(card, SLOT);
      if (written === null || keyidOf(written) !== publicKey.keyid) {
        throw new RefusedError('CE-216', `slot ${SLOT} of card ${card.serial} does not hold the certificate written`);
      }
      return toCertificateResult(written);
    },
  });
}

function keyidMadeIn({ digests }: ActResult): string {
  return digests.find(({ name }) => name === 'key id')?.sha256 ?? '';
}

/** Empty for a key that is none of ours. */
function keyidOf(certificate: Bytes): string {
  try {
    return publicKeyOf(new X509Certificate(certificate)).keyid;
  } catch {
    return '';
  }
}

function toCertificateResult(certificate: Bytes): ActResult {
  const { subject } = new X509Certificate(certificate);
  return toResult({ slot: SLOT, subject }, { digests: { 'key id': keyidOf(certificate) } });
}
