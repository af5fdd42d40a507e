// SPDX-License-Identifier: Apache-2.0
/** What goes wrong in factories, done on purpose. Each attempt must end in its refusal, by its code. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatEffectivity, parseEffectivity, parseTrustedRoot, type Effectivity } from '@witnessmark/attestation';
import { RefusedError, type ReasonCode } from '@witnessmark/core';
import { loadSoftwareKey } from '@witnessmark/custody';
import type { UnitResult } from '@witnessmark/station';
import { effectivityPath, nodeFiles, toTargetContent, TrustAuthor } from '@witnessmark/trust';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import type { Judge } from '../judge.ts';
import { checkLog } from '../log-check.ts';
import type { Session } from '../session.ts';
import type { DemoDirectory } from './demo-directory.ts';
import { publishAnyway, releaseFirmware } from './firmware-release.ts';
import type { ShopFloor } from './shop-floor.ts';

const TEN_MINUTES_MS = 10 * 60 * 1000;
/** Somewhere in the middle of every image. */
const FLIPPED_ADDRESS = 0x1234;
const UNAPPROVED_VERSION = '1.1.0';

export interface Stage {
  readonly session: Session;
  readonly floor: ShopFloor;
  readonly people: { readonly author: string; readonly approver: string };
  /** The evidence file of a unit that was verified. */
  readonly evidenceFile: string;
  readonly judge: Judge;
}

/** How an attempt ended; without a code it was not refused. */
interface Outcome {
  readonly code: ReasonCode | null;
  readonly detail: string | null;
}

interface Trouble {
  readonly title: string;
  readonly expected: ReasonCode;
  readonly run: (stage: Stage) => Promise<Outcome>;
  /** Puts right what was done wrong, and says how. */
  readonly repair?: (stage: Stage) => Promise<string>;
}

export const TROUBLES: readonly Trouble[] = [
  {
    title: 'the label of another unit is put on a board',
    expected: 'LS-101',
    run: async ({ floor }) => floor.program(floor.nextBoard(), floor.nextBoard().label),
  },
  {
    title: 'the operator goes on with the next board all the same',
    expected: 'LS-503',
    run: async ({ floor }) => programNext(floor),
    repair: async ({ floor }) => {
      await floor.decide('voidLabel', 'the label roll was swapped; labels destroyed');
      return 'the supervisor voids the label, which is recorded; the station is free again';
    },
  },
  {
    title: "one byte of the image is flipped in the station's cache",
    expected: 'LS-321',
    run: async ({ floor }) => {
      flipByte(findCachedImage(floor), FLIPPED_ADDRESS);
      return programNext(floor);
    },
    repair: ({ floor }) => {
      rmSync(findCachedImage(floor));
      return Promise.resolve('the damaged copy is removed; the station fetches it again');
    },
  },
  {
    title: 'a flash cell holds another bit than was written',
    expected: 'UF-03',
    run: async ({ floor }) => {
      const board = floor.nextBoard();
      const written = (readFileSync(floor.directory.image)[FLIPPED_ADDRESS] ?? 0) & 1;
      board.chip.chip.inject({ stuckBits: [{ address: FLIPPED_ADDRESS, bit: 0, value: written === 1 ? 0 : 1 }] });
      return floor.program(board, board.label);
    },
  },
  {
    title: "the station's clock is set back ten minutes",
    expected: 'LS-301',
    run: async ({ floor }) => {
      floor.clock.offsetMs = -TEN_MINUTES_MS;
      return programNext(floor);
    },
    repair: ({ floor }) => {
      floor.clock.offsetMs = 0;
      return Promise.resolve('the clock is right again');
    },
  },
  {
    title: 'a release with one approval is to be published',
    expected: 'PL-106',
    run: async ({ session, floor, people }) => {
      const { author, approver } = people;
      const { directory } = floor;
      const plan = { imagePath: directory.image, version: UNAPPROVED_VERSION, author, approvers: [approver] };
      const { promotionId } = await releaseFirmware(session, directory, plan);
      return refusalOf(() => publishAnyway(session, directory, promotionId));
    },
  },
  {
    title: 'operations put that release into effect without the approvers',
    expected: 'LS-202',
    run: async ({ session, floor }) => {
      await publishRules(session, floor, (rules) => [
        ...rules.map((rule) => ({ ...rule, releaseId: `${rule.sku}-${UNAPPROVED_VERSION}` })),
        ...rules,
      ]);
      return programNext(floor);
    },
    repair: async ({ session, floor }) => {
      await publishRules(session, floor, (rules) =>
        rules.filter(({ sku, releaseId }) => releaseId !== `${sku}-${UNAPPROVED_VERSION}`),
      );
      return 'the approved release is in effect again';
    },
  },
  {
    title: 'the evidence file of a good unit is edited: another operator',
    expected: 'EV-102',
    run: ({ floor, judge, evidenceFile }) => {
      mkdirSync(floor.directory.trouble, { recursive: true });
      const edited = join(floor.directory.trouble, basename(evidenceFile));
      writeFileSync(edited, editLastRecord(readFileSync(evidenceFile, 'utf8')));
      const { code, checks } = judge(readFile(edited, DOCUMENT_BYTES), basename(edited));
      return Promise.resolve({ code, detail: checks.find((check) => check.code === code)?.detail ?? null });
    },
  },
  {
    title: 'a record is edited in a copy of the log',
    expected: 'LG-102',
    run: async ({ floor }) => {
      await floor.untilPublished();
      const copy = join(floor.directory.trouble, 'log');
      cpSync(floor.directory.log, copy, { recursive: true });
      flipByte(findEntryBundle(copy), FLIPPED_ADDRESS);
      return checkCopy(floor.directory, copy);
    },
  },
];

async function programNext(floor: ShopFloor): Promise<UnitResult> {
  const board = floor.nextBoard();
  return floor.program(board, board.label);
}

async function refusalOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    await work();
    return { code: null, detail: null };
  } catch (error) {
    if (error instanceof RefusedError) return { code: error.code, detail: error.message };
    throw error;
  }
}

/** With the keys of operations alone, as an insider there could. */
async function publishRules(
  { clock }: Session,
  { directory, config }: ShopFloor,
  change: (rules: Effectivity['rules']) => Effectivity['rules'],
): Promise<void> {
  const author = await TrustAuthor.open({
    directory: directory.repository,
    initialRoot: readFile(directory.pinnedRoot, DOCUMENT_BYTES),
    files: nodeFiles,
    signers: {
      online: loadSoftwareKey(directory.key('online')),
      effectivity: loadSoftwareKey(directory.key('effectivity')),
    },
  });
  const { plant, line } = config.values;
  const path = effectivityPath(plant, line);
  const effectivity = parseEffectivity(await author.readTarget(path));
  const next = { ...effectivity, version: effectivity.version + 1, rules: change(effectivity.rules) };
  await author.publish({ now: clock.now(), delegated: { add: [toTargetContent(path, formatEffectivity(next))] } });
}

/** Caches name files by digest; the image is the largest. */
function findCachedImage({ config, directory }: ShopFloor): string {
  const cache = config.pathOf(config.values.trust.cache);
  const { size } = statSync(directory.image);
  // Sealed, it is a little longer, and nothing else is as long.
  const found = readdirSync(cache).find((name) => statSync(join(cache, name)).size >= size);
  if (found === undefined) throw new TypeError('the station has cached no image');
  return join(cache, found);
}

function findEntryBundle(log: string): string {
  const entries = join(log, 'tile', 'entries');
  const partial = join(entries, '000.p');
  const widths = readdirSync(entries).includes('000.p') ? readdirSync(partial).map(Number) : [];
  return widths.length === 0 ? join(entries, '000') : join(partial, String(Math.max(...widths)));
}

function flipByte(file: string, address: number): void {
  const bytes = readFileSync(file);
  const at = address % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ 0x01;
  writeFileSync(file, bytes);
}

/** What a clever editor would do: a well-formed file whose last record names somebody else. */
function editLastRecord(text: string): string {
  const file = JSON.parse(text) as { entries: { envelope: { payload: string } }[] };
  const envelope = file.entries.at(-1)?.envelope;
  if (envelope === undefined) throw new TypeError('the evidence file has no records');
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8')) as {
    predicate: { operator: { id: string } };
  };
  statement.predicate.operator.id = 'somebody else';
  envelope.payload = Buffer.from(JSON.stringify(statement)).toString('base64');
  return JSON.stringify(file);
}

/** What fsck finds first in a copy of the log. */
async function checkCopy(directory: DemoDirectory, copy: string): Promise<Outcome> {
  const trustedRoot = parseTrustedRoot(readFile(directory.trustedRoot, DOCUMENT_BYTES));
  const { findings } = await checkLog({ directory: copy, trustedRoot, hashesOnly: false });
  const [first] = findings;
  return first === undefined
    ? { code: null, detail: null }
    : { code: first.code, detail: `fsck names ${first.object}: ${first.detail}` };
}
