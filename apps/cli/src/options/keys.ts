// SPDX-License-Identifier: Apache-2.0
/** The options of the key and custody commands. */
import { KEY_POLICIES } from '@witnessmark/custody';
import { list, optionalInteger, optionalText, requiredText, textWithDefault } from '../command.ts';

const custody = optionalText('--custody <FILE>', 'the configuration of the custody process', {
  fallback: 'custody/custody.json of --data',
});

const data = optionalText('--data <DIR>', 'a data directory: its custody, registry, log and trusted root', {
  environment: 'WITNESSMARK_DATA',
});

export const custodyServeOptions = { data, custody } as const;

export const keysCheckOptions = {
  data,
  custody,
  key: list('--key <KEY>', 'a pkcs11: URI instead of the keys of custody; --policy says what it must be'),
  policy: optionalText('--policy <NAME>', 'the key policy for --key', {
    choices: KEY_POLICIES.map(({ name }) => name),
  }),
} as const;

export const keysQualifyOptions = {
  key: requiredText('--key <KEY>', 'a pkcs11: URI; the key is used, so qualify a token before it is put to work'),
  signatures: optionalInteger('--signatures <NUMBER>', 'how many in each run', {
    min: 10,
    max: 100_000,
    fallback: '200',
  }),
  acceptableMs: optionalInteger('--acceptable-ms <NUMBER>', 'what 99 of 100 signatures may take', {
    min: 1,
    max: 60_000,
    fallback: '250',
  }),
} as const;

export const keysReconcileOptions = {
  data,
  custody,
  log: list(
    '--log <DIR>',
    'a log that holds what was signed; repeat it for several (default log and office log of --data)',
  ),
  trust: optionalText('--trust <FILE>', 'the trusted root with the keys of the logs', {
    environment: 'WITNESSMARK_TRUST',
    fallback: 'trusted-root.json of --data',
  }),
  recent: optionalInteger('--recent <SECONDS>', 'how long a signature may be on its way to the published log', {
    min: 0,
    max: 86_400,
    fallback: '60',
  }),
  tokenLog: list('--token-log <FILE>', 'a reading of a YubiHSM audit log, in the order they were read'),
  tokenKey: list('--token-key <OBJECT=KEYID>', 'which object of the YubiHSM is which key'),
} as const;

const registry = optionalText('--registry <FILE>', 'the key registry', { fallback: 'keys/registry.json of --data' });

export const keysListOptions = { data, registry } as const;

export const keysExportOptions = {
  data,
  registry,
  format: textWithDefault('--format <FORMAT>', 'the registry itself, or a CycloneDX bill of cryptography', 'json', {
    choices: ['json', 'cyclonedx'],
  }),
} as const;
