// SPDX-License-Identifier: Apache-2.0
/** The key registry as a CycloneDX 1.6 bill of materials (ECMA-424, `cryptoProperties`), for tools that read inventories. */
import { formatInstant, formatJson, parsePublicKey, decodeBase64, type Bytes, type Instant } from '@witnessmark/core';
import type { KeyRegistry, RegisteredKey } from './key-registry.ts';
import type { KeyState } from './key-state.ts';

const STATES: Readonly<Record<KeyState, string>> = {
  preActivation: 'pre-activation',
  active: 'active',
  suspended: 'suspended',
  deactivated: 'deactivated',
  compromised: 'compromised',
  destroyed: 'destroyed',
};

const ALGORITHMS = {
  'ecdsa-sha2-nistp256': {
    ref: 'algorithm/ecdsa-p256-sha256',
    name: 'ECDSA P-256 SHA-256',
    curve: 'secp256r1',
    oid: '1.2.840.10045.4.3.2',
  },
  ed25519: { ref: 'algorithm/ed25519', name: 'Ed25519', curve: 'edwards25519', oid: '1.3.101.112' },
} as const;

/** `serialNumber` is a UUID from the caller's source of ids. */
export function formatCycloneDx(
  registry: KeyRegistry,
  made: { readonly at: Instant; readonly serialNumber: string },
): Bytes {
  return formatJson({
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${made.serialNumber}`,
    version: 1,
    metadata: { timestamp: formatInstant(made.at), component: { type: 'application', name: 'witnessmark' } },
    components: [...algorithms(registry), ...registry.keys.map(toComponent)],
  });
}

function algorithms(registry: KeyRegistry): object[] {
  const used = new Set(registry.keys.map(schemeOf));
  return [...used].map((scheme) => ({
    type: 'cryptographic-asset',
    'bom-ref': ALGORITHMS[scheme].ref,
    name: ALGORITHMS[scheme].name,
    cryptoProperties: {
      assetType: 'algorithm',
      algorithmProperties: {
        primitive: 'signature',
        curve: ALGORITHMS[scheme].curve,
        cryptoFunctions: ['keygen', 'sign', 'verify'],
        classicalSecurityLevel: 128,
        nistQuantumSecurityLevel: 0,
      },
      oid: ALGORITHMS[scheme].oid,
    },
  }));
}

function toComponent(key: RegisteredKey): object {
  const activatedAt = key.states.find(({ state }) => state === 'active')?.at;
  const { ref } = ALGORITHMS[schemeOf(key)];
  return {
    type: 'cryptographic-asset',
    'bom-ref': `key/${key.keyid}`,
    name: key.policy,
    cryptoProperties: {
      assetType: 'related-crypto-material',
      relatedCryptoMaterialProperties: {
        type: 'private-key',
        id: key.keyid,
        state: STATES[(key.states.at(-1) as RegisteredKey['states'][number]).state],
        algorithmRef: ref,
        creationDate: key.states[0]?.at,
        activationDate: activatedAt,
        expirationDate: key.originatorUntil,
        size: 256,
        securedBy: { mechanism: key.token === null ? 'None' : 'HSM' },
      },
    },
    properties: [
      { name: 'witnessmark:holder', value: key.holder },
      ...key.custodians.map((value) => ({ name: 'witnessmark:custodian', value })),
      { name: 'witnessmark:custodyGrade', value: key.attestation.grade },
      { name: 'witnessmark:rehearsal', value: String(key.rehearsal) },
      { name: 'witnessmark:uses', value: String(key.uses) },
      ...(key.token === null
        ? []
        : [{ name: 'witnessmark:token', value: `${key.token.model} ${key.token.label} ${key.token.serial}` }]),
    ],
  };
}

function schemeOf(key: RegisteredKey): keyof typeof ALGORITHMS {
  return parsePublicKey(decodeBase64(key.spki)).scheme;
}
