// SPDX-License-Identifier: Apache-2.0
/** What to try next, by role; every line can be pasted into another terminal. */
import { join } from 'node:path';
import type { Output } from '../output.ts';

interface NextStepsPlan {
  readonly data: string;
  readonly lineUrl: string;
  readonly evidenceFile: string;
  readonly serial: string;
}

export function showNextSteps(output: Output, { data, lineUrl, evidenceFile, serial }: NextStepsPlan): void {
  const trust = `--trust ${join(data, 'trusted-root.json')}`;
  const key = (name: string): string => join(data, 'keys', `${name}.pem`);
  const rows: readonly (readonly [role: string, lines: readonly string[]])[] = [
    [
      'auditor',
      [
        `npx witnessmark verify ${evidenceFile} ${trust} --policy ${join(data, 'policy.json')}`,
        `npx witnessmark verify ${evidenceFile} ${trust} --policy ${join(data, 'policy-production.json')}   # refused: simulated`,
        `npx witnessmark log fsck --data ${data}`,
      ],
    ],
    ['QA', [`npx witnessmark trace ${serial} --data ${data}`]],
    [
      'approver',
      [
        `npx witnessmark release review P-0002 --data ${data}`,
        `npx witnessmark release approve P-0002 --data ${data} --key ${key('approver-ben')}`,
        `npx witnessmark release status --data ${data}`,
      ],
    ],
    [
      'station engineer',
      [
        `npx witnessmark doctor --data ${data}`,
        `npx witnessmark station label --data ${data} --device simulated:my.chip,uid=d2651c0b1f3a7788`,
        `npx witnessmark station program --data ${data} --device simulated:my.chip --operator-key ${key('operator-olga')}`,
      ],
    ],
    ['supervisor', [`npx witnessmark line stops --data ${data}`, 'npx witnessmark explain LS-101']],
    ['back-end engineer', [`curl ${lineUrl}/openapi.json`, `curl ${lineUrl}/metrics`]],
  ];
  output.data('');
  output.data('The line keeps running. In another terminal, by role:');
  for (const [role, lines] of rows) {
    output.data(`  ${role}`);
    for (const line of lines) output.data(`    ${line}`);
  }
  output.data('');
  output.data(`Ctrl-C stops it; "npm run demo -- --clean --data ${data}" removes what it made.`);
}
