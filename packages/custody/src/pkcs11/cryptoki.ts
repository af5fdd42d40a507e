// SPDX-License-Identifier: Apache-2.0
/**
 * The part of PKCS#11 v2.40 that is used here, and its numbers. The names are the standard's; the shape is that of
 * pkcs11js, so that its `PKCS11` object is one of these and a test can supply another.
 */
import type { ModuleInfo, PKCS11, SlotInfo, TokenInfo } from 'pkcs11js';

export type Handle = Buffer;
export type { ModuleInfo, SlotInfo, TokenInfo };

export type Cryptoki = Pick<
  PKCS11,
  | 'C_Initialize'
  | 'C_Finalize'
  | 'C_GetInfo'
  | 'C_GetSlotList'
  | 'C_GetSlotInfo'
  | 'C_GetTokenInfo'
  | 'C_GetMechanismList'
  | 'C_OpenSession'
  | 'C_CloseSession'
  | 'C_CloseAllSessions'
  | 'C_Login'
  | 'C_Logout'
  | 'C_FindObjectsInit'
  | 'C_FindObjects'
  | 'C_FindObjectsFinal'
  | 'C_GetAttributeValue'
  | 'C_GenerateKeyPair'
  | 'C_InitToken'
  | 'C_InitPIN'
  | 'C_CreateObject'
  | 'C_DestroyObject'
  | 'C_DeriveKey'
  | 'C_DeriveKeyAsync'
  | 'C_SignInit'
  | 'C_Sign'
  | 'C_SignAsync'
>;

export const CKF_OS_LOCKING_OK = 0x02;
/** Of a slot. */
export const CKF_REMOVABLE_DEVICE = 0x02;
/** Of a session. */
export const CKF_RW_SESSION = 0x02;
export const CKF_SERIAL_SESSION = 0x04;
/** Of a token. */
export const CKF_LOGIN_REQUIRED = 0x04;
export const CKF_USER_PIN_INITIALIZED = 0x08;
export const CKF_TOKEN_INITIALIZED = 0x0400;
export const CKF_USER_PIN_COUNT_LOW = 0x0001_0000;
export const CKF_USER_PIN_FINAL_TRY = 0x0002_0000;
export const CKF_USER_PIN_LOCKED = 0x0004_0000;
export const CKF_PROTECTED_AUTHENTICATION_PATH = 0x0100;

export const CKU_SO = 0;
export const CKU_USER = 1;
export const CKU_CONTEXT_SPECIFIC = 2;

export const CKO_CERTIFICATE = 1;
export const CKO_PUBLIC_KEY = 2;
export const CKO_PRIVATE_KEY = 3;
export const CKO_SECRET_KEY = 4;

export const CKK_EC = 0x03;
export const CKK_EC_EDWARDS = 0x40;
export const CKK_GENERIC_SECRET = 0x10;
export const CKK_AES = 0x1f;

export const CKM_EC_KEY_PAIR_GEN = 0x1040;
export const CKM_ECDSA = 0x1041;
export const CKM_ECDH1_DERIVE = 0x1050;
/** PKCS#11 v3.0 section 2.3.5 ff.; not among the constants of pkcs11js. */
export const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055;
export const CKM_EDDSA = 0x1057;
export const CKM_AES_CMAC = 0x108a;
export const CKM_AES_CBC_ENCRYPT_DATA = 0x1105;

export const CKA_CLASS = 0x0000;
export const CKA_TOKEN = 0x0001;
export const CKA_PRIVATE = 0x0002;
export const CKA_LABEL = 0x0003;
export const CKA_VALUE = 0x0011;
export const CKA_KEY_TYPE = 0x0100;
export const CKA_ID = 0x0102;
export const CKA_SENSITIVE = 0x0103;
export const CKA_ENCRYPT = 0x0104;
export const CKA_DECRYPT = 0x0105;
export const CKA_WRAP = 0x0106;
export const CKA_UNWRAP = 0x0107;
export const CKA_SIGN = 0x0108;
export const CKA_SIGN_RECOVER = 0x0109;
export const CKA_VERIFY = 0x010a;
export const CKA_VERIFY_RECOVER = 0x010b;
export const CKA_DERIVE = 0x010c;
export const CKA_VALUE_LEN = 0x0161;
export const CKA_EXTRACTABLE = 0x0162;
export const CKA_LOCAL = 0x0163;
export const CKA_NEVER_EXTRACTABLE = 0x0164;
export const CKA_ALWAYS_SENSITIVE = 0x0165;
export const CKA_MODIFIABLE = 0x0170;
export const CKA_EC_PARAMS = 0x0180;
export const CKA_EC_POINT = 0x0181;
export const CKA_ALWAYS_AUTHENTICATE = 0x0202;

export const CKR_ATTRIBUTE_SENSITIVE = 0x11;
export const CKR_ATTRIBUTE_TYPE_INVALID = 0x12;
export const CKR_DEVICE_ERROR = 0x30;
export const CKR_DEVICE_REMOVED = 0x32;
export const CKR_KEY_HANDLE_INVALID = 0x60;
export const CKR_KEY_FUNCTION_NOT_PERMITTED = 0x68;
export const CKR_MECHANISM_INVALID = 0x70;
export const CKR_OBJECT_HANDLE_INVALID = 0x82;
export const CKR_PIN_INCORRECT = 0xa0;
export const CKR_PIN_INVALID = 0xa1;
export const CKR_PIN_LEN_RANGE = 0xa2;
export const CKR_PIN_LOCKED = 0xa4;
export const CKR_SESSION_CLOSED = 0xb0;
export const CKR_SESSION_COUNT = 0xb1;
export const CKR_SESSION_HANDLE_INVALID = 0xb3;
export const CKR_TOKEN_NOT_PRESENT = 0xe0;
export const CKR_TOKEN_NOT_RECOGNIZED = 0xe1;
export const CKR_USER_ALREADY_LOGGED_IN = 0x100;
export const CKR_USER_NOT_LOGGED_IN = 0x101;
export const CKR_CRYPTOKI_NOT_INITIALIZED = 0x190;
export const CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;

/** No key derivation function: the shared secret itself. */
export const CKD_NULL = 0x01;
/** How pkcs11js tells the parameter of CKM_ECDH1_DERIVE from others. */
export const CK_PARAMS_EC_DH = 6;
/** How it tells the parameter of CKM_AES_CBC_ENCRYPT_DATA. */
export const CK_PARAMS_AES_CBC = 1;

/** The DER of the curve names: prime256v1 (RFC 5480) and id-Ed25519 (RFC 8410). */
export const P256_PARAMS = Buffer.from('06082a8648ce3d030107', 'hex');
export const ED25519_PARAMS = Buffer.from('06032b6570', 'hex');
