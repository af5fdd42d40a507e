// SPDX-License-Identifier: Apache-2.0
/** Ceremonies of the scene, each from a shipped script: setup and answers in files, run, closed, kept as a transcript. */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateSoftwareKey, saveSoftwareKey } from '@witnessmark/custody';
import { EXIT } from '../../exit-codes.ts';
import { SOFTHSM_MODULE } from '../../service-hsm.ts';
import { OPENSC_MODULE, type Equipment } from './equipment.ts';
import type { Stage } from '../stage.ts';

const ADMINISTRATOR = 'a.rossi';
const WITNESS = 'j.abe';
const PRIVATE_FILE = 0o600;
/** Answers to one question, for every try. */
const TRIES = 4;

export interface Occasion {
  readonly id: string;
  /** Name of the script, without its ending. */
  readonly script: string;
  readonly holders: readonly string[];
  readonly equipment?: readonly (readonly [name: string, label: string, serial: string])[];
  readonly inputs?: Readonly<Record<string, string>>;
  /** What is typed unseen, by `step/secret`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Files its acts find in their work folder. */
  readonly workFiles?: Readonly<Record<string, Uint8Array>>;
  readonly breakGlass?: {
    readonly lineUrl: string;
    readonly trustedRoot: string;
    readonly plant: string;
    readonly line: string;
  };
}

/** What a transcript says, as far as others need it. */
export interface Held {
  fact(step: string, name: string): string;
}

interface Places {
  readonly stage: Stage;
  readonly equipment: Equipment;
  /** Where ceremonies and their transcripts go. */
  readonly directory: string;
  readonly registry: string;
  readonly repository: string;
  /** Where the keys of administrator and witness are. */
  readonly keys: string;
}

export class Ceremonies {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
    const { directory, keys } = places;
    for (const folder of [directory, keys, dirname(places.registry)]) mkdirSync(folder, { recursive: true });
    for (const person of [ADMINISTRATOR, WITNESS]) this.#makeKey(person);
  }

  /** The public keys that sign transcripts, as `ceremony replay` takes them. */
  get signers(): readonly string[] {
    return [ADMINISTRATOR, WITNESS].flatMap((person) => ['--signer', `${person}=${this.#key(person, 'pub.pem')}`]);
  }

  /** Holds a ceremony to its end and closes it; a name that begins with `rehearsal-` is a rehearsal. */
  async hold(occasion: Occasion, office: readonly string[] = ['--unlogged']): Promise<Held> {
    const { stage, directory } = this.#places;
    const { id, script } = occasion;
    const place = ['--directory', directory];
    const setup = join(directory, `${id}.setup.json`);
    const answers = join(directory, `${id}.answers.json`);
    writeFileSync(setup, JSON.stringify(this.#toSetup(occasion), null, 2));
    writeFileSync(answers, JSON.stringify(toAnswers(occasion), null, 2), { mode: PRIVATE_FILE });
    for (const [name, content] of Object.entries(occasion.workFiles ?? {})) {
      mkdirSync(join(directory, id, 'work'), { recursive: true });
      writeFileSync(join(directory, id, 'work', name), content);
    }
    const verb = id.startsWith('rehearsal-') ? 'rehearse' : 'run';
    try {
      await stage.run(['ceremony', verb, scriptFile(script), ...place, '--setup', setup, '--answers', answers], {
        exit: EXIT.waiting,
      });
    } finally {
      // It holds PINs, and has done its service.
      rmSync(answers);
    }
    const signers = [ADMINISTRATOR, WITNESS].flatMap((person) => ['--key', this.#key(person, 'pem')]);
    await stage.run(['ceremony', 'close', id, ...place, ...signers, ...office]);
    return readTranscript(join(directory, `${id}.transcript.json`));
  }

  #toSetup({ id, holders, equipment = [], inputs = {}, breakGlass }: Occasion): object {
    const { registry, repository } = this.#places;
    const signers = [
      { id: ADMINISTRATOR, role: 'administrator', publicKey: this.#key(ADMINISTRATOR, 'pub.pem') },
      { id: WITNESS, role: 'witness', publicKey: this.#key(WITNESS, 'pub.pem') },
    ];
    return {
      mediaType: 'application/vnd.witnessmark.ceremony-setup.v1+json',
      ceremonyId: id,
      location: 'room K2',
      simulated: true,
      people: [...signers, ...holders.map((holder) => ({ id: holder, role: 'holder', publicKey: null }))],
      equipment: equipment.map(([name, label, serial]) => ({ name, label, serial, bag: null })),
      inputs: Object.entries(inputs).map(([name, value]) => ({ name, value })),
      acts: {
        hsmModule: SOFTHSM_MODULE,
        cardModule: OPENSC_MODULE,
        pivRoots: this.#places.equipment.vendorRoots,
        registry,
        repository,
        ...(breakGlass === undefined ? {} : { breakGlass: { ...breakGlass, station: null } }),
      },
    };
  }

  #makeKey(person: string): void {
    const key = generateSoftwareKey('ecdsa-sha2-nistp256');
    saveSoftwareKey(this.#key(person, 'pem'), key);
    const spki = createPublicKey({ key: Buffer.from(key.publicKey.spki), format: 'der', type: 'spki' });
    writeFileSync(this.#key(person, 'pub.pem'), spki.export({ type: 'spki', format: 'pem' }));
  }

  #key(person: string, ending: string): string {
    return join(this.#places.keys, `${person}.${ending}`);
  }
}

function scriptFile(name: string): string {
  return fileURLToPath(import.meta.resolve(`@witnessmark/ceremony/scripts/${name}.ceremony.json`));
}

function toAnswers({ secrets }: Occasion): object {
  const answers = Object.entries(secrets).flatMap(([question, answer]) => {
    const typed = Array.from({ length: TRIES }, () => answer);
    // A new secret is typed twice.
    return [
      [question, typed],
      [`${question}-again`, typed],
    ];
  });
  return {
    mediaType: 'application/vnd.witnessmark.ceremony-answers.v1+json',
    answers: Object.fromEntries(answers) as Record<string, string[]>,
  };
}

interface TranscriptFile {
  readonly envelope: { readonly payload: string };
}

interface TranscriptStatement {
  readonly predicate: {
    readonly steps: readonly {
      readonly id: string;
      readonly facts: readonly { readonly name: string; readonly value: string }[];
    }[];
  };
}

function readTranscript(file: string): Held {
  const { envelope } = JSON.parse(readFileSync(file, 'utf8')) as TranscriptFile;
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as TranscriptStatement;
  return {
    fact: (step, name) => {
      const found = statement.predicate.steps.find(({ id }) => id === step)?.facts.find((fact) => fact.name === name);
      if (found === undefined) throw new TypeError(`${file} has no ${name} in step ${step}`);
      return found.value;
    },
  };
}
