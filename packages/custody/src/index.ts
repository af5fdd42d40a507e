// SPDX-License-Identifier: Apache-2.0
export { verifyPivAttestation } from './attestation/piv-attestation.ts';
export { CustodyError } from './error.ts';
export { CUSTODY_GRADES, isGradeAtLeast } from './grade.ts';
export { originOf } from './key-policy/attributes.ts';
export { checkKeys, demandKeys, generateKey } from './key-policy/check-keys.ts';
export { formatKeyDocument } from './key-policy/document.ts';
export { KEY_POLICIES, keyPolicy } from './key-policy/key-policy.ts';
export { TRANSPORT_KEY } from './key-policy/transport-key.ts';
export { generateSoftwareKeyAgreement, loadSoftwareKeyAgreement, SoftwareKeyAgreement } from './key-agreement.ts';
export { KeyAccess } from './key-reference/key-access.ts';
export { formatKeyReference, parseKeyReference } from './key-reference/key-reference.ts';
export { checkPin, pinFromDescriptor, pinFromFile, readPinFile } from './pin.ts';
export { FACTORY_PIN, FACTORY_PUK, PivTool } from './piv/piv-tool.ts';
export { countKeyObjects, destroyKey } from './pkcs11/destroy.ts';
export { generateKeyPair } from './pkcs11/generate.ts';
export { demandFreeLabel, findEmptySlot, hasUserPin, initialiseToken, setUserPin } from './pkcs11/initialise-token.ts';
export { findKey, Pkcs11Key } from './pkcs11/key.ts';
export { findKeyAgreement, Pkcs11KeyAgreement } from './pkcs11/key-agreement.ts';
export { LastingToken } from './pkcs11/lasting-token.ts';
export { openPkcs11Module, Pkcs11Module } from './pkcs11/module.ts';
export { findPublicKey, lookAtToken } from './pkcs11/public-look.ts';
export { toDerSignature } from './pkcs11/signature.ts';
export { openToken, Pkcs11Token } from './pkcs11/token.ts';
export { formatCycloneDx } from './registry/cyclonedx.ts';
export { enrolmentChallenge, vetEnrolment } from './registry/enrolment.ts';
export { isPubliclyKnown } from './registry/known-keys.ts';
export {
  addKey,
  addSecretKey,
  changeKeyState,
  changeSecretKeyState,
  countUses,
  demandMaySign,
  EMPTY_KEY_REGISTRY,
  findRegisteredKey,
  formatKeyRegistry,
  KEY_REGISTRY_MEDIA_TYPE,
  parseKeyRegistry,
} from './registry/key-registry.ts';
export { appendState, KEY_STATES, stateAt } from './registry/key-state.ts';
export { secretKeyId } from './registry/secret-key.ts';
export { toTokenFacts } from './registry/token-facts.ts';
export { formatQualification, qualifyToken } from './qualify.ts';
export { ComponentCombiner } from './split-knowledge/combine-components.ts';
export { parseCheckValue, parseComponent } from './split-knowledge/component.ts';
export { reconcile } from './reconcile.ts';
export { ReconcileSpool } from './reconcile-spool.ts';
export { readAccount, streamAccount, toAccount } from './service/account.ts';
export { CustodyClient, CustodyKey } from './service/custody-client.ts';
export { parseCustodyConfig } from './service/custody-config.ts';
export { listenCustody } from './service/custody-listener.ts';
export { CustodyService } from './service/custody-service.ts';
export { Journal, readJournal } from './service/journal.ts';
export { runCustody } from './service/run-custody.ts';
export { countersign, NoteSigner, signEnvelope, signEnvelopePart } from './signer.ts';
export { generateSoftwareKey, loadSoftwareKey, saveSoftwareKey, SoftwareKey } from './software-key.ts';
export { auditYubiHsmLogs, entryDigest, parseYubiHsmLog } from './yubihsm-log.ts';
export { formatToken } from './token-identity.ts';

export type { AttestedPivKey, PivAttestation, PivExpectation } from './attestation/piv-attestation.ts';
export type { CustodyErrorCode } from './error.ts';
export type { CustodyGrade } from './grade.ts';
export type { AttributeTemplate, KeyAttribute, KeyOrigin } from './key-policy/attributes.ts';
export type { CheckedKey, KeyCheck, KeyFinding } from './key-policy/check-keys.ts';
export type { KeyPolicy, PivPolicy } from './key-policy/key-policy.ts';
export type { SecretKeyPolicy } from './key-policy/transport-key.ts';
export type { KeyAgreement } from './key-agreement.ts';
export type { KeyAccessPorts } from './key-reference/key-access.ts';
export type { CustodyKeyReference, KeyReference } from './key-reference/key-reference.ts';
export type { Pkcs11Uri } from './key-reference/pkcs11-uri.ts';
export type { PinRequest, PinSource, PinTries } from './pin.ts';
export type { CardMetadata, SecretState } from './piv/card-metadata.ts';
export type { CardProgramOptions } from './piv/card-program.ts';
export type { InsertedCard } from './piv/piv-tool.ts';
export type { ExactKeyRef } from './pkcs11/destroy.ts';
export type { KeyPairTemplate } from './pkcs11/generate.ts';
export type { KeyRef } from './pkcs11/key.ts';
export type { LastingKey, TokenOpener } from './pkcs11/lasting-token.ts';
export type { FoundToken } from './pkcs11/module.ts';
export type { OpenTokenOptions, SigningMode } from './pkcs11/token-options.ts';
export type { Enrolment } from './registry/enrolment.ts';
export type { KeyRegistry, RegisteredKey } from './registry/key-registry.ts';
export type { KeyState, KeyStateChange } from './registry/key-state.ts';
export type { RegisteredSecretKey } from './registry/secret-key.ts';
export type { TokenFacts } from './registry/token-facts.ts';
export type { CombinedKey } from './split-knowledge/combine-components.ts';
export type { LoadRun, QualifyOptions, TokenQualification } from './qualify.ts';
export type { LoggedSignature, ReconcileFinding, ReconcileInput, Reconciliation, TokenCount } from './reconcile.ts';
export type { SpooledReconciliation } from './reconcile-spool.ts';
export type { AccountedRequest } from './service/account.ts';
export type { CustodyClientOptions, Purpose } from './service/custody-client.ts';
export type { CustodyConfig } from './service/custody-config.ts';
export type { CustodyListener } from './service/custody-listener.ts';
export type { CustodyClientEntry, CustodyServiceOptions } from './service/custody-service.ts';
export type { JournalOptions } from './service/journal.ts';
export type { IntentRecord, JournalRecord, OutcomeRecord, SegmentRecord } from './service/records.ts';
export type { RunningCustody } from './service/run-custody.ts';
export type { Signer } from './signer.ts';
export type { YubiHsmAudit, YubiHsmLog, YubiHsmLogEntry } from './yubihsm-log.ts';
export type { TokenIdentity, TokenRef } from './token-identity.ts';
