// SPDX-License-Identifier: Apache-2.0
/**
 * Offline verification against the bare rate of the signatures in the same files, measured in the same run:
 * `node --conditions=@witnessmark/source bench/verify.ts [units]`.
 */
import { encodeUtf8, isSignedBy, parseNote, preAuthEncoding, type Bytes, type PublicKey } from '@witnessmark/core';
import { toTrustedKeys } from '@witnessmark/attestation';
import { formatUnitEvidence, type UnitEvidence } from '@witnessmark/bundle';
import { parseLogProof } from '@witnessmark/tlog';
import { Verifier } from '@witnessmark/verify';
import {
  CALENDAR,
  draftManifest,
  EvidenceWorld,
  LOG_KEYS,
  PRODUCTION_POLICY,
  testDevice,
  testTrustedRoot,
} from '../testing/world/src/evidence/index.ts';
import { numberArgument } from './arguments.ts';

const UNITS = numberArgument(300);
/** Entries of other units, so that proofs have the length they have in a factory's log. */
const OTHER_ENTRIES = 100_000;
/** Until the compiler has settled. */
const WARM_UP_ROUNDS = 4;
const ROUNDS = 7;
const TURN = 20;
const GOAL = { single: 0.6, bulk: 0.8 };

interface Signature {
  readonly key: PublicKey;
  readonly message: Bytes;
  readonly sig: Bytes;
}

interface File {
  readonly bytes: Bytes;
  readonly signatures: readonly Signature[];
}

const trust = { trustedRoot: testTrustedRoot(), policy: PRODUCTION_POLICY };
const keys = new Map(toTrustedKeys(trust.trustedRoot).map(({ key }) => [key.keyid, key]));
const strangers = await makeStrangers();
const lot = await makeLot();

/** Seconds of whole rounds, by what is done: kernels count a thread's time in steps of milliseconds, too coarse for a turn. */
const results: Record<string, number[]> = {};
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round += 1) {
  if (round === WARM_UP_ROUNDS) for (const what of Object.keys(results)) results[what] = [];
  for (const what of ['bare', 'single', 'bulk']) (results[what] ??= []).push(0);
  const verifier = new Verifier(trust);
  const bulk = new Verifier(trust);
  // In short turns, so that whatever else the machine does slows all of them alike.
  for (let start = 0; start < UNITS; start += TURN) {
    const turn = strangers.slice(start, start + TURN);
    const lotTurn = lot.slice(start, start + TURN);
    measure('bare', turn, ({ signatures }) => signatures.forEach(checkSignature));
    measure('single', turn, ({ bytes }) => inspect(verifier, bytes));
    measure('bulk', lotTurn, ({ bytes }) => inspect(bulk, bytes));
  }
}
results['prepare'] = [0];
measure('prepare', lot, () => new Verifier(trust));

const [example] = strangers;
const perFile = example?.signatures.length ?? 0;
const bare = median('bare');
console.log(
  `${UNITS} files of ${example?.bytes.length ?? 0} bytes, ${perFile} signatures each, log of ${OTHER_ENTRIES} entries`,
);
console.log(`bare signatures  ${format(bare)} files/s  (${format(bare * perFile)} signatures/s)`);
report('one file', median('single'), GOAL.single);
report('in bulk', median('bulk'), GOAL.bulk);
console.log(`a trusted root and a policy are decoded ${format(median('prepare'))} times/s, once per verifier`);

/** Files that have nothing in common: release, session and checkpoint are each file's own, so nothing can be remembered. */
async function makeStrangers(): Promise<readonly File[]> {
  const world = new EvidenceWorld();
  world.log.fill(OTHER_ENTRIES);
  const files: File[] = [];
  for (let index = 0; index < UNITS; index += 1) {
    const release = await world.release({ manifest: draftManifest(`gateway-5.${index}.0`, 50) });
    const session = await world.openSession();
    const unit = world.unit(testDevice(`stranger ${index}`));
    await world.pass(unit, { session, release });
    files.push(toFile(await world.evidence(unit)));
  }
  return files;
}

/** Files of one lot: one release, one session, one checkpoint. */
async function makeLot(): Promise<readonly File[]> {
  const world = new EvidenceWorld();
  world.log.fill(OTHER_ENTRIES);
  const release = await world.release();
  const session = await world.openSession();
  const units = Array.from({ length: UNITS }, (_, index) => world.unit(testDevice(`lot ${index}`)));
  for (const unit of units) await world.pass(unit, { session, release });
  const files: File[] = [];
  for (const unit of units) files.push(toFile(await world.evidence(unit)));
  return files;
}

function toFile(evidence: UnitEvidence): File {
  return { bytes: formatUnitEvidence(evidence), signatures: signaturesOf(evidence) };
}

/** Every signature that the verifier has to check in a file: of each envelope, and of each checkpoint once. */
function signaturesOf({ entries, releases }: UnitEvidence): readonly Signature[] {
  const envelopes = [
    ...entries.map(({ envelope }) => envelope),
    ...releases.flatMap(({ candidate, approvals }) => [candidate, ...approvals]),
  ];
  const statements = envelopes.flatMap((envelope) =>
    envelope.signatures.map(({ keyid, sig }) => ({
      key: keys.get(keyid) as PublicKey,
      message: preAuthEncoding(envelope.payloadType, envelope.payload),
      sig,
    })),
  );
  const checkpoints = new Set(entries.map(({ proof }) => new TextDecoder().decode(parseLogProof(proof).checkpoint)));
  const heads = [...checkpoints].map((text) => {
    const note = parseNote(encodeUtf8(text));
    const sig = note.signatures[0]?.signature as Bytes;
    return { key: LOG_KEYS.line.verifierKey.publicKey, message: encodeUtf8(note.text), sig };
  });
  return [...statements, ...heads];
}

function checkSignature({ key, message, sig }: Signature): void {
  if (!isSignedBy(key, message, sig)) throw new Error('a signature of the bench does not verify');
}

function inspect(verifier: Verifier, bytes: Bytes): void {
  const { verdict, code } = verifier.inspect(bytes, CALENDAR.checkedAt);
  if (verdict !== 'VERIFIED') throw new Error(`a file of the bench is ${verdict} ${code ?? ''}`);
}

function measure(what: string, turn: readonly File[], work: (file: File) => void): void {
  const start = process.threadCpuUsage();
  turn.forEach(work);
  const { user, system } = process.threadCpuUsage(start);
  const sums = results[what] ?? [];
  sums[sums.length - 1] = (sums.at(-1) ?? 0) + (user + system) / 1e6;
}

/** Files per second of the median round. */
function median(what: string): number {
  const values = (results[what] ?? []).toSorted((left, right) => left - right);
  return UNITS / (values[Math.floor(values.length / 2)] ?? Infinity);
}

function report(what: string, value: number, goal: number): void {
  const ratio = value / bare;
  const judgement = ratio >= goal ? 'met' : 'MISSED';
  console.log(
    `${what.padEnd(15)}  ${format(value)} files/s  ${(100 * ratio).toFixed(0)} % of bare, goal ${100 * goal} %: ${judgement}`,
  );
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en');
}
