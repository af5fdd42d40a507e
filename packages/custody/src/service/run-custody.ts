// SPDX-License-Identifier: Apache-2.0
/** The composition of the custody process: token, keys, journal, service, socket. */
import { decodeHex, type Clock } from '@witnessmark/core';
import { demandKeys } from '../key-policy/check-keys.ts';
import { keyPolicy } from '../key-policy/key-policy.ts';
import { pinFromDescriptor, pinFromFile } from '../pin.ts';
import { LastingToken } from '../pkcs11/lasting-token.ts';
import { openPkcs11Module } from '../pkcs11/module.ts';
import { openToken, type Pkcs11Token } from '../pkcs11/token.ts';
import { listenCustody } from './custody-listener.ts';
import { CustodyService } from './custody-service.ts';
import { Journal } from './journal.ts';
import type { CustodyConfig } from './custody-config.ts';

export interface RunningCustody {
  close(): Promise<void>;
}

// eslint-disable-next-line no-restricted-syntax -- the process is its own composition root
const SYSTEM_CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Throws what opening the token, checking its keys, or opening the journal throws; nothing is left open then. */
export async function runCustody(config: CustodyConfig): Promise<RunningCustody> {
  const opened: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of opened.splice(0).toReversed()) await closeOne();
  };
  try {
    const module = await openPkcs11Module(config.module);
    opened.push(() => {
      module.close();
    });
    const pin = 'file' in config.pin ? pinFromFile(config.pin.file) : pinFromDescriptor(config.pin.descriptor);
    const policies = config.keys.map(keyPolicy);
    const open = async (): Promise<Pkcs11Token> => {
      const { sessions, signing } = config;
      const token = await openToken(module, config.token, { pin, sessions, signing, signApart: true });
      try {
        demandKeys(token, policies);
        return token;
      } catch (error) {
        token.close();
        throw error;
      }
    };
    const token = await LastingToken.open(open, SYSTEM_CLOCK);
    opened.push(() => {
      token.close();
    });
    const keys = new Map(policies.map(({ name, label, id }) => [name, token.key({ label, id: decodeHex(id) })]));
    const journal = await Journal.open({ dir: config.journal });
    opened.push(() => {
      journal.close();
    });
    const service = await CustodyService.open({ keys, clients: config.clients, journal, clock: SYSTEM_CLOCK });
    const listener = await listenCustody(config.socket, service);
    opened.push(() => listener.close());
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}
