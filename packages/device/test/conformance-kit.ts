// SPDX-License-Identifier: Apache-2.0
/** What the driver conformance suite works with: a driver on a bench, a model of a part, and what is known of its kind. */
import type { Bytes } from '@witnessmark/core';
import type { ExpectStatic } from 'vitest';
import type { BoardProfile, ChipFaults, DeviceDriver, FlashRange } from '../src/index.ts';

export interface DriverHarness {
  readonly driver: DeviceDriver;
  /** Throws when the driver left a process or a file behind. */
  readonly expectNothingLeft: () => void;
  readonly close: () => Promise<void>;
}

/** A model of a part, as the suite handles it. */
export interface TestPart {
  readonly uniqueId: Bytes;
  readonly revision: number;
  readonly awaitsPowerCut: boolean;
  snapshot(): { readonly memory: Bytes };
  inject(faults: ChipFaults): void;
}

/** The place it sits in, which goes on working when the part is exchanged. */
export interface TestBay<Part> {
  readonly chip: Part | null;
  insert(chip: Part | null): Part | null;
  powerOn(): void;
  readonly awaitsLinkDrop: boolean;
  /** Breaks the link once, after that much further traffic. */
  dropLinkAfter(amount: number): void;
}

/** One kind of part: how to make it and how large things are on it. */
export interface PartKit<Part extends TestPart, Bay extends TestBay<Part>> {
  readonly profile: BoardProfile;
  /** Two images as large as `image`; both start at address 0. */
  readonly image: Bytes;
  readonly otherImage: Bytes;
  /** A part of the image that starts and ends within an erase block, and a range that overlaps it to be read. */
  readonly partial: { readonly address: number; readonly length: number; readonly read: FlashRange };
  /** Whole erase blocks inside the image. */
  readonly eraseRange: FlashRange;
  readonly powerCutAfter: { readonly program: number; readonly erase: number };
  /** Traffic between which an image is being written, and at how many places in between the link is cut. */
  readonly linkDrops: { readonly from: number; readonly to: number; readonly defaultCount: number };
  /** Whether a fault in writing ends the writing, or shows only in what is read back. */
  readonly faultsShow: 'when written' | 'when read back';
  uniqueId(seed: string, index: number): Bytes;
  newBay(part: Part): Bay;
  newPart(uniqueId: Bytes, content?: Bytes): Part;
  /** A part of another kind. */
  newOtherPart(uniqueId: Bytes): Part;
  /** Refuses to be written, and nothing a driver may do changes that. */
  newProtectedPart(uniqueId: Bytes): Part;
  /** Takes no lock; null where the profile has none. */
  readonly newUnlockablePart: ((uniqueId: Bytes) => Part) | null;
}

/** Builds the driver under test on a bay that holds a part of the kit. */
export type MakeHarness<Bay> = (bay: Bay) => Promise<DriverHarness>;

export interface ConformanceOptions {
  /** Time limit for operations that would never end; long enough for the driver to have begun its work. */
  readonly stuckMs: number;
  /** The tool gives up on a busy device by itself, before the limit. */
  readonly givesUp?: boolean;
  /** At how many places the link is cut, for drivers that are faster or slower than the kit's default assumes. */
  readonly linkDropCount?: number;
}

export interface Bench<Part, Bay> extends DriverHarness {
  readonly bay: Bay;
  readonly chip: Part;
}

/** Runs a test on a fresh part in a fresh bay, and looks afterwards whether the driver has put its things away. */
export function onBench<Part extends TestPart, Bay extends TestBay<Part>>(
  kit: PartKit<Part, Bay>,
  makeHarness: MakeHarness<Bay>,
  makePart: () => Part,
  test: (bench: Bench<Part, Bay>, expect: ExpectStatic) => Promise<void>,
): (context: { expect: ExpectStatic }) => Promise<void> {
  return async ({ expect }) => {
    const chip = makePart();
    const bay = kit.newBay(chip);
    const harness = await makeHarness(bay);
    try {
      await test({ ...harness, bay, chip }, expect);
      harness.expectNothingLeft();
    } finally {
      await harness.close();
    }
  };
}
