// SPDX-License-Identifier: Apache-2.0
/** Ceremony scripts (spec/ceremony-script.md), one defect per case. */
import { caseMaker, toJsonFile, type VectorCase, type VectorFormat } from '../../../../vectors/vector-case.ts';
import { SCRIPT, type Draft } from '../support/scene.ts';

const { accepted, refused } = caseMaker('input.json');

function scriptWith(change: (draft: Draft) => void): Uint8Array {
  const draft: Draft = structuredClone(SCRIPT);
  change(draft);
  return toJsonFile(draft);
}

const bad = (name: string, why: string, change: (draft: Draft) => void): VectorCase =>
  refused(name, 'CE-101', why, scriptWith(change));

export const SCRIPT_VECTORS: VectorFormat = {
  format: 'ceremony-script',
  given: {},
  cases: [
    accepted('every-kind-of-step', 'Steps with and without an act, final and not.', toJsonFile(SCRIPT)),
    accepted(
      'longest-reading',
      'What is read aloud may have 1,000 characters.',
      scriptWith((draft) => (draft.steps[0].readAloud = 'x'.repeat(1_000))),
    ),
    bad(
      'longer-reading',
      'One character more than may be read aloud.',
      (draft) => (draft.steps[0].readAloud = 'x'.repeat(1_001)),
    ),
    bad('unknown-member', 'A member this format does not have.', (draft) => (draft.hurry = true)),
    bad('step-twice', 'Two steps with one id.', (draft) => (draft.steps[1].id = draft.steps[0].id)),
    bad('equipment-twice', 'One name for two things.', (draft) => draft.equipment.push(draft.equipment[0])),
    bad('no-steps', 'A ceremony has a step.', (draft) => (draft.steps = [])),
    bad('unknown-type', 'A type of ceremony this format does not have.', (draft) => (draft.type = 'party')),
    bad(
      'holder-too-many',
      'A step wants a third holder, the script has two.',
      (draft) => (draft.steps[0].roles = ['holder-3']),
    ),
    bad(
      'auditor-unwanted',
      'A step wants an auditor, the script has none.',
      (draft) => (draft.steps[0].roles = ['auditor']),
    ),
    bad('quorum-of-others', 'The quorum is of other holders than the script has.', (draft) => (draft.quorum.of = 3)),
    bad('line-break', 'A text of two lines would look like two.', (draft) => (draft.steps[0].readAloud = 'one\ntwo')),
    bad('escape-sequence', 'A text that would clear the screen.', (draft) => (draft.steps[0].check = '\u001b[2J')),
    bad('turned-text', 'A text whose direction is turned around.', (draft) => (draft.steps[0].witness = '\u202eabc')),
    bad('path-as-name', 'Names become parts of file names.', (draft) => (draft.name = '../root')),
  ],
};
