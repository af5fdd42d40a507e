// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { commands } from '../src/commands/index.ts';
import { EXIT_MEANINGS } from '../src/exit-codes.ts';
import { run } from './run.ts';

describe('the command line', () => {
  it('says what is missing when nothing was typed', async () => {
    const result = await run([]);
    expect(result).toMatchObject({ exit: 2, stdout: '' });
    expect(result.stderr).toContain('a command is missing');
  });

  it('suggests a command, an option and a choice that are close', async () => {
    expect((await run(['verfy'])).stderr).toContain('did you mean verify?');
    expect((await run(['explain', '--jsn'])).stderr).toContain('did you mean --json?');
    expect((await run(['completion', 'csh'])).stderr).toContain('bash, zsh, fish');
  });

  it('refuses surplus arguments and options without a value', async () => {
    expect(await run(['explain', 'LS-101', 'LS-102'])).toMatchObject({ exit: 2, stdout: '' });
    expect(await run(['verify', 'x', '--trust'])).toMatchObject({ exit: 2, stdout: '' });
  });

  it('names the verbs of a noun', async () => {
    expect((await run(['release'])).stderr).toContain('"release" needs one of propose');
    expect((await run(['release', 'promote'])).stderr).toContain('"release promote" is not a command');
  });

  it('prints its version', async () => {
    expect(await run(['--version'])).toMatchObject({ exit: 0, stdout: 'witnessmark 0.0.0-test\n' });
  });

  it('reads a variable when the flag is absent, and prefers the flag', async () => {
    const environment = { WITNESSMARK_TRUST: 'from-variable.json' };
    expect((await run(['verify', 'x', '--policy', 'p'], { environment })).stderr).not.toContain('--trust');
    const both = await run(['verify', 'x', '--policy', 'p', '--trust', 'from-flag.json'], { environment });
    expect(both.stderr + both.stdout).not.toContain('from-variable');
  });
});

describe.each(commands.map((command) => [command.path.join(' '), command] as const))('help of %s', (name, command) => {
  it('has one sentence, three examples, its flags and its exit codes', async () => {
    const { exit, stdout, stderr } = await run([...command.path, '--help']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout.split('\n')[0]).toMatch(/^[A-Z].*\.$/);
    expect(command.examples).toHaveLength(3);
    for (const example of command.examples) expect(stdout).toContain(example.command);
    for (const option of Object.values(command.options)) expect(stdout).toContain(option.flags);
    for (const code of ['0', '2', '70', '130']) expect(stdout).toMatch(new RegExp(`^  ${code} +\\S`, 'm'));
  });

  it('names exit codes that exist', () => {
    for (const code of Object.keys(command.exits)) expect(EXIT_MEANINGS).toHaveProperty(code);
  });

  it.each([[[]], [['--json']]])('refuses an unknown option with exit 2 (%j)', async (extra: string[]) => {
    const result = await run([...command.path, '--no-such-option', ...extra]);
    expect(result.exit).toBe(2);
    expect(result.stderr).toContain("unknown option '--no-such-option'");
    if (extra.length > 0) expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, exit: 2 });
    else expect(result.stdout).toBe('');
    expect(name).not.toBe('');
  });
});
