// SPDX-License-Identifier: Apache-2.0
/**
 * Authoring a repository (spec/trust-repository.md): metadata is staged, signed by people elsewhere, and published in an
 * order in which every crash leaves the old repository or the new one.
 */
import type { Metadata, MetaFile, Targets } from '@tufjs/models';
import { parseInstant, RefusedError, type Bytes, type Instant, type PublicKey } from '@witnessmark/core';
import { isSignatureOf, nextRoot, nextTargets, selectContents } from './author-checks.ts';
import type { Files } from './files.ts';
import { DEFAULT_LIFETIMES, type Lifetimes } from './lifetimes.ts';
import { effectivityKeyOf, targetsOf } from './listed-targets.ts';
import { formatMetadata, parseRoot, verifySignatures, type AnySigned } from './metadata.ts';
import {
  buildDelegatedTargets,
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  toMetaFile,
  toRootKeys,
  type RootKeys,
  type ThresholdKeys,
} from './metadata-builder.ts';
import { writePublication } from './publication.ts';
import { listTargets, loadRepository, openTarget, toTrustState, type Repository } from './repository.ts';
import { DirectorySource, type RepositorySource } from './source.ts';
import {
  signMetadata,
  toStagedMetadata,
  type MetadataSignature,
  type MetadataSigner,
  type RepositorySigners,
  type SignedMetadata,
  type StagedMetadata,
} from './staged-metadata.ts';
import { readContent, type TargetContent, type TargetInfo, type TargetReader } from './target-content.ts';
import { EFFECTIVITY_ROLE, metadataFileName } from './target-path.ts';
import type { TrustState } from './trust-state.ts';
import { toTufKey } from './tuf-key.ts';

const TIMESTAMP_FILE = metadataFileName('timestamp', null);

export interface TrustAuthorOptions {
  readonly directory: string;
  /** The pinned root; kept apart from the repository. */
  readonly initialRoot: Bytes;
  readonly files: Files;
  /** Needed to publish, not to read or to stage. */
  readonly signers?: RepositorySigners;
  readonly lifetimes?: Lifetimes;
}

export interface TargetsChange {
  readonly add: readonly TargetInfo[];
  readonly remove?: readonly string[];
  readonly effectivityKey?: PublicKey;
  readonly expiresAt: Instant;
}

export interface RootChange {
  readonly root?: ThresholdKeys;
  readonly targets?: ThresholdKeys;
  readonly online?: PublicKey;
  readonly expiresAt: Instant;
}

export interface Publication {
  readonly now: Instant;
  readonly root?: SignedMetadata;
  readonly targets?: SignedMetadata;
  /** Bytes of the targets that `targets` adds. */
  readonly contents?: readonly TargetContent[];
  readonly delegated?: { readonly add: readonly TargetContent[]; readonly remove?: readonly string[] };
  /** With a root that replaces the online key: the outgoing key signs once more, so that no client is ever in between. */
  readonly outgoingOnline?: MetadataSigner;
}

export class TrustAuthor implements TargetReader {
  readonly #options: TrustAuthorOptions;
  readonly #lifetimes: Lifetimes;
  readonly #source: RepositorySource;
  #repository: Repository;

  private constructor(options: TrustAuthorOptions, source: RepositorySource, repository: Repository) {
    this.#options = options;
    this.#source = source;
    this.#lifetimes = options.lifetimes ?? DEFAULT_LIFETIMES;
    this.#repository = repository;
  }

  /** Reads and checks the repository; throws TR- codes as {@link loadRepository} does. */
  static async open(options: TrustAuthorOptions): Promise<TrustAuthor> {
    const source = new DirectorySource(options.directory, options.files);
    return new TrustAuthor(options, source, await loadRepository(source, options.initialRoot));
  }

  get state(): TrustState {
    return toTrustState(this.#repository);
  }

  get repository(): Repository {
    return this.#repository;
  }

  /** Every target by path, whoever listed it. */
  listTargets(): ReadonlyMap<string, TargetInfo> {
    return listTargets(this.#repository);
  }

  /** The targets that approvers signed, by path. */
  listApprovedTargets(): ReadonlyMap<string, TargetInfo> {
    return targetsOf(this.#repository.targets);
  }

  hasTarget(path: string): Promise<boolean> {
    return Promise.resolve(this.listTargets().has(path));
  }

  async readTarget(path: string): Promise<Bytes> {
    const target = this.listTargets().get(path);
    if (target === undefined) throw new RefusedError('TR-108', `${path} is not a target of the repository`);
    return readContent(target, await openTarget(this.#source, target));
  }

  /** The next targets metadata, for the holders of targets keys to sign. The same change gives the same bytes. */
  stageTargets(change: TargetsChange): StagedMetadata {
    const { signed } = this.#repository.targets;
    const listed = new Map(targetsOf(this.#repository.targets));
    for (const path of change.remove ?? []) listed.delete(path);
    for (const target of change.add) listed.set(target.path, target);
    const effectivityKey = change.effectivityKey ?? effectivityKeyOf(this.#repository.targets);
    return toStagedMetadata(
      'targets',
      buildTargets(listed.values(), effectivityKey, signed.version + 1, change.expiresAt),
    );
  }

  isTargetsKey(publicKey: PublicKey): boolean {
    return this.#repository.root.signed.roles['targets']?.keyIDs.includes(toTufKey(publicKey).keyID) === true;
  }

  /** Whether a holder of a targets key made this signature over the staged bytes. */
  isTargetsSignature(staged: StagedMetadata, signature: MetadataSignature): boolean {
    return isSignatureOf(this.#repository.root.signed, 'targets', staged, signature);
  }

  /** The next root (TUF 5.3.4): to be signed by a threshold of the old and of the new holders of root keys. */
  stageRoot({ expiresAt, ...keys }: RootChange): StagedMetadata {
    const { root } = this.#repository;
    return toStagedMetadata(
      'root',
      buildRoot({ ...toRootKeys(root.signed), ...keys }, root.signed.version + 1, expiresAt),
    );
  }

  /** The keys of the root in force. */
  get rootKeys(): RootKeys {
    return toRootKeys(this.#repository.root.signed);
  }

  /** The key that signs what applies where. */
  get effectivityKey(): PublicKey {
    return effectivityKeyOf(this.#repository.targets);
  }

  /** Whether a holder of a root key, old or new, made this signature over a staged root. */
  isRootSignature(staged: StagedMetadata, signature: MetadataSignature): boolean {
    return [this.#repository.root, parseRoot(staged.document)].some((root) =>
      isSignatureOf(root.signed, 'root', staged, signature),
    );
  }

  /** Whether a holder of a targets key, of the root in force or of a staged one, signed the staged targets. */
  isTargetsSignatureUnder(root: StagedMetadata, staged: StagedMetadata, signature: MetadataSignature): boolean {
    return (
      this.isTargetsSignature(staged, signature) ||
      isSignatureOf(parseRoot(root.document).signed, 'targets', staged, signature)
    );
  }

  /**
   * Makes the change visible, completely or not at all, and signs snapshot and timestamp anew; without a change it only
   * keeps them fresh. May be repeated after any failure. Throws TR-101, TR-104, TR-105, TR-106 or TR-107 before anything
   * becomes visible.
   */
  async publish(publication: Publication): Promise<TrustState> {
    const next = await this.#build(publication);
    const contents = [...(publication.contents ?? []), ...(publication.delegated?.add ?? [])];
    await writePublication({
      directory: this.#options.directory,
      files: this.#options.files,
      contents: selectContents(this.#repository, next, contents),
      // A new root comes last: everything before it verifies under the old root as well.
      groups: [pick(next.files, isVersioned), pick(next.files, isTimestamp), pick(next.files, isRootFile)],
    });
    this.#repository = { ...next, files: new Map([...pick(this.#repository.files, isRootFile), ...next.files]) };
    return this.state;
  }

  /** The repository after the change, checked; `files` holds what is new in it. */
  async #build(publication: Publication): Promise<Repository> {
    const current = this.#repository;
    const signers = this.#signers();
    const files = new Map<string, Bytes>();
    const addVersioned = (role: string, metadata: Metadata<AnySigned>): MetaFile => {
      const bytes = formatMetadata(metadata);
      files.set(metadataFileName(role, metadata.signed.version), bytes);
      return toMetaFile(metadata.signed.version, bytes);
    };

    const root = publication.root === undefined ? current.root : nextRoot(current, publication.root);
    const targets = publication.targets === undefined ? current.targets : nextTargets(current, publication.targets);
    const effectivity = await this.#nextEffectivity(publication, targets, signers.effectivity);
    if (root !== current.root) addVersioned('root', root);
    const listed = { ...current.snapshot.signed.meta };
    if (targets !== current.targets) listed['targets.json'] = addVersioned('targets', targets);
    if (effectivity !== current.effectivity) {
      listed[`${EFFECTIVITY_ROLE}.json`] = addVersioned(EFFECTIVITY_ROLE, effectivity);
    }

    const { now, outgoingOnline } = publication;
    const online = outgoingOnline === undefined ? [signers.online] : [outgoingOnline, signers.online];
    const snapshot = await signMetadata(
      buildSnapshot(listed, current.snapshot.signed.version + 1, now + this.#lifetimes.snapshot),
      online,
    );
    const timestamp = await signMetadata(
      buildTimestamp(
        addVersioned('snapshot', snapshot),
        current.timestamp.signed.version + 1,
        now + this.#lifetimes.timestamp,
      ),
      online,
    );
    files.set(TIMESTAMP_FILE, formatMetadata(timestamp));

    // A client that has the new root and one that has not yet must both find what they can verify.
    for (const authority of new Set([current.root, root])) {
      verifySignatures(authority, 'targets', targets);
      verifySignatures(authority, 'snapshot', snapshot);
      verifySignatures(authority, 'timestamp', timestamp);
    }
    verifySignatures(targets, EFFECTIVITY_ROLE, effectivity);
    return { root, timestamp, snapshot, targets, effectivity, files };
  }

  async #nextEffectivity(
    publication: Publication,
    targets: Metadata<Targets>,
    signer: MetadataSigner,
  ): Promise<Metadata<Targets>> {
    const { effectivity } = this.#repository;
    const { delegated, now } = publication;
    const hasOtherKey = effectivityKeyOf(targets).keyid !== effectivityKeyOf(this.#repository.targets).keyid;
    const isWorn = parseInstant(effectivity.signed.expires) - now < this.#lifetimes.effectivity / 2;
    if (delegated === undefined && !hasOtherKey && !isWorn) return effectivity;
    const listed = new Map(targetsOf(effectivity));
    for (const path of delegated?.remove ?? []) listed.delete(path);
    for (const { path, length, sha256 } of delegated?.add ?? []) {
      const role = targets.signed.delegations?.roles?.[EFFECTIVITY_ROLE];
      if (role?.isDelegatedPath(path) !== true)
        throw new RefusedError('TR-108', `${path} is not for operations to list`);
      listed.set(path, { path, length, sha256 });
    }
    return signMetadata(
      buildDelegatedTargets(listed.values(), effectivity.signed.version + 1, now + this.#lifetimes.effectivity),
      [signer],
    );
  }

  #signers(): RepositorySigners {
    if (this.#options.signers === undefined) throw new TypeError('publishing needs the online and effectivity signers');
    return this.#options.signers;
  }
}

function pick(files: ReadonlyMap<string, Bytes>, isWanted: (name: string) => boolean): ReadonlyMap<string, Bytes> {
  return new Map([...files].filter(([name]) => isWanted(name)));
}

function isRootFile(name: string): boolean {
  return name.endsWith('.root.json');
}

function isTimestamp(name: string): boolean {
  return name === TIMESTAMP_FILE;
}

function isVersioned(name: string): boolean {
  return !isRootFile(name) && !isTimestamp(name);
}
