// SPDX-License-Identifier: Apache-2.0
/**
 * A panel: several boards still in one piece, put into the fixture together. Every position has a label of its own or is an
 * X-out, marked bad before it came here; nothing is begun before the scan of the whole panel adds up.
 */
import { MAX_PANEL_POSITIONS, type PanelPlace } from '@witnessmark/attestation';
import { StationRefusal } from '../error.ts';
import type { ScannedLabel } from '../ports.ts';

/** How a station takes panels: the slot of each position, position 1 first. A slot may serve several, one after the other. */
export interface PanelLayout {
  readonly slots: readonly number[];
}

export interface PanelUnit {
  readonly slot: number;
  readonly label: ScannedLabel;
  readonly panel: PanelPlace;
}

export class PanelScan {
  readonly #id: string;
  readonly #slots: readonly number[];
  readonly #xOuts: readonly number[];
  readonly #labels = new Map<number, ScannedLabel>();

  /** Throws LS-604 for X-outs that are no positions of this panel, LS-606 for one that is named twice. */
  constructor(id: string, { slots }: PanelLayout, xOuts: readonly number[] = []) {
    if (slots.length < 1 || slots.length > MAX_PANEL_POSITIONS) {
      throw new TypeError(`a panel has 1 to ${MAX_PANEL_POSITIONS} positions`);
    }
    this.#id = id;
    this.#slots = slots;
    this.#xOuts = [...xOuts].sort((left, right) => left - right);
    for (const position of xOuts) this.#requirePosition(position);
    const twice = this.#xOuts.find((position, index) => this.#xOuts[index - 1] === position);
    if (twice !== undefined) throw doubled(`X-out ${twice} named once`, 'it named twice');
  }

  /** Positions that wait for their label, in their order. */
  get missing(): readonly number[] {
    return this.#slots
      .map((_, index) => index + 1)
      .filter((position) => !this.#labels.has(position) && !this.#xOuts.includes(position));
  }

  /**
   * Takes a label for a position, or for the next one that waits. Throws LS-604 for a position this panel does not have and
   * for one label too many, LS-605 for an X-out, LS-606 for a position or a label that was scanned before.
   */
  scan(label: ScannedLabel, position: number | undefined = this.missing[0]): void {
    if (position === undefined) {
      throw count(`${this.#slots.length - this.#xOuts.length} labels`, 'one more');
    }
    this.#requirePosition(position);
    if (this.#xOuts.includes(position)) {
      throw new StationRefusal('LS-605', {
        expected: `no label for position ${position} of panel ${this.#id}, an X-out`,
        observed: label.raw.slice(0, 128),
      });
    }
    if (this.#labels.has(position)) throw doubled(`one label for position ${position}`, 'a second one');
    for (const [other, { raw }] of this.#labels) {
      if (raw === label.raw) throw doubled(`another label than that of position ${other}`, 'the same one');
    }
    this.#labels.set(position, label);
  }

  /** The units of the panel, by position. Throws LS-604 while a position has no label. */
  complete(): readonly PanelUnit[] {
    const { missing } = this;
    const positions = this.#slots.length;
    if (missing.length > 0) {
      const wanted = positions - this.#xOuts.length;
      throw count(
        `${wanted} labels for ${positions} positions with ${this.#xOuts.length} X-outs`,
        `${this.#labels.size}`,
      );
    }
    return [...this.#labels]
      .sort(([left], [right]) => left - right)
      .map(([position, label]) => ({
        slot: this.#slots[position - 1] as number,
        label,
        panel: { id: this.#id, position, positions, xOuts: [...this.#xOuts] },
      }));
  }

  #requirePosition(position: number): void {
    const isThere = Number.isInteger(position) && position >= 1 && position <= this.#slots.length;
    if (!isThere) throw count(`a position from 1 to ${this.#slots.length}`, `position ${position}`);
  }
}

function count(expected: string, observed: string): StationRefusal {
  return new StationRefusal('LS-604', { expected, observed });
}

function doubled(expected: string, observed: string): StationRefusal {
  return new StationRefusal('LS-606', { expected, observed });
}
