// SPDX-License-Identifier: Apache-2.0
/** The shipped scripts that need cards, at a terminal, with virtual PIV cards in real PC/SC readers. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTrustedRoot, type TrustedRoot } from '@witnessmark/attestation';
import { sha256Hex } from '@witnessmark/core';
import { hasCardReaders, startCardReaders, VirtualCard, type CardReaders } from '@witnessmark/piv-card';
import { CeremonyOffice, factOf, hasSoftHsm, USER_PIN, type Occasion } from './ceremony-office.ts';
import { hasProgram } from './programs.ts';

const FACTORY = { pin: '123456', puk: '12345678' };
const PUK = '602!1407';
/** Holder, printed serial, the PIN they choose. */
const OFFICERS = [
  { id: 's.kim', serial: '11000001', pin: '!271828' },
  { id: 'l.meyer', serial: '11000002', pin: '!314159' },
  { id: 'd.okafor', serial: '11000003', pin: '!141421' },
  { id: 'p.silva', serial: '11000004', pin: '!173205' },
] as const;
type Officer = (typeof OFFICERS)[number];
const [KIM, MEYER, OKAFOR, SILVA] = OFFICERS;

const TRUSTED_ROOT: TrustedRoot = {
  mediaType: 'application/vnd.witnessmark.trusted-root.v1+json',
  name: 'office',
  version: 1,
  logs: [],
  witnesses: [],
  keys: [],
  certificateAuthorities: [],
  revocations: [],
};

/** Each step runs the card's own programs. */
const TIMEOUT_MS = 180_000;

describe.skipIf(!hasSoftHsm() || !hasCardReaders() || !hasProgram('yubico-piv-tool') || !hasProgram('opensc-tool'))(
  'scripts with cards, left at question after question and resumed',
  { timeout: TIMEOUT_MS },
  () => {
    const cards: VirtualCard[] = [];
    let readers: CardReaders;
    let office: CeremonyOffice;
    let hsmSerial = '';

    beforeAll(async () => {
      readers = await startCardReaders(OFFICERS.length);
      Object.assign(process.env, readers.env);
      office = new CeremonyOffice();
      for (const [index, { serial }] of OFFICERS.entries()) {
        const card = new VirtualCard({ serial: Number(serial), ...FACTORY });
        cards.push(card);
        const root = office.path(`vendor-${serial}.der`);
        writeFileSync(root, (await card.status()).root);
        office.pivRoots.push(root);
        // The others come when they are issued: whoever looks for a card asks every one that is there.
        if (index === 0) await card.insert(readers.ports[index]!);
      }
      const { predicate } = await office.hold({
        id: 'office-hsm',
        script: 'hsm-initialisation-office',
        holders: ['n.lee', 'o.berg'],
        equipment: { 'service-hsm': ['office-hsm', 'HSM-0007'] },
      });
      hsmSerial = factOf(predicate, 'initialise', 'token serial');
    });
    afterAll(async () => {
      await Promise.all(cards.map((card) => card.destroy()));
      await readers.stop();
      office.remove();
    });

    it('I17: card issue', async () => {
      const { predicate } = await office.holdInterrupted(issueOf(KIM));
      expect(predicate.keys).toContainEqual(expect.objectContaining({ change: 'made', grade: 'vendorAttested' }));
      for (const [index, officer] of OFFICERS.entries()) {
        if (index === 0) continue;
        await cards[index]!.insert(readers.ports[index]!);
        await office.hold(issueOf(officer));
      }
    });

    it('I17: trust root', async () => {
      mkdirSync(office.path('ceremonies', 'root-2027', 'work'), { recursive: true });
      const document = formatTrustedRoot(TRUSTED_ROOT);
      writeFileSync(office.path('ceremonies', 'root-2027', 'work', 'trusted-root.json'), document);
      const inputs = { 'trusted-root': sha256Hex(document) };
      const { predicate } = await office.holdInterrupted(
        rootOf('root-2027', 'trust-root', [KIM, MEYER, OKAFOR], inputs),
      );
      expect(predicate.quorum).toEqual({ threshold: 2, of: 3 });
      const root = JSON.parse(readFileSync(office.path('repository', 'metadata', '1.root.json'), 'utf8')) as {
        signatures: unknown[];
      };
      expect(root.signatures).toHaveLength(3);
    });

    it('I17: card loss', async () => {
      const { keys } = JSON.parse(readFileSync(office.path('key-registry.json'), 'utf8')) as {
        keys: { holder: string; keyid: string }[];
      };
      const key = keys.find(({ holder }) => holder === OKAFOR.id)!.keyid;
      const inputs = { key, reason: 'left in a taxi' };
      await office.holdInterrupted({ id: 'loss', script: 'card-loss', holders: [OKAFOR.id], inputs });
    });

    it('I17: root rotation', async () => {
      const first = readFileSync(office.path('repository', 'metadata', '1.root.json'));
      const inputs = { 'first-root': sha256Hex(Uint8Array.from(first)) };
      const { predicate } = await office.holdInterrupted(
        rootOf('rotation', 'root-rotation', [KIM, MEYER, SILVA], inputs),
      );
      expect(factOf(predicate, 'publish', 'root version')).toBe('2');
    });

    it('I16: no PIN and no PUK is in any file of any ceremony', () => {
      const written = ['issue-11000001', 'root-2027', 'rotation'].flatMap((id) =>
        [`${id}/journal`, `${id}.transcript.json`, `${id}.html`].map((name) =>
          readFileSync(office.path('ceremonies', name), 'latin1'),
        ),
      );
      const texts = written.join('\n');
      const secrets = [...OFFICERS.map(({ pin }) => pin), PUK, USER_PIN];
      for (const secret of secrets) expect(texts).not.toContain(secret);
    });

    function issueOf(officer: Officer): Occasion {
      return {
        id: `issue-${officer.serial}`,
        script: 'card-issue-root',
        holders: [officer.id, 'o.berg'],
        equipment: { card: [officer.id, officer.serial] },
        say: (question) => {
          if (!question.includes('nobody else looks')) return null;
          return question.includes('PUK') ? PUK : officer.pin;
        },
      };
    }

    function rootOf(
      id: string,
      script: string,
      officers: readonly Officer[],
      inputs: Record<string, string>,
    ): Occasion {
      const own = officers.map(
        ({ id: label, serial }, index) => [`card-${index + 1}`, [label, serial] as const] as const,
      );
      return {
        id,
        script,
        holders: officers.map((officer) => officer.id),
        equipment: { ...Object.fromEntries(own), 'service-hsm': ['office-hsm', hsmSerial] },
        inputs,
        say: (question, seen) => {
          const holder = /^holder-([123]), and nobody else looks/.exec(question)?.[1];
          if (holder !== undefined) return officers[Number(holder) - 1]!.pin;
          if (!question.includes('characters of the root digest')) return null;
          return [...seen.matchAll(/root version \d+, digest\s+([0-9a-f]{4})/g)].at(-1)?.[1] ?? null;
        },
      };
    }
  },
);
