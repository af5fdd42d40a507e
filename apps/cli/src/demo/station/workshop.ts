// SPDX-License-Identifier: Apache-2.0
/** The site of the scene: two stations, two products, and the command lines its people type. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256Hex } from '@witnessmark/core';
import { generateSoftwareKey, saveSoftwareKey } from '@witnessmark/custody';
import { buildSampleImage } from '@witnessmark/device';
import { formatPaperFingerprint } from '@witnessmark/enrolment';
import { EXIT } from '../../exit-codes.ts';
import type { Session } from '../../session.ts';
import { createSite, type SitePlan } from '../../site.ts';
import type { DemoDirectory } from '../demo-directory.ts';
import type { Ran, Stage } from '../stage.ts';
import { Place, type BoardKind } from './place.ts';

const AUTHOR = 'alex';
const APPROVERS = [
  { name: 'anna', role: 'release' },
  { name: 'ben', role: 'security' },
  { name: 'chris', role: 'quality' },
] as const;
export const SUPERVISOR = 'sam';
export const TICKET = 'ECO-8101';
const VERSION = '1.0.0';
const LINE = 'line-1';
const PLANT = 'demo-plant';

/** Beside what a trial demands. */
const RULES = {
  stations: { measured: 'required', maxMeasurementAgeMs: 24 * 3_600_000 },
  offline: { maxUnits: 1, maxHours: 4 },
};

/** A station, what it makes, and who works there. */
export interface Station {
  readonly id: string;
  /** Its data directory. */
  readonly data: string;
  readonly office: string;
  readonly operator: string;
  readonly boards: BoardKind;
  readonly places: readonly [Place, Place];
  readonly product: SitePlan['product'];
  readonly imageBytes: number;
}

export class Workshop {
  readonly data: string;
  /** Makes gateways with flashrom. */
  readonly gateways: Station;
  /** Makes sensors with OpenOCD. */
  readonly sensors: Station;
  readonly port: number;
  readonly #stage: Stage;

  private constructor(stage: Stage, data: string, port: number, places: readonly Place[]) {
    const [first, second, third, fourth] = places as readonly [Place, Place, Place, Place];
    this.#stage = stage;
    this.data = data;
    this.port = port;
    this.gateways = {
      id: 'station-1',
      data,
      office: join(data, 'office.json'),
      operator: 'olga',
      boards: 'nor',
      places: [first, second],
      product: { sku: 'GW-210', hwModel: 'gateway-210', hwVersion: 'A' },
      imageBytes: 64 * 1024,
    };
    this.sensors = {
      id: 'station-2',
      data: join(data, 'station-2'),
      office: join(data, 'office-2.json'),
      operator: 'otto',
      boards: 'mcu',
      places: [third, fourth],
      product: { sku: 'SN-31', hwModel: 'sensor-31', hwVersion: 'C' },
      imageBytes: 12 * 1024,
    };
  }

  static async open(stage: Stage, { path }: DemoDirectory, port: number): Promise<Workshop> {
    const places: Place[] = [];
    for (const kind of ['nor', 'mcu'] as const) for (const slot of [1, 2]) places.push(await Place.open(kind, slot));
    return new Workshop(stage, path, port, places);
  }

  async close(): Promise<void> {
    for (const { places } of [this.gateways, this.sensors]) for (const place of places) await place.close();
  }

  path(...names: readonly string[]): string {
    return join(this.data, ...names);
  }

  key(name: string): string {
    return this.path('keys', `${name}.pem`);
  }

  /** The site with its first station. */
  async build({ clock }: Session, directory: DemoDirectory): Promise<void> {
    const plan: SitePlan = {
      plant: PLANT,
      line: LINE,
      station: this.gateways.id,
      author: AUTHOR,
      approvers: APPROVERS,
      operator: this.gateways.operator,
      supervisor: SUPERVISOR,
      product: this.gateways.product,
      listen: { host: '127.0.0.1', port: this.port },
    };
    await createSite(directory, plan, clock.now());
    changeJson(this.path('line.json'), ({ rules, ...values }) => ({
      ...values,
      rules: { ...(rules as object), ...RULES },
    }));
    const { office, product } = this.sensors;
    const { sku, hwModel, hwVersion } = product;
    copyFileSync(this.gateways.office, office);
    changeJson(office, (values) => ({ ...values, product: { sku, hwModel, hwVersions: [hwVersion] } }));
    this.#equip(this.gateways);
  }

  /** A release for what the station makes: proposed by its author, approved by two others. */
  async release({ office, product, imageBytes }: Station, promotion: string): Promise<void> {
    const image = this.imageOf(product.sku);
    mkdirSync(dirname(image), { recursive: true });
    const content = { sizeBytes: imageBytes, version: VERSION, securityCounter: 1, seed: product.sku };
    writeFileSync(image, buildSampleImage(content));
    const place = ['--config', office];
    const what = ['--image', image, '--release-version', VERSION, '--key', this.key(`author-${AUTHOR}`)];
    await this.#stage.run(['release', 'propose', ...place, ...what, '--ticket', TICKET, '--reason', 'first release']);
    const { stdout } = await this.#stage.run(['release', 'review', promotion, ...place, '--json']);
    const confirm = readReview(stdout).candidateDigest?.slice(0, 4) ?? '';
    const words = ['--confirm', confirm, '--meaning', 'tested on the bench', '--ticket', TICKET];
    for (const { name } of APPROVERS.slice(0, 2)) {
      const key = ['--key', this.key(`approver-${name}`)];
      await this.#stage.run(['release', 'approve', promotion, ...place, ...key, ...words]);
    }
  }

  /** What was released. */
  imageOf(sku: string): string {
    return this.path('images', `${sku}.bin`);
  }

  /** A second operator: the key is stated with the key, and two of three people let it in. */
  async admitOperator(): Promise<void> {
    const { operator } = this.sensors;
    const key = this.key(`operator-${operator}`);
    saveSoftwareKey(key, generateSoftwareKey('ecdsa-sha2-nistp256'));
    const out = this.path('keys', `${operator}.enrolment.json`);
    const claim = ['--owner', operator, '--role', 'operator', '--scope', LINE];
    await this.#stage.run(['trust', 'enrol', '--key', key, ...claim, '--out', out]);
    const why = ['--ticket', TICKET, '--reason', 'second operator'];
    await this.#office(['trust', 'propose'], ['--key', this.key(`author-${AUTHOR}`), '--enrol', out, ...why]);
    await this.#letIn('T-0001');
  }

  /** A second station: set up from its work sheet, asked for with a fingerprint on paper, let in by two of three people. */
  async enrolSecondStation(): Promise<void> {
    const { id, data, product } = this.sensors;
    const root = sha256Hex(readFileSync(this.path('trust-root.json')));
    const sheet = ['--station', id, '--line', LINE, '--plant', PLANT, '--line-url', `http://127.0.0.1:${this.port}`];
    const trust = ['--repository', this.path('trust'), '--root-fingerprint', formatPaperFingerprint(root).join(' ')];
    const job = ['--sku', product.sku, '--hw-version', product.hwVersion, '--station-key', 'keys/station.pem'];
    await this.#stage.run(['station', 'init', '--data', data, ...sheet, ...trust, ...job]);
    const request = this.path('media', 'request.json');
    const answer = this.path('media', 'answer.json');
    mkdirSync(dirname(request), { recursive: true });
    const asked = await this.#stage.run(['station', 'enroll', '--data', data, '--out', request, '--json']);
    const { fingerprint } = JSON.parse(asked.stdout) as { readonly fingerprint: string };
    const why = ['--ticket', TICKET, '--reason', 'second station', '--key', this.key(`author-${AUTHOR}`)];
    const paper = ['--request', request, '--fingerprint', fingerprint, '--out', answer];
    await this.#office(['trust', 'admit'], [...paper, ...why]);
    await this.#letIn('T-0002');
    await this.#stage.run(['station', 'enroll', '--data', data, '--answer', answer]);
    this.#equip(this.sensors);
  }

  /** The command line that programs what is in the place. */
  program(station: Station, { slot }: Place, label: string): string[] {
    return ['station', 'program', ...this.atWork(station), '--slot', `${slot}`, '--label', label];
  }

  /** The command line of a shift; slots and units come on standard input. */
  run(station: Station): string[] {
    return ['station', 'run', ...this.atWork(station)];
  }

  /** The options of an operator at a station. */
  atWork({ data, operator }: Station): string[] {
    return ['--data', data, '--operator-key', this.key(`operator-${operator}`)];
  }

  /** The supervisor decides about a unit on hold, or about the line stop that is open. */
  async decide(what: string | null, action: string, reason: string): Promise<void> {
    const stop = what ?? (await this.#openStop());
    const key = ['--key', this.key(`supervisor-${SUPERVISOR}`)];
    await this.#office(['line', 'decide', stop], [...key, '--action', action, '--reason', reason]);
  }

  /** Where the evidence of a unit is, once it passed. */
  evidenceOf({ data }: Station, label: string): string {
    return join(data, 'evidence', `${label}.evidence.json`);
  }

  verification(file: string): string[] {
    return ['verify', file, '--trust', this.path('trusted-root.json'), '--policy', this.path('policy.json')];
  }

  /** The first station has a time service of its own; with it, it may work on for a while when the line is away. */
  keepTime(timeService: object): void {
    changeJson(join(this.gateways.data, 'station.json'), (values) => ({ ...values, timeService, worksOffline: true }));
  }

  /** What the line has of a unit now. */
  tracing(label: string): string[] {
    return ['trace', label, '--data', this.data, '--line', `http://127.0.0.1:${this.port}`];
  }

  #equip({ data, places }: Station): void {
    const slots = places.map(({ slot, device }) => ({ slot, device }));
    changeJson(join(data, 'station.json'), (values) => ({ ...values, slots }));
    mkdirSync(this.path('devices'), { recursive: true });
  }

  /** Two of the three sign a change of who is trusted, each after comparing its digest; then it is published. */
  async #letIn(change: string): Promise<void> {
    const { stdout } = await this.#office(['trust', 'review', change], ['--json']);
    const confirm = readReview(stdout).status?.digest.slice(0, 4) ?? '';
    for (const { name } of APPROVERS.slice(0, 2)) {
      const keys = ['--key', this.key(`approver-${name}`), '--root-key', this.key(`root-${name}`)];
      const said = ['--confirm', confirm, '--meaning', 'compared with the paper', '--ticket', TICKET];
      await this.#office(['trust', 'sign', change], [...keys, ...said]);
    }
    await this.#office(['trust', 'publish', change], []);
    await this.#office(['trust', 'export'], ['--to', this.path('trusted-root.json')]);
  }

  async #openStop(): Promise<string> {
    const stops = ['line', 'stops', '--data', this.data, '--json'];
    const { stdout } = await this.#stage.run(stops, { exit: EXIT.waiting });
    const { stops: open } = JSON.parse(stdout) as { readonly stops: readonly { readonly refusalId: string }[] };
    return open[0]?.refusalId ?? '';
  }

  #office(command: readonly string[], rest: readonly string[]): Promise<Ran> {
    return this.#stage.run([...command, '--data', this.data, ...rest]);
  }
}

interface Review {
  readonly candidateDigest?: string;
  readonly status?: { readonly digest: string };
}

/** What a person reads before signing; of its digest the first characters are typed. */
function readReview(stdout: string): Review {
  return (JSON.parse(stdout) as { readonly review: Review }).review;
}

export function changeJson(
  file: string,
  change: (values: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): void {
  const values = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
  writeFileSync(file, `${JSON.stringify(change(values), null, 2)}\n`);
}
