// SPDX-License-Identifier: Apache-2.0
/**
 * A shift at a station with several places: scans come in one stream and name their slot, `2:SERIAL`, or a panel,
 * `panel ID x3` and then its labels; units go on in their slots at the same time, and each says its slot in what it prints.
 */
import { MAX_PANEL_POSITIONS } from '@witnessmark/attestation';
import {
  limitTools,
  PanelScan,
  StationRefusal,
  ToolLimit,
  type PanelUnit,
  type ProgramRequest,
  type UnitResult,
} from '@witnessmark/station';
import type { CommandResult, OptionValues } from '../command.ts';
import type { LoadedConfig, StationConfig } from '../config.ts';
import { usageError } from '../error.ts';
import { exitCodeOfSignal, worstOf, type ExitCode } from '../exit-codes.ts';
import type { stationOptions } from '../options/station.ts';
import { openBootCheck } from '../roots/boot-check.ts';
import { openFixture, type Fixture } from '../roots/fixture.ts';
import { openSlots, type RunningSlots, type SlotFixture } from '../roots/station.ts';
import type { Session } from '../session.ts';
import { OperatorAtStation } from '../sign-in.ts';
import { promptForPin } from '../signer-reference.ts';
import { readSlotScan, toSlotDevice } from '../slot-choice.ts';
import { exitCodeOfUnit, formatUnit, toUnitDocument } from '../unit-text.ts';
import { insertBoard, jobOf, openStationConfig, tryToKeepEvidence } from './station.ts';

type Options = OptionValues<typeof stationOptions>;

/** `panel ID`, and the positions that are marked bad, for example `panel P-0042 x3 x7`. */
const PANEL_SCAN = /^panel +([^\s]{1,128})((?: +x\d{1,2})*)$/i;
const PANEL_END = 'panel end';

interface SlotUnit {
  readonly slot: number;
  readonly result: UnitResult;
  readonly exit: ExitCode;
  readonly panel: PanelUnit['panel'] | null;
}

export async function runSlots(session: Session, options: Options): Promise<CommandResult> {
  const config = openStationConfig(options);
  const slots = config.values.slots ?? [];
  const fixtures = new Map<number, Fixture>();
  try {
    for (const slot of slots) {
      const { device, profile } = toSlotDevice(config, slot);
      fixtures.set(slot.slot, await openFixture(device, profile, `${config.values.station} slot ${slot.slot}`));
    }
    return await workShift(session, { options, config, fixtures });
  } finally {
    for (const fixture of fixtures.values()) await fixture.close();
  }
}

interface ShiftPlace {
  readonly options: Options;
  readonly config: LoadedConfig<StationConfig>;
  readonly fixtures: ReadonlyMap<number, Fixture>;
}

async function workShift(session: Session, { options, config, fixtures }: ShiftPlace): Promise<CommandResult> {
  const { output, terminal, clock, newId, signal } = session;
  const recovered: UnitResult[] = [];
  const tools = new ToolLimit(config.values.maxParallelTools ?? fixtures.size);
  const running = await openSlots(config, {
    clock,
    newId,
    slots: await openPlaces(config, fixtures, tools),
    askPin: promptForPin(session),
    lineUrl: options.line,
    onProgress: ({ slot, step, state }) => {
      if (state === 'begun') output.note(`[${slot ?? ''}] ${step}`);
    },
    onSlotRecovered: (slot, result) => {
      for (const line of formatUnit(output, result)) output.note(`[${slot}] ${line}`);
      recovered.push(result);
    },
  });
  let operator: OperatorAtStation | null = null;
  try {
    operator = await OperatorAtStation.signIn({ session, options, config, line: running.line, station: running.group });
    const shift = new SlotShift(session, { options, config, fixtures }, running);
    await shift.recover();
    if (terminal.isInteractive) output.note('Scan slot and unit, for example 2:SERIAL; Ctrl-D ends.');
    for await (const line of terminal.lines(signal)) {
      if (line.trim() === '') continue;
      await operator.renewIfDue();
      await shift.take(line.trim());
      if (signal.aborted) break;
    }
    const units = await shift.end();
    const evidence = config.pathOf(config.values.evidence);
    for (const unit of recovered) {
      if (unit.phase === 'passed') await tryToKeepEvidence(session, running, unit, evidence);
    }
    const count = (phase: UnitResult['phase']): number => units.filter(({ result }) => result.phase === phase).length;
    const counts = `${count('passed')} PASS, ${count('failed')} FAIL, ${count('stopped')} LINE STOP, ${count('interrupted')} HOLD`;
    const { xOuts } = shift;
    output.verdict(`${units.length} units: ${counts}${xOuts === 0 ? '' : `, ${xOuts} X-outs left alone`}`);
    const exit = signal.aborted ? exitCodeOfSignal(signal) : worstOf(units.map((unit) => unit.exit));
    const document = {
      units: units.map(({ slot, result, panel }) => ({ slot, panel, ...toUnitDocument(result) })),
      slots: [...fixtures.keys()].map((slot) => summarizeSlot(slot, units)),
      xOuts,
    };
    return { exit, document };
  } finally {
    await operator?.signOut();
    running.close();
  }
}

/** The programmers, of which only so many work at once, and how their boards are started. */
function openPlaces(
  config: LoadedConfig<StationConfig>,
  fixtures: ReadonlyMap<number, Fixture>,
  tools: ToolLimit,
): Promise<readonly SlotFixture[]> {
  const configured = config.values.slots ?? [];
  return Promise.all(
    configured.flatMap(({ slot, boot }) => {
      const fixture = fixtures.get(slot);
      if (fixture === undefined) return [];
      const driver = limitTools(fixture.driver, tools);
      return openBootCheck(config, boot, driver).then((bootCheck) => ({ slot, driver, bootCheck }));
    }),
  );
}

/** Takes scans one after the other and lets units go on meanwhile. */
class SlotShift {
  /** Positions of begun panels that hold no unit. */
  xOuts = 0;
  readonly #session: Session;
  readonly #place: ShiftPlace;
  readonly #running: RunningSlots;
  readonly #units: SlotUnit[] = [];
  /** The last unit of each slot, with its label; ended ones included. */
  readonly #work = new Map<number, { readonly label: string; readonly ended: Promise<void> }>();
  readonly #failures: unknown[] = [];
  #panel: PanelScan | null = null;

  constructor(session: Session, place: ShiftPlace, running: RunningSlots) {
    this.#session = session;
    this.#place = place;
    this.#running = running;
  }

  /** What an earlier process left in the fixtures; a folder of simulated boards has none in the bay yet. */
  async recover(): Promise<void> {
    const { fixtures } = this.#place;
    const held = [...fixtures].filter(([, fixture]) => fixture.holdsBoard);
    for (const [, fixture] of held) fixture.insert('');
    const reports = await this.#running.group.recover(held.map(([slot]) => slot));
    for (const [slot, { units }] of reports) for (const result of units) this.#print(slot, result);
  }

  async take(text: string): Promise<void> {
    try {
      const [, id, marks = ''] = PANEL_SCAN.exec(text) ?? [];
      if (text.toLowerCase() === PANEL_END) await this.#beginPanel();
      else if (id !== undefined) this.#openPanel(id, marks);
      else if (this.#panel !== null) await this.#takePosition(this.#panel, text);
      else await this.#takeUnit(text);
    } catch (error) {
      if (!(error instanceof StationRefusal)) throw error;
      await this.#refuse(error);
    }
  }

  /** Waits for every unit; rejects with the first fault that is no verdict. A panel that was not finished is a refusal. */
  async end(): Promise<readonly SlotUnit[]> {
    if (this.#panel !== null && !this.#session.signal.aborted) await this.take(PANEL_END);
    await Promise.all([...this.#work.values()].map(({ ended }) => ended));
    if (this.#failures.length > 0) throw this.#failures[0];
    return this.#units;
  }

  #openPanel(id: string, marks: string): void {
    const { panel } = this.#place.config.values;
    if (panel === undefined) throw usageError('station.json has no "panel"; it says which slot takes which position');
    const unfinished = this.#panel;
    this.#panel = null;
    unfinished?.complete();
    const xOuts = [...marks.matchAll(/x(\d{1,2})/gi)].map(([, position]) => Number(position));
    this.#panel = new PanelScan(id, panel, xOuts);
  }

  async #takePosition(panel: PanelScan, text: string): Promise<void> {
    const [, number, label = text] = /^(\d{1,2}):(.+)$/s.exec(text) ?? [];
    const position = number === undefined ? undefined : Math.min(Number(number), MAX_PANEL_POSITIONS + 1);
    panel.scan({ raw: label, symbology: 'text' }, position);
    if (panel.missing.length === 0) await this.#beginPanel();
  }

  /** Whatever comes of it, the panel is scanned anew. */
  async #beginPanel(): Promise<void> {
    const panel = this.#panel;
    this.#panel = null;
    const units = panel?.complete() ?? [];
    this.xOuts += units[0]?.panel.xOuts.length ?? 0;
    for (const { slot, label, panel: place } of units) await this.#begin(slot, label.raw, place);
  }

  async #takeUnit(text: string): Promise<void> {
    const { slot, label } = readSlotScan(text, this.#running.group.free);
    await this.#begin(slot, label, null);
  }

  /** Begins the unit once its slot is free; the same unit twice is one unit. */
  async #begin(slot: number, label: string, panel: PanelUnit['panel'] | null): Promise<void> {
    const { group } = this.#running;
    const before = this.#work.get(slot);
    const isBusy = before !== undefined && !group.free.includes(slot);
    if (isBusy && before.label !== label) await before.ended;
    const fixture = this.#place.fixtures.get(slot);
    if (fixture !== undefined && group.free.includes(slot)) insertBoard(fixture, label);
    const { config, options } = this.#place;
    const { signal } = this.#session;
    const request: ProgramRequest = {
      job: jobOf(config, options),
      label: { raw: label, symbology: 'text' },
      ...(panel !== null && { panel }),
      signal,
    };
    const ended = group.programUnit(slot, request).then(
      (result) => this.#conclude(slot, result, panel),
      async (error: unknown) => {
        if (error instanceof StationRefusal) await this.#refuse(error);
        else this.#failures.push(error);
      },
    );
    if (!isBusy || before.label !== label) this.#work.set(slot, { label, ended });
    else await ended;
  }

  async #conclude(slot: number, result: UnitResult, panel: PanelUnit['panel'] | null): Promise<void> {
    const { config } = this.#place;
    const evidence = config.pathOf(config.values.evidence);
    const exit =
      result.phase === 'passed'
        ? await tryToKeepEvidence(this.#session, this.#running, result, evidence)
        : exitCodeOfUnit(result);
    this.#units.push({ slot, result, exit, panel });
    this.#print(slot, result);
  }

  /** A second scan of what is at work changes nothing and is not worth a record; every other "no" is. */
  async #refuse(refused: StationRefusal): Promise<void> {
    if (refused.code === 'LS-603') {
      this.#session.output.note(`ignored: ${refused.message}`);
      return;
    }
    const result = await this.#running.group.refuse(refused);
    this.#units.push({ slot: 0, result, exit: exitCodeOfUnit(result), panel: null });
    for (const line of formatUnit(this.#session.output, result)) this.#session.output.data(line);
  }

  #print(slot: number, result: UnitResult): void {
    const { output } = this.#session;
    for (const line of formatUnit(output, result)) output.data(`[${slot}] ${line}`);
  }
}

function summarizeSlot(slot: number, units: readonly SlotUnit[]): object {
  const own = units.filter((unit) => unit.slot === slot).map(({ result }) => result.phase);
  const count = (phase: UnitResult['phase']): number => own.filter((one) => one === phase).length;
  return {
    slot,
    passed: count('passed'),
    failed: count('failed'),
    stopped: count('stopped'),
    interrupted: count('interrupted'),
  };
}
