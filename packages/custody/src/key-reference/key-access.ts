// SPDX-License-Identifier: Apache-2.0
/**
 * From a key reference to a `Signer`. One login serves all keys of a token, one connection all keys of a custody client;
 * whoever opened the access closes it, and everything opened through it is closed by that.
 */
import { RefusedError, type Clock } from '@witnessmark/core';
import { loadSoftwareKeyAgreement, type KeyAgreement } from '../key-agreement.ts';
import { CustodyClient, type Purpose } from '../service/custody-client.ts';
import { pinFromDescriptor, pinFromFile, type PinSource } from '../pin.ts';
import { LastingAgreement } from '../pkcs11/lasting-agreement.ts';
import { LastingToken } from '../pkcs11/lasting-token.ts';
import { openPkcs11Module } from '../pkcs11/module.ts';
import { openToken, type Pkcs11Token } from '../pkcs11/token.ts';
import type { OpenTokenOptions } from '../pkcs11/token-options.ts';
import { loadSoftwareKey } from '../software-key.ts';
import { formatToken } from '../token-identity.ts';
import type { Signer } from '../signer.ts';
import type { CustodyKeyReference, KeyReference } from './key-reference.ts';
import type { Pkcs11Uri } from './pkcs11-uri.ts';

export interface KeyAccessPorts {
  /** Asks a person, when a reference names no other source; without it such a reference is refused (CU-112). */
  readonly askPin?: PinSource | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** UUIDs, for requests to custody. */
  readonly newId: () => string;
  /** How long custody may take for one signature. */
  readonly custodyTimeoutMs?: number;
  /** The token seems to wait for a touch. */
  readonly onWaiting?: OpenTokenOptions['onWaiting'];
  /** Signatures at the same time, of one token. */
  readonly sessions?: number;
}

export class KeyAccess {
  readonly #ports: KeyAccessPorts;
  readonly #tokens = new Map<string, Promise<LastingToken>>();
  readonly #clients = new Map<string, Promise<CustodyClient>>();
  readonly #opened: { close(): void }[] = [];

  constructor(ports: KeyAccessPorts) {
    this.#ports = ports;
  }

  /** Rejects as the key file, the token (CU-101 to CU-113) or custody (CU-151, CU-153, CU-155) does. */
  async open(reference: KeyReference, purpose: Purpose): Promise<Signer> {
    if (reference.kind === 'file') return loadSoftwareKey(reference.path);
    if (reference.kind === 'pkcs11') return (await this.#token(reference)).key(reference.key);
    return (await this.#client(reference)).key(reference.key, purpose);
  }

  /**
   * A key that agrees on keys instead of signing. Rejects as {@link open} does, and with CU-113 for a key of the custody
   * process, which signs only.
   */
  async openAgreement(reference: KeyReference): Promise<KeyAgreement> {
    if (reference.kind === 'file') return loadSoftwareKeyAgreement(reference.path);
    if (reference.kind === 'pkcs11') return LastingAgreement.find(await this.#token(reference), reference.key);
    throw new RefusedError('CU-113', `custody signs with ${reference.key} and does nothing else`);
  }

  /** The token a reference is about, logged in. */
  async token(uri: Pkcs11Uri): Promise<Pkcs11Token> {
    return (await this.#token(uri)).current();
  }

  #token(uri: Pkcs11Uri): Promise<LastingToken> {
    const name = JSON.stringify([uri.modulePath, uri.token.label, uri.token.serial]);
    return remember(this.#tokens, name, () => this.#openToken(uri));
  }

  /** In the reverse order of opening. */
  close(): void {
    for (const part of this.#opened.splice(0).toReversed()) part.close();
  }

  async #openToken({ modulePath, token, pin }: Pkcs11Uri): Promise<LastingToken> {
    const { onWaiting, sessions, askPin = refusePin, clock } = this.#ports;
    const module = await openPkcs11Module(modulePath);
    this.#opened.push(module);
    const options: OpenTokenOptions = {
      pin: pin === null ? askPin : 'file' in pin ? pinFromFile(pin.file) : pinFromDescriptor(pin.descriptor),
      sessions: sessions ?? 1,
      ...(onWaiting === undefined ? {} : { onWaiting }),
    };
    const opened = await LastingToken.open(() => openToken(module, token, options), clock);
    this.#opened.push(opened);
    return opened;
  }

  #client({ socket, client, tokenFile }: CustodyKeyReference): Promise<CustodyClient> {
    const { newId, custodyTimeoutMs: timeoutMs } = this.#ports;
    return remember(this.#clients, JSON.stringify([socket, client, tokenFile]), async () => {
      const connected = await CustodyClient.connect({
        socketPath: socket,
        client,
        tokenFile,
        newId,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
      this.#opened.push(connected);
      return connected;
    });
  }
}

const refusePin: PinSource = ({ expected }) =>
  Promise.reject(new RefusedError('CU-112', `nobody can be asked for the PIN of ${formatToken(expected)}`));

/** What failed is not remembered: the next one asks anew. */
function remember<T>(opened: Map<string, Promise<T>>, name: string, open: () => Promise<T>): Promise<T> {
  const found = opened.get(name);
  if (found !== undefined) return found;
  const opening = open();
  opened.set(name, opening);
  opening.catch(() => opened.delete(name));
  return opening;
}
