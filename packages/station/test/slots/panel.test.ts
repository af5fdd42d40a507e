// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { MAX_PANEL_POSITIONS } from '@witnessmark/attestation';
import { PanelScan } from '../../src/slots/panel.ts';

const LAYOUT = { slots: [1, 2, 1, 2] };

function label(raw: string): { readonly raw: string; readonly symbology: string } {
  return { raw, symbology: 'text' };
}

describe('the scan of a panel', () => {
  it('gives each position its slot, its label and what is known of the panel, whatever the order of scans', () => {
    const scan = new PanelScan('P-0042', LAYOUT, [3]);
    scan.scan(label('D'), 4);
    scan.scan(label('A'));
    expect(scan.missing).toEqual([2]);
    scan.scan(label('B'));
    const panel = { id: 'P-0042', positions: 4, xOuts: [3] };
    expect(scan.complete()).toEqual([
      { slot: 1, label: label('A'), panel: { ...panel, position: 1 } },
      { slot: 2, label: label('B'), panel: { ...panel, position: 2 } },
      { slot: 2, label: label('D'), panel: { ...panel, position: 4 } },
    ]);
  });

  it('LS-604 wants every position that is no X-out, and no label more', () => {
    const scan = new PanelScan('P-0042', LAYOUT, [2]);
    scan.scan(label('A'));
    expect(() => scan.complete()).toThrow(expect.objectContaining({ code: 'LS-604' }));
    scan.scan(label('C'));
    scan.scan(label('D'));
    expect(() => {
      scan.scan(label('E'));
    }).toThrow(expect.objectContaining({ code: 'LS-604' }));
    expect(scan.complete()).toHaveLength(3);
  });

  it.each([0, 5, 1.5])('LS-604 there is no position %d', (position) => {
    const scan = new PanelScan('P-0042', LAYOUT);
    expect(() => {
      scan.scan(label('A'), position);
    }).toThrow(expect.objectContaining({ code: 'LS-604' }));
    expect(() => new PanelScan('P-0042', LAYOUT, [position])).toThrow(expect.objectContaining({ code: 'LS-604' }));
  });

  it('LS-605 an X-out has no label', () => {
    const scan = new PanelScan('P-0042', LAYOUT, [2]);
    expect(() => {
      scan.scan(label('B'), 2);
    }).toThrow(expect.objectContaining({ code: 'LS-605' }));
    scan.scan(label('B'), 1);
  });

  it('LS-606 a position, a label and an X-out are named once', () => {
    const scan = new PanelScan('P-0042', LAYOUT);
    scan.scan(label('A'), 1);
    expect(() => {
      scan.scan(label('B'), 1);
    }).toThrow(expect.objectContaining({ code: 'LS-606' }));
    expect(() => {
      scan.scan(label('A'), 2);
    }).toThrow(expect.objectContaining({ code: 'LS-606' }));
    expect(() => new PanelScan('P-0042', LAYOUT, [2, 2])).toThrow(expect.objectContaining({ code: 'LS-606' }));
  });

  it('may be all X-outs, and as large as a record can say', () => {
    expect(new PanelScan('P-1', LAYOUT, [1, 2, 3, 4]).complete()).toEqual([]);
    const slots = Array.from({ length: MAX_PANEL_POSITIONS }, () => 1);
    expect(new PanelScan('P-1', { slots }).missing).toHaveLength(MAX_PANEL_POSITIONS);
    expect(() => new PanelScan('P-1', { slots: [...slots, 1] })).toThrow(TypeError);
    expect(() => new PanelScan('P-1', { slots: [] })).toThrow(TypeError);
  });
});
