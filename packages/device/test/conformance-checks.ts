// SPDX-License-Identifier: Apache-2.0
/** What the driver conformance suite looks at, again and again. */
import { sha256Hex, type Bytes } from '@witnessmark/core';
import type { ExpectStatic } from 'vitest';
import {
  PROGRAM_PHASES,
  type ChipFaults,
  type DeviceDriver,
  type DriverOutcome,
  type ProgramProgress,
} from '../src/index.ts';
import type { TestPart } from './conformance-kit.ts';

export function withFaults<Part extends TestPart>(chip: Part, faults: ChipFaults): Part {
  chip.inject(faults);
  return chip;
}

export function chipIn<Part>(bay: { readonly chip: Part | null }): Part {
  if (bay.chip === null) throw new Error('the bay is empty');
  return bay.chip;
}

/** Compares by digest: a difference in a mebibyte has no readable printout. */
export function expectContent(expect: ExpectStatic, outcome: DriverOutcome<Bytes>, wanted: Bytes): void {
  const found = outcome.state === 'DONE' ? sha256Hex(outcome.value) : outcome;
  expect(found).toEqual(sha256Hex(wanted));
}

/** What is read back is not what was to be written, whatever the driver said about writing it. */
export async function expectOtherContent(expect: ExpectStatic, driver: DeviceDriver, wanted: Bytes): Promise<void> {
  const content = await driver.readBack({ address: 0, length: wanted.length });
  expect(content.state).toBe('DONE');
  expect(content.state === 'DONE' && sha256Hex(content.value)).not.toBe(sha256Hex(wanted));
}

export function expectProgress(expect: ExpectStatic, progress: readonly ProgramProgress[], totalBytes: number): void {
  const order = progress.map(({ phase, doneBytes }) => PROGRAM_PHASES.indexOf(phase) * 2 ** 32 + doneBytes);
  expect(order).toEqual(order.toSorted((left, right) => left - right));
  expect(progress.every((step) => step.totalBytes === totalBytes && step.doneBytes <= totalBytes)).toBe(true);
  expect(new Set(progress.map(({ doneBytes }) => doneBytes)).size).toBeGreaterThan(4);
  expect(progress.at(-1)).toEqual({ phase: 'program', doneBytes: totalBytes, totalBytes });
}

/** Some tools wait for ever on a part or a link that has gone; this ends them a moment after it has. */
export function abortWhen(isOver: () => boolean): { signal: AbortSignal; stopWatching: () => void } {
  const controller = new AbortController();
  let turns = 0;
  const watch = setInterval(() => {
    turns = isOver() ? turns + 1 : 0;
    if (turns > 20) controller.abort();
  }, 10);
  return {
    signal: controller.signal,
    stopWatching: () => {
      clearInterval(watch);
    },
  };
}

export async function expectRecovery(
  expect: ExpectStatic,
  driver: DeviceDriver,
  image: Bytes,
  filled: Bytes,
): Promise<void> {
  expect(await driver.reset()).toEqual({ state: 'DONE', value: undefined });
  expect(await driver.program({ address: 0, image })).toEqual({ state: 'DONE', value: undefined });
  expectContent(expect, await driver.readBack({ address: 0, length: filled.length }), filled);
}
