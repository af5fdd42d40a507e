// SPDX-License-Identifier: Apache-2.0
export { verifyPivAttestation } from './attestation/piv-attestation.ts';
export { CustodyError } from './error.ts';
export { CUSTODY_GRADES, isGradeAtLeast } from './grade.ts';
export { originOf } from './key-policy/attributes.ts';
export { checkKeys, demandKeys, generateKey } from './key-policy/check-keys.ts';
export { formatKeyDocument } from './key-policy/document.ts';
export { KEY_POLICIES, keyPolicy } from './key-policy/key-policy.ts';
export { checkPin, pinFromDescriptor, pinFromFile } from './pin.ts';
export { generateKeyPair } from './pkcs11/generate.ts';
export { findKey, Pkcs11Key } from './pkcs11/key.ts';
export { openPkcs11Module, Pkcs11Module } from './pkcs11/module.ts';
export { toDerSignature } from './pkcs11/signature.ts';
export { openToken, Pkcs11Token } from './pkcs11/token.ts';
export { formatCycloneDx } from './registry/cyclonedx.ts';
export { enrolmentChallenge, vetEnrolment } from './registry/enrolment.ts';
export {
  addKey,
  changeKeyState,
  countUses,
  demandMaySign,
  EMPTY_KEY_REGISTRY,
  findRegisteredKey,
  formatKeyRegistry,
  KEY_REGISTRY_MEDIA_TYPE,
  parseKeyRegistry,
} from './registry/key-registry.ts';
export { appendState, KEY_STATES, stateAt } from './registry/key-state.ts';
export { formatQualification, qualifyToken } from './qualify.ts';
export { reconcile } from './reconcile.ts';
export { readAccount, toAccount } from './service/account.ts';
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
export type { PinRequest, PinSource, PinTries } from './pin.ts';
export type { KeyPairTemplate } from './pkcs11/generate.ts';
export type { KeyRef } from './pkcs11/key.ts';
export type { FoundToken } from './pkcs11/module.ts';
export type { OpenTokenOptions, SigningMode } from './pkcs11/token.ts';
export type { Enrolment } from './registry/enrolment.ts';
export type { KeyRegistry, RegisteredKey } from './registry/key-registry.ts';
export type { KeyState, KeyStateChange } from './registry/key-state.ts';
export type { LoadRun, QualifyOptions, TokenQualification } from './qualify.ts';
export type { LoggedSignature, ReconcileFinding, ReconcileInput, Reconciliation, TokenCount } from './reconcile.ts';
export type { AccountedRequest } from './service/account.ts';
export type { CustodyClientOptions } from './service/custody-client.ts';
export type { CustodyConfig } from './service/custody-config.ts';
export type { CustodyListener } from './service/custody-listener.ts';
export type { CustodyClientEntry, CustodyServiceOptions } from './service/custody-service.ts';
export type { JournalOptions } from './service/journal.ts';
export type { IntentRecord, JournalRecord, OutcomeRecord, SegmentRecord } from './service/records.ts';
export type { RunningCustody } from './service/run-custody.ts';
export type { Signer } from './signer.ts';
export type { YubiHsmAudit, YubiHsmLog, YubiHsmLogEntry } from './yubihsm-log.ts';
export type { TokenIdentity, TokenRef } from './token-identity.ts';
