// SPDX-License-Identifier: Apache-2.0
/** The demo from beginning to end. Every verdict it prints is the offline verifier's, from the evidence file alone. */
import { copyFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { buildSampleImage, DEVICE_PROFILES, type DeviceProfile } from '@witnessmark/device';
import type { CommandResult } from '../command.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT, worstOf, type ExitCode } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { prepareJudge, type Judge } from '../judge.ts';
import { Progress } from '../progress.ts';
import { formatVerdict, VERDICT_EXITS } from '../report-text.ts';
import type { Session } from '../session.ts';
import { createSite, type SitePlan } from '../site.ts';
import { exitCodeOfUnit, formatUnit, toUnitDocument } from '../unit-text.ts';
import { DemoDirectory } from './demo-directory.ts';
import { releaseFirmware } from './firmware-release.ts';
import { findFreePort } from './free-port.ts';
import { showNextSteps } from './next-steps.ts';
import { Serving } from './serving.ts';
import { ShopFloor } from './shop-floor.ts';
import { showTroubles, type ShownTrouble } from './trouble-show.ts';

interface StoryPlan {
  readonly data: string;
  readonly units: number;
  readonly image: string | undefined;
  readonly isHeadless: boolean;
}

const VERSION = '1.0.0';
const PREFERRED_PORT = 7300;

const SITE: Omit<SitePlan, 'listen'> = {
  plant: 'demo-plant',
  line: 'line-1',
  station: 'station-1',
  author: 'alex',
  approvers: [
    { name: 'anna', role: 'release' },
    { name: 'ben', role: 'security' },
    { name: 'chris', role: 'quality' },
  ],
  operator: 'olga',
  supervisor: 'sam',
  product: { sku: 'GW-210', hwModel: 'gateway-210', hwVersion: 'A' },
};

export async function runStory(session: Session, plan: StoryPlan): Promise<CommandResult> {
  const { output, clock } = session;
  const startedMs = clock.monotonic();
  const profile = chooseProfile(plan.image);
  const directory = DemoDirectory.claim(plan.data);
  output.data(`witnessmark demo ${session.version}: everything stays in ${plan.data}`);
  await makeSite(session, directory);
  await makeRelease(session, directory, plan.image);

  const line = await Serving.start(['line', 'serve', '--data', directory.path]);
  try {
    output.data(`  line server   ${line.place}, a process of its own`);
    const { units, troubles } = await workShift(session, plan, { directory, lineUrl: line.place, profile });
    const seconds = ((clock.monotonic() - startedMs) / 1000).toFixed(1);
    const document = { data: directory.path, lineUrl: line.place, units: units.map((unit) => unit.document), troubles };
    const exit = worstOf([...units.map((unit) => unit.exit), ...troubles.map(exitCodeOfTrouble)]);
    const verified = units.filter((unit) => unit.exit === EXIT.yes).length;
    const refused = troubles.filter(({ isRefused }) => isRefused).length;
    const counts = [
      `${verified} of ${plan.units} units VERIFIED`,
      ...(troubles.length === 0 ? [] : [`${refused} of ${troubles.length} troubles refused`]),
    ];
    output.verdict(`${counts.join(', ')}, ${seconds} s`);
    const [first] = units;
    if (plan.isHeadless || exit !== EXIT.yes || first?.file === undefined) return { exit, document };
    showNextSteps(output, { data: plan.data, lineUrl: line.place, evidenceFile: first.file, serial: first.serial });
    await untilEnd(session, line);
    return { exit, document };
  } finally {
    await line.stop();
  }
}

interface Shift {
  readonly units: readonly MadeUnit[];
  readonly troubles: readonly ShownTrouble[];
}

/** What happens at the station; it is free for others afterwards. */
async function workShift(
  session: Session,
  plan: StoryPlan,
  place: { readonly directory: DemoDirectory; readonly lineUrl: string; readonly profile: DeviceProfile },
): Promise<Shift> {
  const { output, clock, terminal } = session;
  const { author, operator, supervisor } = SITE;
  const progress = new Progress({ terminal, output, clock });
  const floor = await ShopFloor.open({ ...place, session, progress, operator, supervisor });
  try {
    output.data(`  station       ${SITE.station} with a simulated ${place.profile.model}; ${operator} is signed in`);
    const units = await makeUnits(session, floor, plan.units);
    const evidenceFile = units.find(({ exit }) => exit === EXIT.yes)?.file;
    if (plan.isHeadless || evidenceFile === undefined) return { units, troubles: [] };
    const people = { author, approver: 'anna' };
    const judge = makeJudge(session, place.directory);
    return { units, troubles: await showTroubles({ session, floor, people, evidenceFile, judge }) };
  } finally {
    progress.end('failed');
    floor.close();
  }
}

function exitCodeOfTrouble({ isRefused }: ShownTrouble): ExitCode {
  return isRefused ? EXIT.yes : EXIT.no;
}

async function makeSite({ output, clock }: Session, directory: DemoDirectory): Promise<void> {
  const listen = { host: '127.0.0.1', port: await findFreePort(PREFERRED_PORT) };
  const { keys } = await createSite(directory, { ...SITE, listen }, clock.now());
  output.data(`  site          ${keys.length} keys made now, marked as software keys: production policies refuse them`);
  output.data(`  trust root    ${SITE.approvers.map(({ name }) => name).join(', ')}; two of three must agree`);
}

async function makeRelease(session: Session, directory: DemoDirectory, image: string | undefined): Promise<void> {
  if (image === undefined) {
    writeFileSync(
      directory.image,
      buildSampleImage({ version: VERSION, securityCounter: 1, seed: 'witnessmark demo' }),
    );
  } else copyFileSync(image, directory.image);
  const approvers = ['anna', 'ben'];
  const plan = { imagePath: directory.image, version: VERSION, author: SITE.author, approvers };
  const { state, proposal, detail } = await releaseFirmware(session, directory, plan);
  if (state !== 'promoted') throw new CliError('ERR_CLI_DEMO_DIRECTORY', `the release is ${state}: ${detail}`);
  const size = `${statSync(directory.image).size} bytes`;
  const from = image === undefined ? 'the bundled sample image' : basename(image);
  session.output.data(`  release       ${proposal?.releaseId ?? ''} from ${from}, ${size}`);
  session.output.data(`                proposed by ${SITE.author}, approved by ${approvers.join(' and ')}, published`);
}

interface MadeUnit {
  readonly exit: ExitCode;
  readonly serial: string;
  readonly file: string | undefined;
  readonly document: Readonly<Record<string, unknown>>;
}

/** One after the other: program, write the evidence file, and let the verifier judge what was written. */
async function makeUnits(session: Session, floor: ShopFloor, count: number): Promise<readonly MadeUnit[]> {
  const { output, signal } = session;
  const made: MadeUnit[] = [];
  for (let number = 1; number <= count; number += 1) {
    signal.throwIfAborted();
    const board = floor.nextBoard();
    output.data('');
    output.data(`Unit ${number} of ${count}   label ${board.label}`);
    const result = await floor.program(board, board.label);
    for (const line of formatUnit(output, result)) output.data(line);
    if (result.phase !== 'passed') {
      made.push({
        exit: exitCodeOfUnit(result),
        serial: board.label,
        file: undefined,
        document: toUnitDocument(result),
      });
      continue;
    }
    const file = await floor.keepEvidence(result);
    const report = makeJudge(session, floor.directory)(readFile(file, DOCUMENT_BYTES), basename(file));
    const passes = report.checks.filter(({ outcome }) => outcome === 'pass').length;
    output.data(`  offline verifier: ${passes} checks passed on ${file}`);
    output.data(formatVerdict(output, report));
    const { verdict, code } = report;
    const document = { ...toUnitDocument(result), evidence: file, verdict, verdictCode: code };
    made.push({ exit: VERDICT_EXITS[verdict], serial: board.label, file, document });
  }
  output.data('');
  return made;
}

function makeJudge(session: Session, directory: DemoDirectory): Judge {
  return prepareJudge(session, { trust: directory.trustedRoot, policy: directory.policy }, session.clock.now());
}

/** The smallest board that holds the image. */
function chooseProfile(image: string | undefined): DeviceProfile {
  const sorted = [...DEVICE_PROFILES].sort((left, right) => left.sizeBytes - right.sizeBytes);
  const [smallest] = sorted;
  const size = image === undefined ? 0 : statSync(image).size;
  const profile = sorted.find(({ sizeBytes }) => size <= sizeBytes);
  if (profile !== undefined && smallest !== undefined) return profile;
  throw usageError(`--image has ${size} bytes; the largest board holds ${sorted.at(-1)?.sizeBytes ?? 0}`);
}

/** Until Ctrl-C, or until the line ends by itself. */
async function untilEnd({ signal, output }: Session, line: Serving): Promise<void> {
  const interrupted = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(null);
    });
    if (signal.aborted) resolve(null);
  });
  const code = await Promise.race([line.ended, interrupted]);
  if (!signal.aborted)
    throw new CliError('ERR_CLI_TRANSPORT', `the line server ended by itself (exit ${String(code)})`);
  output.note('stopping the line; everything is published');
}
