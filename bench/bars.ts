// SPDX-License-Identifier: Apache-2.0
/** A bar chart, once for a terminal and once as SVG with its numbers as text. */

export interface Bar {
  readonly name: string;
  readonly value: number;
}

const TEXT_WIDTH = 40;
const ROW_HEIGHT = 24;
const NAME_WIDTH = 330;
const BAR_WIDTH = 360;
const VALUE_WIDTH = 90;

/** Negative values are drawn as none and written as they are. */
export function drawBars(bars: readonly Bar[], unit: string): { readonly text: string; readonly svg: string } {
  const largest = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const shareOf = ({ value }: Bar): number => Math.max(0, value) / largest;
  const nameWidth = Math.max(...bars.map(({ name }) => name.length));
  const text = bars.map((bar) => {
    const drawn = '#'.repeat(Math.round(shareOf(bar) * TEXT_WIDTH)).padEnd(TEXT_WIDTH, '.');
    return `${bar.name.padEnd(nameWidth)}  ${drawn} ${bar.value.toFixed(1)} ${unit}`;
  });
  const rows = bars.map((bar, row) => {
    const y = row * ROW_HEIGHT;
    const width = (shareOf(bar) * BAR_WIDTH).toFixed(1);
    return [
      `  <text x="${NAME_WIDTH - 8}" y="${y + 16}" text-anchor="end">${escape(bar.name)}</text>`,
      `  <rect x="${NAME_WIDTH}" y="${y + 4}" width="${width}" height="${ROW_HEIGHT - 8}"/>`,
      `  <text x="${NAME_WIDTH + Number(width) + 6}" y="${y + 16}">${bar.value.toFixed(1)} ${unit}</text>`,
    ].join('\n');
  });
  const width = NAME_WIDTH + BAR_WIDTH + VALUE_WIDTH;
  const height = bars.length * ROW_HEIGHT;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`;
  const style = '  <style>rect { fill: #3465a4 } text { fill: #555753 }</style>';
  return { text: text.join('\n'), svg: `${[head, style, ...rows, '</svg>'].join('\n')}\n` };
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
