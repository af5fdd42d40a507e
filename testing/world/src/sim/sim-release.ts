// SPDX-License-Identifier: Apache-2.0
/** A release, proposed, approved by two of three and published in a real TUF repository. */
import { sealImage, SEED_BYTES } from '@witnessmark/boundary';
import {
  concatBytes,
  formatInstant,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  formatEnvelope,
  type Bytes,
  type Envelope,
  type Instant,
} from '@witnessmark/core';
import {
  buildStatement,
  formatEffectivity,
  formatReleaseManifest,
  formatTrustedRoot,
  releaseApproval,
  releaseCandidate,
  type Effectivity,
  type EffectivityRule,
  type ReleaseClass,
  type ReleaseManifest,
  type SealedImage,
  type TrustedRoot,
} from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import {
  approvalPath,
  candidatePath,
  createRepository,
  effectivityPath,
  nodeFiles,
  releaseManifestPath,
  signStagedMetadata,
  toTargetContent,
  TrustAuthor,
  TRUSTED_ROOT_PATH,
  withdrawRelease,
} from '@witnessmark/trust';
import { LINE, PLANT, type People, type Person } from './sim-people.ts';

export const SKU = 'GW-210';
export const HW_VERSION = 'C2';
const HOUR_MS = 3_600_000;

export interface ReleasePlan {
  readonly releaseId: string;
  readonly counter: number;
  readonly image: Bytes;
  readonly withLock: boolean;
  /** Default: the second sector. */
  readonly address?: number;
  /** Whether the board is started and its firmware asked. */
  readonly withBoot?: boolean;
  readonly approvers: readonly Person[];
  readonly rule?: Partial<EffectivityRule>;
  readonly releaseClass?: ReleaseClass;
}

export class SimReleases {
  readonly directory: string;
  readonly initialRoot: Bytes;
  readonly #people: People;
  readonly #author: TrustAuthor;
  #effectivity: Effectivity;

  private constructor(
    place: { readonly directory: string; readonly initialRoot: Bytes },
    people: People,
    author: TrustAuthor,
    effectivity: Effectivity,
  ) {
    this.directory = place.directory;
    this.initialRoot = place.initialRoot;
    this.#people = people;
    this.#author = author;
    this.#effectivity = effectivity;
  }

  /** An empty repository: keys are listed, nothing is released. */
  static async create(directory: string, people: People, trustedRoot: TrustedRoot, now: Instant): Promise<SimReleases> {
    const { approvers, online, effectivity: effectivityKey } = people;
    const holders = approvers.map(({ owner, key }) => ({ owner, publicKey: key.publicKey }));
    const effectivity: Effectivity = {
      mediaType: 'application/vnd.witnessmark.effectivity.v1+json',
      plant: PLANT,
      line: LINE,
      version: 0,
      rules: [],
      withdrawn: [],
      default: 'STOP',
    };
    const signers = { online, effectivity: effectivityKey };
    const initialRoot = await createRepository({
      directory,
      files: nodeFiles,
      keys: { root: { holders, threshold: 2 }, targets: { holders, threshold: 2 } },
      approvers: [approvers[0].key, approvers[1].key],
      signers,
      targets: [toTargetContent(TRUSTED_ROOT_PATH, formatTrustedRoot(trustedRoot))],
      delegated: [toTargetContent(effectivityPath(PLANT, LINE), formatEffectivity(effectivity))],
      now: now - 3 * HOUR_MS,
    });
    const author = await TrustAuthor.open({ directory, initialRoot, files: nodeFiles, signers });
    return new SimReleases({ directory, initialRoot }, people, author, effectivity);
  }

  /** Publishes a release and puts it in effect; approvals are as many as the plan says. */
  async publish(plan: ReleasePlan, now: Instant): Promise<ReleaseManifest> {
    const image = await sealFor(plan, this.#people);
    const sealed = image === null ? null : toSealed(plan.releaseId, image, this.#people);
    const manifest = toManifest(plan, sealed);
    const manifestContent = toTargetContent(releaseManifestPath(plan.releaseId), formatReleaseManifest(manifest));
    const contents = [manifestContent, ...toImageContents(manifest, image ?? plan.image)];
    const staged = this.#author.stageTargets({ add: contents, expiresAt: now + 365 * 24 * HOUR_MS });
    const rule = toRule(plan, now);
    const candidate = await this.#propose(manifest, rule, staged, now - 2 * HOUR_MS);
    const approvals: Envelope[] = [];
    for (const approver of plan.approvers) approvals.push(await approve(candidate, manifest, approver, now - HOUR_MS));
    this.#effectivity = {
      ...this.#effectivity,
      version: this.#effectivity.version + 1,
      rules: [rule, ...this.#effectivity.rules],
    };
    const [first, second] = this.#people.approvers;
    const signatures = [await signStagedMetadata(staged, first.key), await signStagedMetadata(staged, second.key)];
    await this.#author.publish({
      now,
      targets: { staged, signatures },
      contents,
      delegated: {
        add: [
          toTargetContent(effectivityPath(PLANT, LINE), formatEffectivity(this.#effectivity)),
          toTargetContent(candidatePath(plan.releaseId), formatEnvelope(candidate)),
          ...approvals.map((approval, index) =>
            toTargetContent(approvalPath(plan.releaseId, index + 1), formatEnvelope(approval)),
          ),
        ],
      },
    });
    return manifest;
  }

  /** Takes a release back; the rule that names it stays, so that nothing older takes its place. */
  async withdraw(releaseId: string, now: Instant): Promise<void> {
    this.#effectivity = withdrawRelease(this.#effectivity, releaseId, 'a defect was found', now);
    const document = toTargetContent(effectivityPath(PLANT, LINE), formatEffectivity(this.#effectivity));
    await this.#author.publish({ now, delegated: { add: [document] } });
  }

  async #propose(
    manifest: ReleaseManifest,
    effectivity: EffectivityRule,
    staged: { readonly version: number; readonly digest: string },
    proposedAt: Instant,
  ): Promise<Envelope> {
    const { author } = this.#people;
    const subject = { name: 'release.json', digest: { sha256: sha256Hex(formatReleaseManifest(manifest)) } };
    const payload = buildStatement(releaseCandidate, subject, {
      promotionId: `P-${manifest.releaseCounter}`,
      manifest,
      effectivity,
      targets: { version: staged.version, digest: { sha256: staged.digest } },
      proposedBy: { id: author.owner },
      proposedAt: formatInstant(proposedAt),
      expiresAt: formatInstant(proposedAt + 48 * HOUR_MS),
      ticket: 'ECO-1234',
      reason: 'first production release',
    });
    return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [author.key]);
  }
}

async function approve(
  candidate: Envelope,
  manifest: ReleaseManifest,
  approver: Person,
  approvedAt: Instant,
): Promise<Envelope> {
  const subject = { name: 'candidate', digest: { sha256: sha256Hex(candidate.payload) } };
  const payload = buildStatement(releaseApproval, subject, {
    promotionId: `P-${manifest.releaseCounter}`,
    releaseId: manifest.releaseId,
    decision: 'approve',
    approver: { id: approver.owner, role: approver.scope },
    meaning: 'I looked at this release and approve it for production',
    ticket: 'ECO-1234',
    approvedAt: formatInstant(approvedAt),
    expiresAt: formatInstant(approvedAt + 48 * HOUR_MS),
  });
  return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [approver.key]);
}

/** The envelope the release is published in; null for one in clear. The same plan gives the same envelope. */
async function sealFor({ image, counter }: ReleasePlan, { unsealing }: People): Promise<Bytes | null> {
  if (unsealing === undefined) return null;
  const order = { length: image.length, sha256: sha256Hex(image), open: () => Promise.resolve([image]) };
  const seed = new Uint8Array(SEED_BYTES).fill(counter);
  const chunks: Bytes[] = [];
  for await (const chunk of await sealImage(order, [unsealing.publicKey], seed).open()) chunks.push(chunk);
  return concatBytes(...chunks);
}

function toSealed(releaseId: string, envelope: Bytes, { unsealing }: People): SealedImage {
  return {
    targetPath: `images/${releaseId}.bin.cms`,
    mediaType: 'application/cms',
    sha256: sha256Hex(envelope),
    length: envelope.length,
    recipients: unsealing === undefined ? [] : [unsealing.publicKey.keyid],
  };
}

function toManifest(
  { releaseId, counter, image, withLock, withBoot = false, address = 0x1000, releaseClass }: ReleasePlan,
  sealed: SealedImage | null,
): ReleaseManifest {
  return {
    mediaType: 'application/vnd.witnessmark.release.v1+json',
    releaseId,
    version: `4.2.${counter}`,
    releaseCounter: counter,
    ...(releaseClass && { releaseClass }),
    product: { sku: SKU, hwModel: 'gateway', hwVersions: [HW_VERSION] },
    components: [
      {
        name: 'firmware',
        targetPath: `images/${releaseId}.bin`,
        mediaType: 'application/octet-stream',
        sha256: sha256Hex(image),
        length: image.length,
        address,
        version: `4.2.${counter}`,
        securityCounter: counter,
        ...(sealed !== null && { sealed }),
      },
    ],
    recipe: {
      name: 'spi-nor',
      version: '1',
      steps: [
        'program',
        'measure',
        ...(withBoot ? ['bootDigest' as const] : []),
        ...(withLock ? ['lock' as const] : []),
      ],
    },
    labelRule: 'derived',
    notes: '',
    supersedes: null,
  };
}

function toImageContents(manifest: ReleaseManifest, image: Bytes): ReturnType<typeof toTargetContent>[] {
  return manifest.components.map(({ targetPath, sealed }) => toTargetContent(sealed?.targetPath ?? targetPath, image));
}

function toRule({ releaseId, rule }: ReleasePlan, now: Instant): EffectivityRule {
  return {
    sku: SKU,
    hwVersions: [HW_VERSION],
    workOrders: null,
    releaseId,
    eco: 'ECO-1234',
    validFrom: formatInstant(now - 2 * HOUR_MS),
    validUntil: null,
    maxUnits: null,
    ...rule,
  };
}
