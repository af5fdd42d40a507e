// SPDX-License-Identifier: Apache-2.0
/** Documents and configurations of the scene's site: what `init` draws up for a trial, for keys that ceremonies made. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatTrustedRoot,
  type HolderUse,
  type KeyRole,
  type TrustedRoot,
  type TrustRepositoryKeys,
} from '@witnessmark/attestation';
import { DEFAULT_DEBUG_CONTENTS, DEFAULT_SECRET_CLASSES } from '@witnessmark/boundary';
import {
  encodeBase64,
  formatInstant,
  formatNoteVerifierKey,
  decodeBase64,
  parsePublicKey,
  toNoteVerifierKey,
  type Bytes,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import {
  generateSoftwareKey,
  parseKeyRegistry,
  saveSoftwareKey,
  type RegisteredKey,
  type SoftwareKey,
} from '@witnessmark/custody';
import { formatPolicy, type Policy } from '@witnessmark/verify';
import { SOFTHSM_MODULE } from '../../service-hsm.ts';
import { stationConfig } from '../../site.ts';
import { CHECKPOINT_PURPOSE, METADATA_PURPOSE, STATEMENT_PURPOSES } from '../../purpose.ts';

const YEAR_MS = 365 * 24 * 3_600_000;
const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;
const THRESHOLD = 2;
const SESSIONS = 4;

export const PLACE = { plant: 'demo-plant', line: 'line-1', station: 'station-1' } as const;
export const AUTHOR = 'alex';
export const OPERATOR = 'olga';
export const SUPERVISOR = 'sam';
export const TICKET = 'ECO-7731';
const PRODUCT = { sku: 'GW-210', hwModel: 'gateway-210', hwVersion: 'A' };
const LINE_LOG = 'witnessmark.dev/log/demo-plant/line-1';
const OFFICE_LOG = 'witnessmark.dev/log/demo-plant/office';

/** A person with a card; `role` is what the approver looks at. */
export interface Officer {
  readonly id: string;
  readonly role: string;
  readonly serial: string;
  readonly pin: string;
}

export interface HsmToken {
  readonly label: string;
  readonly serial: string;
  readonly pin: string;
}

interface HouseParts {
  readonly directory: string;
  readonly registry: string;
  readonly officers: readonly Officer[];
  readonly officeHsm: HsmToken;
  readonly lineHsm: HsmToken;
  readonly port: number;
}

export class House {
  readonly #parts: HouseParts;
  readonly #files = new Map<string, SoftwareKey>();

  constructor(parts: HouseParts) {
    this.#parts = parts;
    mkdirSync(this.path('keys'), { recursive: true, mode: PRIVATE_DIRECTORY });
  }

  path(...names: readonly string[]): string {
    return join(this.#parts.directory, ...names);
  }

  get #listen(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: this.#parts.port };
  }

  /** Path of a software key, made on first use: people and machines of a trial that have no token. */
  keyFile(name: string): string {
    this.#take(name);
    return this.path('keys', `${name}.pem`);
  }

  /** The registered key of a policy, and of a holder where several have one. */
  registered(policy: string, holder?: string): RegisteredKey {
    const { keys } = parseKeyRegistry(new Uint8Array(readFileSync(this.#parts.registry)));
    const key = keys.find(
      (entry) => entry.policy === policy && !entry.rehearsal && (holder === undefined || entry.holder === holder),
    );
    if (key === undefined) throw new TypeError(`the registry has no key ${policy} of ${holder ?? 'anybody'}`);
    return key;
  }

  /** Every key with its role, owner and custody; to be reviewed before the ceremony of the trust root. */
  drawUpTrustedRoot(now: Instant): Bytes {
    const from = Math.floor(now / 1000) * 1000;
    const validity = { validFrom: formatInstant(from), validUntil: formatInstant(from + 2 * YEAR_MS) };
    type Entry = TrustedRoot['keys'][number];
    const inToken = (role: KeyRole, key: RegisteredKey, owner: string, scope: string): Entry => {
      const custody = { custody: 'hardware', custodyGrade: key.attestation.grade } as const;
      return { role, publicKey: key.spki, owner, scope, ...custody, ...validity };
    };
    const inFile = (role: KeyRole, name: string, owner: string, scope: string): Entry => {
      const publicKey = encodeBase64(this.#take(name).publicKey.spki);
      return { role, publicKey, owner, scope, custody: 'software', ...validity };
    };
    const { line, station } = PLACE;
    const log = (name: string, owner: string, key: PublicKey): TrustedRoot['logs'][number] => {
      return { verifierKey: formatNoteVerifierKey(toNoteVerifierKey(name, key)), owner, ...validity };
    };
    const { officers } = this.#parts;
    return formatTrustedRoot({
      mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
      name: `${PLACE.plant} ${line}`,
      version: 1,
      logs: [
        log(LINE_LOG, line, toPublicKey(this.registered('log-checkpoint'))),
        log(OFFICE_LOG, 'office', this.#take('office-log', 'ed25519').publicKey),
      ],
      witnesses: [],
      keys: [
        inFile('author', `author-${AUTHOR}`, AUTHOR, 'engineering'),
        ...officers.map(({ id, role }) => inToken('approver', this.registered('trust-root', id), id, role)),
        inToken('evidence', this.registered('line-evidence'), line, line),
        inFile('evidence', 'evidence-office', 'office', 'office'),
        inToken('unsealing', this.registered('line-unsealing'), line, line),
        inFile('station', `station-${station}`, station, line),
        inFile('operator', `operator-${OPERATOR}`, OPERATOR, line),
        inFile('supervisor', `supervisor-${SUPERVISOR}`, SUPERVISOR, line),
      ],
      certificateAuthorities: [],
      revocations: [],
      repository: {
        roots: [{ version: 1, rootThreshold: THRESHOLD, targetsThreshold: THRESHOLD }],
        holders: [
          ...officers.map(({ id }) => toHolder(this.registered('trust-root', id), id, ['root', 'targets'])),
          toHolder(this.registered('release-online'), 'office', ['online']),
          toHolder(this.registered('release-effectivity'), 'operations', ['effectivity']),
        ],
      },
    });
  }

  /** Configurations and policies, once the repository is there. */
  furnish(trustedRoot: Bytes): void {
    const { officeHsm, lineHsm } = this.#parts;
    writeFileSync(this.path('trusted-root.json'), trustedRoot);
    writeFileSync(this.path('trust-root.json'), readFileSync(this.path('trust', 'metadata', '1.root.json')));
    for (const folder of ['gate', 'log', 'evidence']) mkdirSync(this.path(folder), { recursive: true });
    writeFileSync(this.path('policy.json'), formatPolicy(policy('demo', true)));
    writeFileSync(this.path('policy-production.json'), formatPolicy(policy('production', false)));
    this.#writeJson('secret-classes.json', DEFAULT_SECRET_CLASSES);
    this.#writeJson('debug-contents.json', DEFAULT_DEBUG_CONTENTS);
    this.#writeJson('office.json', this.#officeConfig());
    this.#writeJson('line.json', this.#lineConfig());
    this.#writeJson('station.json', stationConfig({ ...PLACE, product: PRODUCT, listen: this.#listen }));
    this.#makeCustody('office-custody', officeHsm, {
      keys: ['release-online', 'release-effectivity'],
      clients: [
        {
          name: 'office',
          allow: ['release-online', 'release-effectivity'].map((key) => ({ key, purposes: [METADATA_PURPOSE] })),
        },
      ],
    });
    this.#makeCustody('custody', lineHsm, {
      keys: ['line-evidence', 'log-checkpoint', 'line-unsealing'],
      clients: [
        {
          name: 'line',
          allow: [
            { key: 'line-evidence', purposes: STATEMENT_PURPOSES },
            { key: 'log-checkpoint', purposes: [CHECKPOINT_PURPOSE] },
          ],
        },
      ],
    });
  }

  /** How commands name the key on an officer's card. */
  cardReference({ id, pin }: Officer, module: string): string {
    const { token } = this.registered('trust-root', id);
    if (token === null) throw new TypeError(`the key of ${id} is on no card`);
    const pinFile = this.path('keys', `${id}.pin`);
    writeFileSync(pinFile, `${pin}\n`, { mode: PRIVATE_FILE });
    return `pkcs11:token=${token.label};serial=${token.serial};object=SIGN%20key?module-path=${module}&pin-source=file:${pinFile}`;
  }

  #makeCustody(
    folder: string,
    token: HsmToken,
    service: {
      readonly keys: readonly string[];
      readonly clients: readonly { readonly name: string; readonly allow: object }[];
    },
  ): void {
    mkdirSync(this.path(folder, 'clients'), { recursive: true, mode: PRIVATE_DIRECTORY });
    writeFileSync(this.path(folder, 'pin'), `${token.pin}\n`, { mode: PRIVATE_FILE });
    const clients = service.clients.map(({ name, allow }) => {
      const secret = randomBytes(32).toString('hex');
      writeFileSync(this.path(folder, 'clients', `${name}.token`), `${secret}\n`, { mode: PRIVATE_FILE });
      return { name, tokenSha256: createHash('sha256').update(secret).digest('hex'), allow };
    });
    this.#writeJson(join(folder, 'custody.json'), {
      socket: this.path(folder, 'custody.sock'),
      journal: this.path(folder, 'journal'),
      module: SOFTHSM_MODULE,
      token: { label: token.label, serial: token.serial },
      pin: { from: 'file', file: this.path(folder, 'pin') },
      sessions: SESSIONS,
      signing: 'blocking',
      keys: service.keys,
      clients,
    });
  }

  #officeConfig(): object {
    const { plant, line } = PLACE;
    const key = (name: string): string => custodyReference('office-custody', name, 'office');
    return {
      mediaType: 'application/vnd.witnessmark.office-config.v1+json',
      site: { plant, line },
      product: { sku: PRODUCT.sku, hwModel: PRODUCT.hwModel, hwVersions: [PRODUCT.hwVersion] },
      approvals: { threshold: THRESHOLD, requiredRoles: [] },
      directory: 'gate',
      log: { name: OFFICE_LOG, key: 'keys/office-log.pem' },
      evidenceKey: 'keys/evidence-office.pem',
      trust: { root: 'trust-root.json', repository: 'trust' },
      publishing: { onlineKey: key('release-online'), effectivityKey: key('release-effectivity') },
      sealing: 'required',
    };
  }

  #lineConfig(): object {
    const { plant, line } = PLACE;
    const { lineHsm } = this.#parts;
    const { label, serial } = lineHsm;
    const unsealing = `pkcs11:token=${label};serial=${serial};object=line-unsealing`;
    return {
      mediaType: 'application/vnd.witnessmark.line-config.v1+json',
      rules: { plant, line, approvals: { threshold: THRESHOLD, requiredRoles: [] }, sealing: 'required' },
      listen: this.#listen,
      database: 'line/line.db',
      log: { directory: 'log', name: LINE_LOG, key: custodyReference('custody', 'log-checkpoint', 'line') },
      evidenceKey: custodyReference('custody', 'line-evidence', 'line'),
      unsealingKey: `${unsealing}?module-path=${SOFTHSM_MODULE}&pin-source=file:${this.path('custody', 'pin')}`,
      trustedRoot: 'trusted-root.json',
      // What came in by a medium, not what the office has.
      trust: { root: 'trust-root.json', memory: 'line/trust', repository: 'media/inside/release' },
    };
  }

  #take(name: string, scheme: 'ecdsa-sha2-nistp256' | 'ed25519' = 'ecdsa-sha2-nistp256'): SoftwareKey {
    let key = this.#files.get(name);
    if (key === undefined) {
      key = generateSoftwareKey(scheme);
      saveSoftwareKey(this.path('keys', `${name}.pem`), key);
      this.#files.set(name, key);
    }
    return key;
  }

  #writeJson(name: string, value: object): void {
    writeFileSync(this.path(name), `${JSON.stringify(value, null, 2)}\n`, { mode: PRIVATE_FILE });
  }
}

function custodyReference(folder: string, key: string, client: string): string {
  return `custody:${key}?socket=${folder}/custody.sock&client=${client}&token-file=${folder}/clients/${client}.token`;
}

function toHolder(key: RegisteredKey, owner: string, uses: HolderUse[]): TrustRepositoryKeys['holders'][number] {
  return { keyid: key.keyid, owner, uses, custody: 'hardware', custodyGrade: key.attestation.grade };
}

function toPublicKey({ spki }: RegisteredKey): PublicKey {
  return parsePublicKey(decodeBase64(spki));
}

/** A demo makes simulated devices at a station whose key is a file; production accepts neither. */
function policy(name: string, isDemo: boolean): Policy {
  return {
    mediaType: 'application/vnd.witnessmark.policy.v1+json',
    name: `${PLACE.plant} ${name}`,
    version: 1,
    approvals: { threshold: THRESHOLD, requiredRoles: [] },
    witnesses: { threshold: 0 },
    clock: { accept: ['SANE'] },
    grades: { content: 'readBack', protection: 'readBack' },
    custody: { minimumGrades: { approver: 'vendorAttested', evidence: 'selfReported' } },
    trustRoot: { minThreshold: THRESHOLD },
    allow: { simulated: isDemo, rehearsal: false, breakGlass: false, softwareKeys: isDemo },
  };
}
