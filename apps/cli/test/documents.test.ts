// SPDX-License-Identifier: Apache-2.0
/** What README.md and docs/verify-without-us.md tell people to type is typed here, on a site the demo has just made. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeHex, formatEnvelope } from '@witnessmark/core';
import { parseUnitEvidence } from '@witnessmark/bundle';
import { hashLeaf } from '@witnessmark/tlog';
import { hasProgram } from './programs.ts';

const ROOT = join(import.meta.dirname, '../../..');
const hasTools = hasProgram('jq') && hasProgram('openssl');

let folder: string;
let evidenceFile: string;
let trustedRoot: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'witnessmark-documents-'));
  const data = join(folder, 'demo-data');
  // The README's first command, with the arguments that make it end.
  expect(commandsOf('README.md')).toContain('npm run demo');
  execFileSync('npm', ['run', '--silent', 'demo', '--', '--headless', '--units', '1', '--data', data], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  evidenceFile = join(data, 'evidence', readdirSync(join(data, 'evidence'))[0] as string);
  trustedRoot = join(data, 'trusted-root.json');
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('README.md', () => {
  it('has a test command that is the one this runs under', () => {
    expect(commandsOf('README.md')).toContain('npm test');
    const scripts = (
      JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    ).scripts;
    expect(scripts['test']).toBe('node scripts/test.mjs');
  });

  it('verifies a unit as written, and says the verdict last', () => {
    const command = commandsOf('README.md').find((line) => line.includes('witnessmark verify')) as string;
    const output = execFileSync(
      'sh',
      ['-c', command.replace('npx witnessmark', `node ${ROOT}/apps/cli/bin/witnessmark.mjs`)],
      { cwd: folder },
    );
    expect(output.toString().trimEnd().split('\n').at(-1)).toMatch(/^VERIFIED {2}/);
  });

  it('links only to files that exist', () => {
    for (const page of [
      'README.md',
      'ARCHITECTURE.md',
      'SECURITY.md',
      'CONTRIBUTING.md',
      'docs/verify-without-us.md',
    ]) {
      const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
        (match) => match[1] as string,
      );
      for (const link of links) expect(existsSync(join(ROOT, page, '..', link)), `${page}: ${link}`).toBe(true);
    }
  });
});

describe('ARCHITECTURE.md', () => {
  it('has the import table that is enforced', async () => {
    const { MAY_IMPORT } = (await import(join(ROOT, '.dependency-cruiser.js'))) as {
      MAY_IMPORT: Record<string, string[]>;
    };
    const rows = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').matchAll(
      /^\| `([a-z0-9-]+)` +\|[^|]+\| (.+?) +\|$/gm,
    );
    const table = [...rows].map(([, name, imports]) => [name, imports === '–' ? [] : (imports as string).split(', ')]);
    expect(Object.fromEntries(table)).toEqual(MAY_IMPORT);
  });
});

describe.skipIf(!hasTools)('docs/verify-without-us.md', () => {
  it('accepts a good unit with openssl and jq alone', () => {
    expect(runRecipe(evidenceFile)).toMatchObject({ status: 0, stdout: '9 signatures verify\n' });
  });

  it('refuses a unit of which one byte of a payload was changed', () => {
    const evidence = JSON.parse(readFileSync(evidenceFile, 'utf8')) as { entries: { envelope: { payload: string } }[] };
    const { envelope } = evidence.entries.at(-1) as { envelope: { payload: string } };
    envelope.payload = Buffer.from(
      Buffer.from(envelope.payload, 'base64').toString().replace('SUCCEEDED', 'SUCCEEDEE'),
    ).toString('base64');
    const damaged = join(folder, 'damaged.json');
    writeFileSync(damaged, JSON.stringify(evidence));
    expect(runRecipe(damaged)).toMatchObject({ status: 1, stdout: 'record 2: signature 0 does not verify\n' });
  });

  it('refuses an approval of which the digest was changed', () => {
    const evidence = JSON.parse(readFileSync(evidenceFile, 'utf8')) as {
      releases: { approvals: { payload: string }[] }[];
    };
    const approval = evidence.releases[0]?.approvals[0] as { payload: string };
    approval.payload = Buffer.from(`${Buffer.from(approval.payload, 'base64').toString()} `).toString('base64');
    const damaged = join(folder, 'damaged-approval.json');
    writeFileSync(damaged, JSON.stringify(evidence));
    expect(runRecipe(damaged)).toMatchObject({ status: 1, stdout: 'record 4: signature 0 does not verify\n' });
  });

  it('refuses a signature by a key that is not in the trusted root', () => {
    const root = JSON.parse(readFileSync(trustedRoot, 'utf8')) as { keys: { role: string }[] };
    const poorer = join(folder, 'poorer-root.json');
    writeFileSync(poorer, JSON.stringify({ ...root, keys: root.keys.filter(({ role }) => role !== 'station') }));
    expect(runRecipe(evidenceFile, poorer).status).toBe(1);
  });

  it('shows the content and computes the leaf hash as this program does', () => {
    const [, content, leaf] = blocksOf('docs/verify-without-us.md') as [string, string, string];
    expect(JSON.parse(shell(content))).toMatchObject({ outcome: 'SUCCEEDED' });
    const [entry] = parseUnitEvidence(readFileSync(evidenceFile)).entries;
    expect(shell(leaf).slice(0, 64)).toBe(
      encodeHex(hashLeaf(formatEnvelope((entry as NonNullable<typeof entry>).envelope))),
    );
  });
});

function runRecipe(evidence: string, root: string = trustedRoot): { status: number | null; stdout: string } {
  const script = join(folder, 'verify.sh');
  writeFileSync(script, blocksOf('docs/verify-without-us.md')[0] as string);
  const { status, stdout } = spawnSync('bash', [script, evidence, root], { encoding: 'utf8' });
  return { status, stdout };
}

function shell(block: string): string {
  return execFileSync('bash', ['-c', block.replaceAll('EVIDENCE.json', evidenceFile)]).toString();
}

function commandsOf(page: string): readonly string[] {
  return blocksOf(page).flatMap((block) => block.split('\n').map((line) => line.replace(/ +# .*$/, '').trim()));
}

/** The contents of a page's shell blocks. */
function blocksOf(page: string): readonly string[] {
  return [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
    (match) => match[1] as string,
  );
}
