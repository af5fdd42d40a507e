// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { encodeUtf8, formatJson, sha256Hex, type Bytes } from '@witnessmark/core';
import { checkActs, parseScript, SCRIPT_LIMITS } from '@witnessmark/ceremony';
import { expectRefusal } from './support/run.ts';
import { script, SCRIPT, type Draft } from './support/scene.ts';
import { fakeActs, FakeWorld } from './support/world.ts';

const acts = fakeActs(new FakeWorld());

type Change = (draft: Draft) => void;

const many = (count: number, make: (index: number) => unknown): unknown[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe('a ceremony script', () => {
  it('is known by the digest of its very bytes', () => {
    const bytes = formatJson(SCRIPT);
    const reviewed = parseScript(bytes);
    expect(reviewed.sha256).toBe(sha256Hex(bytes));
    expect(reviewed.script.steps.map(({ id }) => id)).toEqual(['open-bag', 'make-key', 'stamp-paper', 'seal-bag']);
    const spaced = parseScript(encodeUtf8(JSON.stringify(SCRIPT, null, 2)));
    expect(spaced.script).toEqual(reviewed.script);
    expect(spaced.sha256).not.toBe(reviewed.sha256);
  });

  it.each<[string, Change]>([
    ['an unknown member', (draft) => (draft.hurry = true)],
    ['an unknown member of a step', (draft) => (draft.steps[0].skip = true)],
    ['another media type', (draft) => (draft.mediaType = 'text/plain')],
    ['another type of ceremony', (draft) => (draft.type = 'party')],
    ['no step', (draft) => (draft.steps = [])],
    ['a step twice', (draft) => (draft.steps[1].id = 'open-bag')],
    ['a thing twice', (draft) => draft.equipment.push(draft.equipment[0])],
    ['an input twice', (draft) => draft.inputs.push(draft.inputs[0])],
    ['a role twice in one step', (draft) => (draft.steps[0].roles = ['witness', 'witness'])],
    ['a role it does not know', (draft) => (draft.steps[0].roles = ['janitor'])],
    ['a holder beyond those it wants', (draft) => (draft.steps[0].roles = ['holder-3'])],
    ['an auditor it does not want', (draft) => (draft.steps[0].roles = ['auditor'])],
    ['a quorum of other holders', (draft) => (draft.quorum = { threshold: 2, of: 3 })],
    ['a quorum nobody reaches', (draft) => (draft.quorum = { threshold: 3, of: 2 })],
    ['a line break in what is read aloud', (draft) => (draft.steps[0].readAloud = 'one\ntwo')],
    ['an escape sequence', (draft) => (draft.steps[0].check = '\u001b[2Jgone')],
    ['a text turned around', (draft) => (draft.steps[0].witness = '\u202eabc')],
    ['an empty text', (draft) => (draft.steps[0].expected = '')],
    ['a name that is a path', (draft) => (draft.name = '../root')],
  ])('is refused with %s', async (_what, change) => {
    await expectRefusal('CE-101', () => script(change));
  });

  it.each<[string, Change, Change]>([
    [
      'steps',
      (draft) => (draft.steps = many(40, (at) => ({ ...draft.steps[0], id: `s-${at}` }))),
      (draft) => (draft.steps = many(41, (at) => ({ ...draft.steps[0], id: `s-${at}` }))),
    ],
    [
      'equipment',
      (draft) => (draft.equipment = many(12, (at) => ({ name: `e-${at}`, description: 'x' }))),
      (draft) => (draft.equipment = many(13, (at) => ({ name: `e-${at}`, description: 'x' }))),
    ],
    [
      'inputs',
      (draft) => (draft.inputs = many(12, (at) => ({ name: `i-${at}`, description: 'x' }))),
      (draft) => (draft.inputs = many(13, (at) => ({ name: `i-${at}`, description: 'x' }))),
    ],
    [
      'what is read aloud',
      (draft) => (draft.steps[0].readAloud = 'x'.repeat(1_000)),
      (draft) => (draft.steps[0].readAloud = 'x'.repeat(1_001)),
    ],
    [
      'holders',
      (draft) => ((draft.roles.holders = 8), (draft.quorum = null)),
      (draft) => ((draft.roles.holders = 9), (draft.quorum = null)),
    ],
  ])('has its limit of %s, and one more is refused', async (_what, atLimit, beyond) => {
    expect(script(atLimit).script.name).toBe('test-root');
    await expectRefusal('CE-101', () => script(beyond));
  });

  it('has its limit of bytes, and one more is refused', async () => {
    const text = JSON.stringify(SCRIPT);
    const padded = (length: number): Bytes => encodeUtf8(text + ' '.repeat(length - text.length));
    const { maxBytes } = SCRIPT_LIMITS.json;
    expect(parseScript(padded(maxBytes)).script.version).toBe(3);
    await expectRefusal('CE-101', () => parseScript(padded(maxBytes + 1)));
  });

  it('is refused when it is not strict JSON', async () => {
    for (const text of ['', '{', '[]', '{"name":"a","name":"b"}', '\ufeff{}']) {
      await expectRefusal('CE-101', () => parseScript(encodeUtf8(text)));
    }
  });
});

describe('script and acts', () => {
  it('fit', () => {
    checkActs(script().script, acts);
  });

  it.each<[string, Change]>([
    ['an act nobody has', (draft) => (draft.steps[1].act.kind = 'melt')],
    ['a parameter it does not know', (draft) => (draft.steps[1].act.parameters.pin = '1234')],
    ['a parameter of another type', (draft) => (draft.steps[1].act.parameters.thing = 7)],
  ])('do not fit with %s', async (_what, change) => {
    const error = await expectRefusal('CE-102', () => {
      checkActs(script(change).script, acts);
    });
    expect(error.message).not.toContain('1234');
  });

  it.each<[string, Change]>([
    ['the script hides that an act is final', (draft) => (draft.steps[1].irreversible = null)],
    ['the script warns of an act that can be repeated', (draft) => (draft.steps[2].irreversible = 'For good.')],
  ])('do not fit when %s', async (_what, change) => {
    await expectRefusal('CE-103', () => {
      checkActs(script(change).script, acts);
    });
  });
});
