// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  encodeBase64,
  encodeUtf8,
  formatEnvelope,
  formatJson,
  parseStrictJson,
  STATEMENT_PAYLOAD_TYPE,
  toNoteVerifierKey,
  type Bytes,
} from '@witnessmark/core';
import { generateSoftwareKey, NoteSigner, signEnvelope } from '@witnessmark/custody';
import { ceremony as ceremonyPredicate, parseStatement } from '@witnessmark/attestation';
import {
  formatTranscriptFile,
  MAX_TRANSCRIPT_FILE_BYTES,
  parseTranscriptFile,
  replayTranscript,
  type ReplayOptions,
  type TranscriptFile,
} from '@witnessmark/ceremony';
import { formatCheckpoint, formatLogProof, hashLeaf } from '@witnessmark/tlog';
import { expectRefusal, transcriptOf } from './support/run.ts';
import { KEYS, script, SETTINGS, type Draft } from './support/scene.ts';
import { VOUCHED } from './support/vouched.ts';

const OPTIONS: ReplayOptions = { vouched: VOUCHED, logKeys: [], allowUnlogged: true };
const FILE = await transcriptOf();

const judge = (file: TranscriptFile | Bytes, options: Partial<ReplayOptions> = {}): readonly string[] => {
  const bytes = file instanceof Uint8Array ? file : formatTranscriptFile(file);
  const { verdict, checks } = replayTranscript(bytes, { ...OPTIONS, ...options });
  const bad = checks.filter(({ outcome }) => outcome !== 'passed');
  return [verdict, ...bad.map(({ check, outcome, code }) => `${check} ${outcome} ${code ?? ''}`)];
};

const sign = async (payload: Bytes): Promise<TranscriptFile['envelope']> =>
  signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [KEYS.administrator, KEYS.witness]);

const edit = (bytes: Bytes, change: (text: string) => string): Bytes =>
  encodeUtf8(change(Buffer.from(bytes).toString()));

describe('a transcript', () => {
  it('is what script and journal give, signed by both', () => {
    expect(judge(FILE)).toEqual(['VERIFIED']);
    const { subject, predicate } = parseStatement(ceremonyPredicate, FILE.envelope.payload);
    expect(predicate).toMatchObject({
      outcome: 'completed',
      people: SETTINGS.people.map(({ id, role }) => ({ id, role })),
      keys: [{ step: 'make-key', change: 'made', holder: 's.kim', grade: 'selfReported' }],
      open: [],
    });
    expect(subject).toEqual([{ name: 'approver', digest: { sha256: predicate.keys[0]!.keyid } }]);
  });

  it('is about its script where no key was touched', async () => {
    const reviewed = script((draft) => draft.steps.splice(1, 1));
    const { envelope } = await transcriptOf({ reviewed });
    const { subject } = parseStatement(ceremonyPredicate, envelope.payload);
    expect(subject).toEqual([{ name: 'test-root', digest: { sha256: reviewed.sha256 } }]);
  });

  it('A39: carries the mark of a rehearsal', async () => {
    const settings = { ...SETTINGS, environment: { simulated: true, rehearsal: true } };
    const file = await transcriptOf({ settings });
    expect(judge(file, { allowUnlogged: false })).toEqual(['VERIFIED']);
    expect(parseStatement(ceremonyPredicate, file.envelope.payload).predicate.environment.rehearsal).toBe(true);
  });

  it('is NOT VERIFIED as long as nobody vouches for the signers', () => {
    expect(judge(FILE, { vouched: [] })).toEqual(['NOT VERIFIED', 'people notVerified CE-125']);
    expect(judge(FILE, { vouched: VOUCHED.slice(0, 1) })).toEqual(['NOT VERIFIED', 'people notVerified CE-125']);
    const swapped = VOUCHED.map((key) => ({ ...key, owner: key.owner === 'j.abe' ? 'a.rossi' : 'j.abe' }));
    expect(judge(FILE, { vouched: swapped })).toEqual(['NOT VERIFIED', 'people notVerified CE-125']);
    const over = VOUCHED.map((key) => ({ ...key, validUntil: 1 }));
    expect(judge(FILE, { vouched: over })).toEqual(['NOT VERIFIED', 'people notVerified CE-125']);
  });

  it('is NOT VERIFIED while it is in no log', () => {
    expect(judge(FILE, { allowUnlogged: false })).toEqual(['NOT VERIFIED', 'log notVerified CE-128']);
  });
});

describe('a transcript that was changed', () => {
  const stranger = generateSoftwareKey('ecdsa-sha2-nistp256');

  it.each<[string, () => TranscriptFile | Promise<TranscriptFile>, string]>([
    [
      'without the witness',
      () => ({ ...FILE, envelope: { ...FILE.envelope, signatures: FILE.envelope.signatures.slice(0, 1) } }),
      'signatures failed CE-122',
    ],
    [
      'with the administrator signing twice',
      () => ({
        ...FILE,
        envelope: { ...FILE.envelope, signatures: [FILE.envelope.signatures[0]!, FILE.envelope.signatures[0]!] },
      }),
      'signatures failed CE-122',
    ],
    [
      'signed by a stranger in the place of the witness',
      async () => ({
        ...FILE,
        envelope: await signEnvelope(STATEMENT_PAYLOAD_TYPE, FILE.envelope.payload, [KEYS.administrator, stranger]),
      }),
      'signatures failed CE-122',
    ],
    [
      'with another result, signed by both',
      async () => ({
        ...FILE,
        envelope: await sign(edit(FILE.envelope.payload, (text) => text.replace('room K2', 'room K3'))),
      }),
      'statement failed CE-123',
    ],
    [
      'with an exception left out, signed by both',
      async () => {
        const file = await transcriptOf({}, { secret: pinsOnce() });
        return {
          ...file,
          envelope: await sign(
            edit(file.envelope.payload, (text) => text.replace(/"exceptions":\[.*?\]/, '"exceptions":[]')),
          ),
        };
      },
      'statement failed CE-123',
    ],
  ])('fails %s', async (_what, make, finding) => {
    const verdict = judge(await make());
    expect(verdict[0]).toBe('FAILED');
    expect(verdict).toContain(finding);
  });

  it.each<[string, (file: TranscriptFile) => TranscriptFile]>([
    [
      'a changed journal',
      (file) => ({ ...file, journal: edit(file.journal, (text) => text.replace('ECO-7731', 'ECO-7732')) }),
    ],
    ['a journal with bytes behind its end', (file) => ({ ...file, journal: edit(file.journal, (text) => `${text}x`) })],
    [
      'a journal without its end',
      (file) => ({ ...file, journal: edit(file.journal, (text) => text.split('\n').slice(0, -2).join('\n') + '\n') }),
    ],
    ['no journal', (file) => ({ ...file, journal: new Uint8Array(0) })],
    ['another script', (file) => ({ ...file, script: script((draft) => (draft.title = 'Another')).bytes })],
    ['a script that is none', (file) => ({ ...file, script: encodeUtf8('{}') })],
  ])('fails with %s', (_what, change) => {
    expect(judge(change(FILE))).toEqual(['FAILED', 'journal failed CE-123']);
  });

  it.each<[string, (value: Draft) => unknown]>([
    ['an unknown member', (value) => ({ ...value, note: 'x' })],
    ['another media type', (value) => ({ ...value, mediaType: 'x' })],
    ['no envelope', (value) => ({ ...value, envelope: null })],
    ['a script that is not base64', (value) => ({ ...value, script: '@@' })],
    ['a proof that is a number', (value) => ({ ...value, logProof: 7 })],
  ])('cannot be judged with %s', (_what, change) => {
    const value = change(parseStrictJson(formatTranscriptFile(FILE)));
    expect(judge(formatJson(value as never))).toEqual(['NOT VERIFIED', 'file notVerified CE-121']);
  });

  it('has its limit of bytes, and one more cannot be judged', async () => {
    const bytes = formatTranscriptFile(FILE);
    const padded = (length: number): Bytes => encodeUtf8(Buffer.from(bytes).toString().padEnd(length, ' '));
    expect(judge(padded(MAX_TRANSCRIPT_FILE_BYTES))).toEqual(['VERIFIED']);
    await expectRefusal('CE-121', () => parseTranscriptFile(padded(MAX_TRANSCRIPT_FILE_BYTES + 1)));
  });
});

describe('the proof that a transcript is logged', () => {
  const logKey = generateSoftwareKey('ed25519');
  const verifierKey = toNoteVerifierKey('example.org/office', logKey.publicKey);
  const otherKey = toNoteVerifierKey('example.org/other', generateSoftwareKey('ed25519').publicKey);
  const prove = async (file: TranscriptFile): Promise<string> => {
    const rootHash = hashLeaf(formatEnvelope(file.envelope));
    const checkpoint = formatCheckpoint({ origin: 'example.org/office', treeSize: 1, rootHash });
    return formatLogProof({
      index: 0,
      proof: [],
      checkpoint: await new NoteSigner('example.org/office', logKey).sign(checkpoint),
    });
  };
  const options = { allowUnlogged: false, logKeys: [otherKey, verifierKey] };

  it('verifies with a log key of the reader', async () => {
    expect(judge({ ...FILE, logProof: await prove(FILE) }, options)).toEqual(['VERIFIED']);
  });

  it('fails for another transcript, and when it is no proof', async () => {
    const other = await transcriptOf();
    expect(judge({ ...FILE, logProof: await prove(other) }, options)).toEqual(['FAILED', 'log failed CE-124']);
    expect(judge({ ...FILE, logProof: 'no proof' }, options)).toEqual(['FAILED', 'log failed CE-124']);
  });

  it('cannot be told without a log key', async () => {
    const logged = { ...FILE, logProof: await prove(FILE) };
    expect(judge(logged, { logKeys: [otherKey] })).toEqual(['NOT VERIFIED', 'log notVerified CE-128']);
    expect(encodeBase64(encodeUtf8('x'))).toBe('eA==');
  });
});

function pinsOnce(): () => string {
  const pins = ['wrong'];
  return () => pins.pop() ?? 'correct horse';
}
