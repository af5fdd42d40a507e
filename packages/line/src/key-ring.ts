// SPDX-License-Identifier: Apache-2.0
/** Who signed: the keys of the trusted root that a line believes, and nobody's word for it. */
import {
  isSignedBy,
  preAuthEncoding,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
  type Instant,
  type PublicKey,
} from '@witnessmark/core';
import { isValidAt, toTrustedKeys, type TrustedKey, type TrustedRoot } from '@witnessmark/attestation';
import { ensure, LineRefusal } from './error.ts';

/** More people sign nothing that a line logs. */
const MAX_SIGNERS = 4;
const ROLES_APART: ReadonlySet<TrustedKey['role']> = new Set(['author', 'approver']);

/** Whether a signature of `envelope` was made by `key`; in other threads where there are any. */
export type SignatureCheck = (envelope: Envelope, key: PublicKey) => Promise<boolean>;

/** In the thread that asks. */
// eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous because worker threads are
export const checkSignatureHere: SignatureCheck = async ({ payloadType, payload, signatures }, key) =>
  signatures.some(({ sig }) => isSignedBy(key, preAuthEncoding(payloadType, payload), sig));

export class KeyRing {
  readonly version: number;
  readonly keys: readonly TrustedKey[];
  readonly #byKeyid: ReadonlyMap<string, TrustedKey>;
  readonly #stations: ReadonlyMap<string, readonly TrustedKey[]>;
  readonly #line: string;

  /** Throws the `ERR_KEY_*` codes of a key that cannot be believed. */
  constructor(root: TrustedRoot, line: string) {
    this.version = root.version;
    this.keys = toTrustedKeys(root);
    this.#byKeyid = new Map(this.keys.map((entry) => [entry.key.keyid, entry]));
    this.#stations = Map.groupBy(
      this.keys.filter((entry) => isStationOf(entry, line)),
      ({ owner }) => owner,
    );
    this.#line = line;
  }

  find(keyid: string): TrustedKey | null {
    return this.#byKeyid.get(keyid) ?? null;
  }

  /** The keys that countersign for this line, valid then. */
  evidenceKeys(at: Instant): readonly PublicKey[] {
    return this.keys.flatMap((entry) =>
      entry.role === 'evidence' && entry.scope === this.#line && isValidAt(entry, at) ? [entry.key] : [],
    );
  }

  /** Whether a key of this line that is valid then belongs to the station. */
  isStation(id: string, at: Instant): boolean {
    return this.#stations.get(id)?.some((entry) => isValidAt(entry, at)) ?? false;
  }

  /** The roles of a person, by keys valid then, that nobody has who operates . */
  rolesApart(person: string, at: Instant): readonly TrustedKey['role'][] {
    return this.keys
      .filter((entry) => entry.owner === person && isValidAt(entry, at) && ROLES_APART.has(entry.role))
      .map(({ role }) => role);
  }

  /** Stations of this line, valid then. */
  stations(at: Instant): readonly string[] {
    return [...this.#stations.keys()].filter((id) => this.isStation(id, at));
  }

  /**
   * The enrolled keys, valid now, that the envelope's signatures name; whether they made them is still to be checked. Key
   * ids are needed here: trying every key would let anybody spend the line's time. Throws LS-502.
   */
  claimedSigners(envelope: Envelope, now: Instant): readonly [TrustedKey, ...TrustedKey[]] {
    const { payloadType, signatures } = envelope;
    ensure(payloadType === STATEMENT_PAYLOAD_TYPE, 'LS-502', STATEMENT_PAYLOAD_TYPE, payloadType);
    const [first, ...others] = signatures;
    if (first === undefined || others.length >= MAX_SIGNERS) {
      throw new LineRefusal('LS-502', `1 to ${MAX_SIGNERS} signatures`, `${signatures.length}`);
    }
    const signer = this.#claimed(first.keyid, now);
    if (others.length === 0) return [signer];
    const cosigners = others.map(({ keyid }) => this.#claimed(keyid, now));
    const isRepeated = new Set([signer, ...cosigners]).size < signatures.length;
    ensure(!isRepeated, 'LS-502', 'signatures of different keys', 'two of one key');
    return [signer, ...cosigners];
  }

  #claimed(keyid: string, now: Instant): TrustedKey {
    const signer = this.find(keyid);
    if (signer === null) throw new LineRefusal('LS-502', 'an enrolled key', 'a key nobody enrolled');
    ensure(isValidAt(signer, now), 'LS-502', `a key of ${signer.owner} that is valid now`, 'one that is not');
    return signer;
  }

  /** Throws LS-502 unless the key is that of a station of this line. */
  requireStation(signer: TrustedKey): void {
    ensure(
      isStationOf(signer, this.#line),
      'LS-502',
      `the key of a station of ${this.#line}`,
      `a key of role ${signer.role} of ${signer.scope}`,
    );
  }
}

function isStationOf({ role, scope }: TrustedKey, line: string): boolean {
  return role === 'station' && scope === line;
}
