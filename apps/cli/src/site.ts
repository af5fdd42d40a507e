// SPDX-License-Identifier: Apache-2.0
/**
 * A trial site: keys for every role, the trust repository that lists them, the trusted root and policies of verifiers, and
 * the configuration of one line and one station. The keys are software keys, marked as such, so production policies refuse
 * everything made with them; a real site brings keys in tokens and draws up the same documents.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import {
  formatEffectivity,
  formatTrustedRoot,
  type Effectivity,
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
  sha256Hex,
  toNoteVerifierKey,
  type Bytes,
  type Instant,
} from '@witnessmark/core';
import { generateSoftwareKey, saveSoftwareKey, type Signer, type SoftwareKey } from '@witnessmark/custody';
import { createRepository, effectivityPath, nodeFiles, toTargetContent, TRUSTED_ROOT_PATH } from '@witnessmark/trust';
import { formatPolicy, type Policy } from '@witnessmark/verify';
import type { LineConfig, OfficeConfig, StationConfig } from './config.ts';
import type { DataDirectory } from './data-directory.ts';
import { CliError } from './error.ts';
import { writeFile } from './files.ts';
import type { ServiceHsm, ServiceKey } from './service-hsm.ts';

const YEAR_MS = 365 * 24 * 3600 * 1000;
const KEY_LIFETIME_MS = 2 * YEAR_MS;
/** Two of the approvers, whatever their number. */
const THRESHOLD = 2;
const PRIVATE_DIRECTORY = 0o700;

export interface Approver {
  readonly name: string;
  readonly role: string;
}

export interface SitePlan {
  readonly plant: string;
  readonly line: string;
  readonly station: string;
  readonly author: string;
  readonly approvers: readonly Approver[];
  readonly operator: string;
  readonly supervisor: string;
  readonly product: { readonly sku: string; readonly hwModel: string; readonly hwVersion: string };
  readonly listen: { readonly host: string; readonly port: number };
}

interface SiteSummary {
  readonly keys: readonly string[];
  /** SHA-256 of the first root of the trust repository; to be compared on paper. */
  readonly rootDigest: string;
  readonly trustedRootDigest: string;
}

/**
 * Makes a site in an empty or new directory; with a service HSM, whose keys machines then use by way of custody.
 * Throws `ERR_CLI_DATA_DIRECTORY` when something is there.
 */
export async function createSite(
  directory: DataDirectory,
  plan: SitePlan,
  now: Instant,
  makeServiceHsm?: (directory: string) => Promise<ServiceHsm>,
): Promise<SiteSummary> {
  mkdirSync(directory.path, { recursive: true });
  // A first dot marks what belongs to tools: a lost+found, or the marker of the demo.
  const found = readdirSync(directory.path).filter((name) => !name.startsWith('.'));
  if (found.length > 0) {
    throw new CliError(
      'ERR_CLI_DATA_DIRECTORY',
      `${directory.path} is not empty: it holds ${found.slice(0, 3).join(', ')}`,
    );
  }
  mkdirSync(directory.keys, { mode: PRIVATE_DIRECTORY });
  const service = (await makeServiceHsm?.(directory.custody)) ?? null;
  const keys = new SiteKeys(directory, plan, service);
  try {
    return await makeSite(directory, plan, keys, now);
  } finally {
    service?.close();
  }
}

async function makeSite(directory: DataDirectory, plan: SitePlan, keys: SiteKeys, now: Instant): Promise<SiteSummary> {
  const from = Math.floor(now / 1000) * 1000;
  const trustedRoot = drawUpTrustedRoot(plan, keys, from);
  const trustedRootBytes = formatTrustedRoot(trustedRoot);
  const root = await createTrustRepository(directory, plan, keys, trustedRootBytes, now);

  for (const folder of [directory.gate, directory.log, directory.evidence]) mkdirSync(folder);
  writeFile(directory.pinnedRoot, root);
  writeFile(directory.trustedRoot, trustedRootBytes);
  writeFile(directory.policy, formatPolicy(trialPolicy(plan)));
  writeFile(directory.productionPolicy, formatPolicy(productionPolicy(plan)));
  writeFile(directory.secretClasses, formatPretty(DEFAULT_SECRET_CLASSES));
  writeFile(directory.debugContents, formatPretty(DEFAULT_DEBUG_CONTENTS));
  writeFile(directory.officeConfig, formatPretty(officeConfig(plan, keys)));
  writeFile(directory.lineConfig, formatPretty(lineConfig(plan, keys)));
  writeFile(directory.stationConfig, formatPretty(stationConfig(plan)));
  return { keys: keys.names, rootDigest: sha256Hex(root), trustedRootDigest: sha256Hex(trustedRootBytes) };
}

/** Makes each key once, on first use, and keeps it in its file; keys of a service HSM are there already. */
class SiteKeys {
  readonly #directory: DataDirectory;
  readonly #keys = new Map<string, SoftwareKey>();
  readonly #service: ServiceHsm | null;
  readonly #serviceKeys: ReadonlyMap<string, ServiceKey>;

  constructor(directory: DataDirectory, { line }: SitePlan, service: ServiceHsm | null) {
    this.#directory = directory;
    this.#service = service;
    this.#serviceKeys = new Map([
      [`evidence-${line}`, 'line-evidence'],
      ['log', 'log-checkpoint'],
      ['online', 'release-online'],
      ['effectivity', 'release-effectivity'],
    ]);
  }

  get names(): readonly string[] {
    return [...this.#keys.keys()];
  }

  take(name: string, scheme: 'ecdsa-sha2-nistp256' | 'ed25519' = 'ecdsa-sha2-nistp256'): Signer {
    const serviceKey = this.#serviceKeys.get(name);
    if (this.#service !== null && serviceKey !== undefined) return this.#service.signer(serviceKey);
    let key = this.#keys.get(name);
    if (key === undefined) {
      key = generateSoftwareKey(scheme);
      saveSoftwareKey(this.#directory.key(name), key);
      this.#keys.set(name, key);
    }
    return key;
  }

  /** How a configuration names the key. */
  reference(name: string, client: 'line' | 'office'): string {
    const serviceKey = this.#serviceKeys.get(name);
    const { path } = this.#directory;
    if (this.#service === null || serviceKey === undefined) return relative(path, this.#directory.key(name));
    return this.#service.reference(serviceKey, client);
  }
}

function logName({ plant, line }: Pick<SitePlan, 'plant' | 'line'>): string {
  return `witnessmark.dev/log/${plant}/${line}`.toLowerCase();
}

function officeLogName({ plant }: Pick<SitePlan, 'plant'>): string {
  return `witnessmark.dev/log/${plant}/office`.toLowerCase();
}

function drawUpTrustedRoot(plan: SitePlan, keys: SiteKeys, from: Instant): TrustedRoot {
  const validity = { validFrom: formatInstant(from), validUntil: formatInstant(from + KEY_LIFETIME_MS) };
  const entry = (role: KeyRole, name: string, owner: string, scope: string): TrustedRoot['keys'][number] => {
    const { publicKey, custody } = keys.take(name);
    const grade = custody === 'hardware' ? ({ custodyGrade: 'selfReported' } as const) : {};
    return { role, publicKey: encodeBase64(publicKey.spki), owner, scope, custody, ...grade, ...validity };
  };
  const { line, station, author, approvers, operator, supervisor } = plan;
  const logEntry = (owner: string, name: string, file: string): TrustedRoot['logs'][number] => {
    const key = toNoteVerifierKey(name, keys.take(file, 'ed25519').publicKey);
    return { verifierKey: formatNoteVerifierKey(key), owner, ...validity };
  };
  return {
    mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
    name: `${plan.plant} ${line}`,
    version: 1,
    logs: [logEntry(line, logName(plan), 'log'), logEntry('office', officeLogName(plan), 'office-log')],
    witnesses: [],
    keys: [
      entry('author', `author-${author}`, author, 'engineering'),
      ...approvers.map(({ name, role }) => entry('approver', `approver-${name}`, name, role)),
      entry('evidence', `evidence-${line}`, line, line),
      entry('evidence', 'evidence-office', 'office', 'office'),
      entry('unsealing', `unsealing-${line}`, line, line),
      entry('station', `station-${station}`, station, line),
      entry('operator', `operator-${operator}`, operator, line),
      entry('supervisor', `supervisor-${supervisor}`, supervisor, line),
    ],
    certificateAuthorities: [],
    revocations: [],
    repository: {
      roots: [{ version: 1, rootThreshold: THRESHOLD, targetsThreshold: THRESHOLD }],
      holders: [
        ...approvers.flatMap(({ name }) => [
          holder(keys, `root-${name}`, name, 'root'),
          holder(keys, `approver-${name}`, name, 'targets'),
        ]),
        holder(keys, 'online', 'office', 'online'),
        holder(keys, 'effectivity', 'operations', 'effectivity'),
      ],
    },
  };
}

function holder(keys: SiteKeys, file: string, owner: string, use: HolderUse): TrustRepositoryKeys['holders'][number] {
  const { publicKey, custody } = keys.take(file);
  const grade = custody === 'hardware' ? ({ custodyGrade: 'selfReported' } as const) : {};
  return { keyid: publicKey.keyid, owner, uses: [use], custody, ...grade };
}

/** Version 1 of the repository: it lists the trusted root and an effectivity without any rule, so nothing may be made yet. */
async function createTrustRepository(
  directory: DataDirectory,
  plan: SitePlan,
  keys: SiteKeys,
  trustedRoot: Bytes,
  now: Instant,
): Promise<Bytes> {
  const holders = (prefix: string): { owner: string; publicKey: Signer['publicKey'] }[] =>
    plan.approvers.map(({ name }) => ({ owner: name, publicKey: keys.take(`${prefix}-${name}`).publicKey }));
  const effectivity: Effectivity = {
    mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
    plant: plan.plant,
    line: plan.line,
    version: 1,
    rules: [],
    withdrawn: [],
    default: 'STOP',
  };
  return createRepository({
    directory: directory.repository,
    files: nodeFiles,
    keys: {
      root: { holders: holders('root'), threshold: THRESHOLD },
      // One token for each approver: it signs the approval and the metadata that publishes what was approved.
      targets: { holders: holders('approver'), threshold: THRESHOLD },
    },
    approvers: plan.approvers
      .slice(0, THRESHOLD)
      .flatMap(({ name }) => [keys.take(`root-${name}`), keys.take(`approver-${name}`)]),
    signers: { online: keys.take('online'), effectivity: keys.take('effectivity') },
    targets: [toTargetContent(TRUSTED_ROOT_PATH, trustedRoot)],
    delegated: [toTargetContent(effectivityPath(plan.plant, plan.line), formatEffectivity(effectivity))],
    now,
  });
}

function trialPolicy(plan: SitePlan): Policy {
  return {
    ...productionPolicy(plan),
    name: `${plan.plant} trial`,
    // Without the line there is one witness less of what time it is.
    clock: { accept: ['SANE', 'DEGRADED'] },
    custody: { minimumGrades: {} },
    allow: { simulated: true, rehearsal: false, breakGlass: false, softwareKeys: true, offline: true },
  };
}

function productionPolicy({ plant }: SitePlan): Policy {
  return {
    mediaType: 'application/vnd.witnessmark.policy.v1+json',
    name: `${plant} production`,
    version: 1,
    approvals: { threshold: THRESHOLD, requiredRoles: [] },
    witnesses: { threshold: 0 },
    clock: { accept: ['SANE'] },
    grades: { content: 'readBack', protection: 'readBack' },
    custody: {
      minimumGrades: {
        author: 'selfReported',
        approver: 'selfReported',
        evidence: 'selfReported',
        station: 'selfReported',
      },
    },
    trustRoot: { minThreshold: THRESHOLD },
    allow: { simulated: false, rehearsal: false, breakGlass: false, softwareKeys: false },
  };
}

function officeConfig(plan: SitePlan, keys: SiteKeys): OfficeConfig {
  const { plant, line, product } = plan;
  return {
    mediaType: 'application/vnd.witnessmark.office-config.v1+json',
    site: { plant, line },
    product: { sku: product.sku, hwModel: product.hwModel, hwVersions: [product.hwVersion] },
    approvals: { threshold: THRESHOLD, requiredRoles: [] },
    directory: 'gate',
    log: { name: officeLogName(plan), key: 'keys/office-log.pem' },
    evidenceKey: 'keys/evidence-office.pem',
    trust: { root: 'trust-root.json', repository: 'trust' },
    publishing: {
      onlineKey: keys.reference('online', 'office'),
      effectivityKey: keys.reference('effectivity', 'office'),
    },
    sealing: 'optional',
  };
}

function lineConfig(plan: SitePlan, keys: SiteKeys): object {
  const { plant, line, listen } = plan;
  return {
    mediaType: 'application/vnd.witnessmark.line-config.v1+json',
    rules: { plant, line, approvals: { threshold: THRESHOLD, requiredRoles: [] } },
    listen,
    database: 'line/line.db',
    log: { directory: 'log', name: logName(plan), key: keys.reference('log', 'line') },
    evidenceKey: keys.reference(`evidence-${line}`, 'line'),
    unsealingKey: `keys/unsealing-${line}.pem`,
    badges: 'line/badges',
    trustedRoot: 'trusted-root.json',
    trust: { root: 'trust-root.json', memory: 'line/trust', repository: 'trust' },
  } satisfies Omit<LineConfig, 'rules'> & { readonly rules: object };
}

/** Of a station that has no repository of its own, in the data directory. */
export function stationConfig(
  plan: Pick<SitePlan, 'plant' | 'line' | 'station' | 'listen' | 'product'>,
): StationConfig {
  const { plant, line, station, listen, product } = plan;
  return {
    mediaType: 'application/vnd.witnessmark.station-config.v1+json',
    station,
    line,
    plant,
    lineUrl: `http://${listen.host}:${listen.port}`,
    stationKey: `keys/station-${station}.pem`,
    directory: `stations/${station}`,
    evidence: 'evidence',
    trustedRoot: 'trusted-root.json',
    trust: {
      root: 'trust-root.json',
      memory: `stations/${station}/trust`,
      cache: `stations/${station}/cache`,
      repository: null,
    },
    approvals: { threshold: THRESHOLD, requiredRoles: [] },
    job: { sku: product.sku, hwVersion: product.hwVersion, workOrder: null, lot: null },
  };
}

function formatPretty(value: unknown): Bytes {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
