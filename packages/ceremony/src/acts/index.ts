// SPDX-License-Identifier: Apache-2.0
/** Every act there is, over one set of ports. */
import type { AnyAct } from '../act.ts';
import { openBreakGlassAct, resealBreakGlassAct } from './break-glass/break-glass-acts.ts';
import { changeCardSecretsAct } from './card/change-card-secrets.ts';
import { enrolCardKeyAct } from './card/enrol-card-key.ts';
import { generateCardKeyAct } from './card/generate-card-key.ts';
import { sealCardAct } from './card/seal-card.ts';
import { writeCardCertificateAct } from './card/write-card-certificate.ts';
import { issueCaCertificateAct } from './device-ca/issue-ca-certificate.ts';
import { destroyKeyAct } from './hsm/destroy-key.ts';
import { generateKeyAct } from './hsm/generate-key.ts';
import { initialiseTokenAct } from './hsm/initialise-token.ts';
import { readBackKeysAct } from './hsm/read-back-keys.ts';
import { setUserPinAct } from './hsm/set-user-pin.ts';
import type { ActPorts } from './ports.ts';
import { changeKeyStateAct } from './registry/change-key-state.ts';
import { registerKeyAct } from './registry/register-key.ts';
import { combineComponentsAct } from './transport/combine-components.ts';
import { prepareTrustRootAct } from './trust/prepare-trust-root.ts';
import { proposeRevocationAct } from './trust/propose-revocation.ts';
import { publishTrustRootAct } from './trust/publish-trust-root.ts';
import { prepareRootRotationAct, publishRootRotationAct } from './trust/root-rotation.ts';
import { signTrustMetadataAct } from './trust/sign-trust-metadata.ts';

export function ceremonyActs(ports: ActPorts): readonly AnyAct[] {
  return [
    initialiseTokenAct,
    setUserPinAct,
    generateKeyAct,
    readBackKeysAct,
    registerKeyAct,
    changeKeyStateAct,
    destroyKeyAct,
    changeCardSecretsAct,
    generateCardKeyAct,
    writeCardCertificateAct,
    enrolCardKeyAct,
    sealCardAct,
    prepareTrustRootAct,
    signTrustMetadataAct,
    publishTrustRootAct,
    prepareRootRotationAct,
    publishRootRotationAct,
    proposeRevocationAct,
    issueCaCertificateAct,
    combineComponentsAct,
    openBreakGlassAct,
    resealBreakGlassAct,
  ].map((act) => act(ports));
}
