// SPDX-License-Identifier: Apache-2.0
/** The things of the scene: cards in real PC/SC readers, and tokens of SoftHSM, which stands for the HSMs. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCardReaders, startCardReaders, VirtualCard, type CardReaders } from '@witnessmark/piv-card';
import { CliError } from '../../error.ts';
import { SOFTHSM_MODULE } from '../../service-hsm.ts';

export const OPENSC_MODULE = '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so';
const FACTORY = { pin: '123456', puk: '12345678' };
const PACKAGES = 'softhsm2 opensc pcscd vsmartcard-vpcd yubico-piv-tool gcc openssl';
const PROGRAMS = ['/usr/bin/softhsm2-util', '/usr/bin/pkcs11-tool', '/usr/bin/yubico-piv-tool', OPENSC_MODULE];

export class Equipment {
  /** For every program that reaches a card or token. */
  readonly environment: Readonly<Record<string, string>>;
  /** Certificates of the vendor of the cards, one file each. */
  readonly vendorRoots: readonly string[];
  readonly #readers: CardReaders;
  readonly #cards: ReadonlyMap<string, VirtualCard>;

  private constructor(parts: {
    readonly environment: Readonly<Record<string, string>>;
    readonly vendorRoots: readonly string[];
    readonly readers: CardReaders;
    readonly cards: ReadonlyMap<string, VirtualCard>;
  }) {
    this.environment = parts.environment;
    this.vendorRoots = parts.vendorRoots;
    this.#readers = parts.readers;
    this.#cards = parts.cards;
  }

  /**
   * Makes blank cards with these printed serials, each for a reader of its own, and an empty SoftHSM in `directory`.
   * Throws `ERR_CLI_DEMO_EQUIPMENT` when a program is missing or this does not run as root, which pcscd needs.
   */
  static async prepare(directory: string, serials: readonly string[]): Promise<Equipment> {
    if (!hasCardReaders() || ![...PROGRAMS, SOFTHSM_MODULE].every((path) => existsSync(path))) {
      throw new CliError(
        'ERR_CLI_DEMO_EQUIPMENT',
        `the cards of this scene need root and these Debian packages: ${PACKAGES}`,
      );
    }
    mkdirSync(join(directory, 'tokens'), { recursive: true });
    const softHsm = join(directory, 'softhsm2.conf');
    const settings = [`directories.tokendir = ${join(directory, 'tokens')}`, 'objectstore.backend = file'];
    writeFileSync(softHsm, `${[...settings, 'log.level = ERROR'].join('\n')}\n`);
    const readers = await startCardReaders(serials.length);
    const cards = new Map(serials.map((serial) => [serial, new VirtualCard({ serial: Number(serial), ...FACTORY })]));
    const environment = { SOFTHSM2_CONF: softHsm, ...readers.env };
    const vendorRoots: string[] = [];
    for (const [index, [serial, card]] of [...cards].entries()) {
      const file = join(directory, `vendor-of-${serial}.der`);
      writeFileSync(file, (await card.status()).root);
      vendorRoots.push(file);
      await card.insert(readers.ports[index] as number);
    }
    return new Equipment({ environment, vendorRoots, readers, cards });
  }

  async pull(serial: string): Promise<void> {
    await this.#cards.get(serial)?.pull();
  }

  async insert(serial: string): Promise<void> {
    const reader = [...this.#cards.keys()].indexOf(serial);
    await this.#cards.get(serial)?.insert(this.#readers.ports[reader] as number);
  }

  async putAway(): Promise<void> {
    await Promise.all([...this.#cards.values()].map((card) => card.destroy()));
    await this.#readers.stop();
  }
}
