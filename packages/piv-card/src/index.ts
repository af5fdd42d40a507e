// SPDX-License-Identifier: Apache-2.0
export { AttestationCa, PIN_POLICY, TOUCH_POLICY } from './attestation-ca.ts';
export { hasCardReaders, startCardReaders } from './card-readers.ts';
export { P256Key } from './p256-key.ts';
export { PivApplet } from './piv-applet.ts';
export { decodeTlvs, encodeTlv, findTlv } from './tlv.ts';
export { VirtualCard } from './virtual-card.ts';

export type { AttestedKey } from './attestation-ca.ts';
export type { CardReaders } from './card-readers.ts';
export type { PivAppletOptions } from './piv-applet.ts';
export type { Tlv } from './tlv.ts';
export type { CardStart, CardStatus } from './virtual-card.ts';
