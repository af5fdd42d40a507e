// SPDX-License-Identifier: Apache-2.0
/** docs/keys.md, from the key policy. */
import { entriesOf, type AttributeTemplate } from './attributes.ts';
import { isAgreementKey, type KeyPolicy } from './key-policy.ts';

const SCHEME_NAMES = { 'ecdsa-sha2-nistp256': 'ECDSA P-256 with SHA-256', ed25519: 'Ed25519' };
const TOKEN_NAMES = { hsm: 'HSM through PKCS#11', pivCard: 'PIV card through PKCS#11 (OpenSC)' };
const MECHANISM_NAMES = { 'ecdsa-sha2-nistp256': 'CKM_ECDSA', ed25519: 'CKM_EDDSA' };

const HEAD = `# Keys

<!-- Written by \`node --conditions=@witnessmark/source packages/custody/test/support/write-key-document.ts\`; edit
packages/custody/src/key-policy/key-policy.ts instead. -->

Every key that signs or opens, from the key policy that makes it and reads it back. Attributes are exact: a key that shows another
value, or does not show one, refuses the start. See [key-policy](../spec/key-policy.md) for how they are checked.

| key | holder | token | algorithm |
| --- | ------ | ----- | --------- |
`;

/** The document in Markdown; formatting is left to the formatter. */
export function formatKeyDocument(policies: readonly KeyPolicy[]): string {
  const overview = policies.map(
    (policy) =>
      `| [${policy.name}](#${policy.name}) | ${policy.holder} | ${TOKEN_NAMES[policy.token]} | ${algorithmOf(policy).name} |\n`,
  );
  return `${HEAD}${overview.join('')}\n${policies.map(formatKey).join('\n')}`;
}

function formatKey(policy: KeyPolicy): string {
  const piv = policy.piv;
  const rows: [string, string][] = [
    ['purpose', policy.purpose],
    ['holder', policy.holder],
    ['used by', policy.usedBy],
    ['token', TOKEN_NAMES[policy.token]],
    ['label, id', `\`${policy.label}\`, \`${policy.id}\``],
    ['algorithm', `${algorithmOf(policy).name} (\`${algorithmOf(policy).mechanism}\`)`],
    ...(piv === null
      ? []
      : ([['slot', `${piv.slot}, PIN ${piv.pinPolicy}, touch ${piv.touchPolicy}`]] as [string, string][])),
    ['private key', formatTemplate(policy.privateKey)],
    ['public key', formatTemplate(policy.publicKey)],
    ['custody grade', `at least \`${policy.minimumGrade}\``],
    ['ceremony', policy.ceremony],
    ['cryptoperiod', policy.cryptoperiod],
    ['when it is lost', policy.onLoss],
    ['when it is compromised', policy.onCompromise],
  ];
  const table = rows.map(([name, text]) => `| ${name} | ${text} |\n`);
  return `## ${policy.name}\n\n|     |     |\n| --- | --- |\n${table.join('')}`;
}

function algorithmOf(policy: KeyPolicy): { readonly name: string; readonly mechanism: string } {
  if (isAgreementKey(policy)) return { name: 'ECDH P-256', mechanism: 'CKM_ECDH1_DERIVE' };
  return { name: SCHEME_NAMES[policy.scheme], mechanism: MECHANISM_NAMES[policy.scheme] };
}

function formatTemplate(template: AttributeTemplate): string {
  const entries = entriesOf(template);
  const names = (wanted: boolean): string =>
    entries
      .filter(([, value]) => value === wanted)
      .map(([name]) => `\`${name}\``)
      .join(' ');
  return `true: ${names(true)}; false: ${names(false)}`;
}
