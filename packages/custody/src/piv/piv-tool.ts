// SPDX-License-Identifier: Apache-2.0
/**
 * Administering PIV cards with their vendor's program, `yubico-piv-tool`, and `opensc-tool` for what that does not show
 * (GET METADATA, https://docs.yubico.com/yesdk/users-manual/application-piv/apdu/metadata.html). A card is named by the
 * serial printed on it, which is read again before anything is done to it.
 */
import { decodeHex, parsePublicKeyPem, RefusedError, type Bytes, type PublicKey } from '@witnessmark/core';
import { checkPin } from '../pin.ts';
import { runCardProgram, type CardProgramOptions, type ProgramOutput } from './card-program.ts';
import { parseCardMetadata, type CardMetadata } from './card-metadata.ts';
import type { PivAttestation } from '../attestation/piv-attestation.ts';
import type { PivPolicy } from '../key-policy/key-policy.ts';

/** What every YubiKey leaves the factory with; published, so that a card that still has them protects nothing. */
export const FACTORY_PIN = '123456';
export const FACTORY_PUK = '12345678';

export interface InsertedCard {
  readonly reader: string;
  /** As printed on the card, decimal. */
  readonly serial: string;
  readonly firmware: string;
  /** Card holder unique identifier, hexadecimal; null on a card nobody has issued. */
  readonly chuid: string | null;
}

const PIV_TOOL = 'yubico-piv-tool';
const OPENSC_TOOL = 'opensc-tool';
const SELECT_PIV = '00A4040009A00000030800001000';
const METADATA = { pin: '00F7008000', puk: '00F7008100', managementKey: '00F7009B00', slot9c: '00F7009C00' };
const MAX_CARDS_NAMED = 4;

export class PivTool {
  readonly #options: CardProgramOptions;

  constructor(options: CardProgramOptions = {}) {
    this.#options = options;
  }

  /** The PIV cards in all readers. Throws CE-208. */
  async cards(): Promise<InsertedCard[]> {
    const { stdout } = await this.#run(['-r', '', '-a', 'list-readers']);
    const readers = stdout.split('\n').filter((line) => line.trim() !== '');
    const cards = await Promise.all(readers.map((reader) => this.#cardIn(reader)));
    return cards.filter((card) => card !== null);
  }

  /** Finds a card by its printed serial. Throws CE-209 with what was found instead; no PIN has been asked for. */
  async findCard(serial: string): Promise<InsertedCard> {
    const cards = await this.cards();
    const matches = cards.filter((card) => card.serial === serial);
    if (matches.length === 1) return matches[0] as InsertedCard;
    const found = cards.slice(0, MAX_CARDS_NAMED).map((card) => card.serial);
    throw new RefusedError(
      'CE-209',
      `expected card ${serial}, found ${found.length === 0 ? 'none' : found.join(', ')}`,
    );
  }

  /** Throws CE-208, also for a card that does not show it (firmware before 5.3). */
  async metadata({ reader }: InsertedCard): Promise<CardMetadata> {
    const commands = [SELECT_PIV, ...Object.values(METADATA)].flatMap((apdu) => ['-s', apdu]);
    const output = await runCardProgram(
      OPENSC_TOOL,
      ['--card-driver', 'default', '--reader', reader, ...commands],
      '',
      this.#options,
    );
    return parseCardMetadata(this.#demandDone(output, 'reading the metadata').stdout, Object.keys(METADATA).length);
  }

  /** Throws CU-105 or CU-106 when `current` is not the PIN. */
  async changePin(card: InsertedCard, current: string, next: string): Promise<void> {
    await this.#changeSecret(card, 'change-pin', current, next);
  }

  async changePuk(card: InsertedCard, current: string, next: string): Promise<void> {
    await this.#changeSecret(card, 'change-puk', current, next);
  }

  /**
   * Makes a P-256 key in the policy's slot, and card holder identifiers on a card that has none. Needs the factory's
   * management key. Throws CE-208.
   */
  async generateKey(card: InsertedCard, policy: PivPolicy): Promise<PublicKey> {
    const identifiers = card.chuid === null ? ['-a', 'set-chuid', '-a', 'set-ccc'] : [];
    const policies = ['--pin-policy', policy.pinPolicy, '--touch-policy', policy.touchPolicy];
    const args = ['-s', policy.slot, '-A', 'ECCP256', ...policies, ...identifiers, '-a', 'generate', '-o', '-'];
    const { stdout } = this.#demandDone(await this.#onCard(card, args), 'making a key');
    return parsePublicKeyPem(pemOf(stdout, 'PUBLIC KEY'));
  }

  /** The certificate the card signed for the key in the slot, with its own; null when there is no key it would attest. */
  async attest(card: InsertedCard, slot: string): Promise<PivAttestation | null> {
    const leaf = await this.#onCard(card, ['-s', slot, '-a', 'attest', '-o', '-']);
    if (leaf.exitCode !== 0) return null;
    const own = await this.#onCard(card, ['-s', 'f9', '-a', 'read-certificate', '-o', '-']);
    this.#demandDone(own, 'reading the attestation certificate');
    return { leaf: derOf(leaf.stdout), intermediates: [derOf(own.stdout)] };
  }

  /** DER, or null when the slot has none. */
  async readCertificate(card: InsertedCard, slot: string): Promise<Bytes | null> {
    const { exitCode, stdout } = await this.#onCard(card, ['-s', slot, '-a', 'read-certificate', '-o', '-']);
    return exitCode === 0 ? derOf(stdout) : null;
  }

  /** `pem` is a certificate. */
  async writeCertificate(card: InsertedCard, slot: string, pem: string): Promise<void> {
    this.#demandDone(
      await this.#onCard(card, ['-s', slot, '-a', 'import-certificate', '-i', '-'], pem),
      'writing a certificate',
    );
  }

  /** Replaces the factory's management key by 24 bytes in hexadecimal. */
  async setManagementKey(card: InsertedCard, key: string): Promise<void> {
    const args = ['--stdin-input', '-a', 'set-mgm-key'];
    this.#demandDone(await this.#onCard(card, args, `${key}\n`), 'setting the management key');
  }

  async #changeSecret(card: InsertedCard, action: string, current: string, next: string): Promise<void> {
    checkPin(current, 'the answer');
    checkPin(next, 'the answer');
    const output = await this.#onCard(card, ['--stdin-input', '-a', action], `${current}\n${next}\n`);
    if (output.exitCode === 0) return;
    const what = `the card ${card.serial} refused ${action}`;
    if (/blocked\.?\s*$/im.test(output.stderr) && !/tries left/i.test(output.stderr))
      throw new RefusedError('CU-106', what);
    const tries = /(\d+) tries left/i.exec(output.stderr)?.[1];
    if (tries !== undefined) throw new RefusedError('CU-105', `${what}: ${tries} tries left`);
    this.#demandDone(output, action);
  }

  /** Another card may have been put into the reader since it was found. */
  async #onCard(card: InsertedCard, args: readonly string[], input = ''): Promise<ProgramOutput> {
    const found = await this.#cardIn(card.reader);
    if (found?.serial !== card.serial) {
      const what = found === null ? 'none' : found.serial;
      throw new RefusedError('CE-209', `expected card ${card.serial} in ${card.reader}, found ${what}`);
    }
    return this.#run(['-r', card.reader, ...args], input);
  }

  /** Null when the reader is empty, or holds no PIV card that shows its serial. */
  async #cardIn(reader: string): Promise<InsertedCard | null> {
    const { exitCode, stdout } = await this.#run(['-r', reader, '-a', 'status']);
    const serial = /^Serial Number:\s*(\d+)\s*$/m.exec(stdout)?.[1];
    if (exitCode !== 0 || serial === undefined) return null;
    const firmware = /^Version:\s*(\S+)\s*$/m.exec(stdout)?.[1] ?? 'unknown';
    return { reader, serial, firmware, chuid: /^CHUID:\s*([0-9a-f]{16,})\s*$/m.exec(stdout)?.[1] ?? null };
  }

  #run(args: readonly string[], input = ''): Promise<ProgramOutput> {
    return runCardProgram(PIV_TOOL, args, input, this.#options);
  }

  #demandDone(output: ProgramOutput, doing: string): ProgramOutput {
    if (output.exitCode === 0) return output;
    const said = output.stderr.trim().split('\n').at(-1) ?? '';
    throw new RefusedError('CE-208', `${doing}: exit code ${output.exitCode}, ${printable(said)}`);
  }
}

function pemOf(text: string, kind: string): string {
  const pem = new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----\n?`).exec(text)?.[0];
  if (pem === undefined) throw new RefusedError('CE-208', `${PIV_TOOL} printed no ${kind.toLowerCase()}`);
  return pem;
}

function derOf(text: string): Bytes {
  const body = pemOf(text, 'CERTIFICATE').replaceAll(/-----[A-Z ]+-----|\s/g, '');
  return decodeHex(Buffer.from(body, 'base64').toString('hex'));
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 120);
}
