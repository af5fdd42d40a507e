// SPDX-License-Identifier: Apache-2.0
/** What everything at an office shares: its stores, its repository, its lock, and where its statements go. */
import { join } from 'node:path';
import type { GateAction } from '@witnessmark/attestation';
import { RefusedError, WitnessmarkError, type Bytes, type Clock, type Envelope } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import { nodeFiles, TrustAuthor, type ApprovalRule, type Files, type RepositorySigners } from '@witnessmark/trust';
import { ExceptionStore } from './exception-store.ts';
import { withGateLock } from './gate-lock.ts';
import { Attempt, GateRefusals } from './gate-refusals.ts';
import type { KeyDemands } from './key-demands.ts';
import { PromotionStore } from './promotion-store.ts';
import type { SealingOptions } from './sealing.ts';
import type { Judge } from './status.ts';
import { openWorkspace, type Site } from './workspace.ts';

export interface GateOptions {
  /** Where promotions are kept. */
  readonly directory: string;
  /** The TUF repository the gate publishes to. */
  readonly repositoryDir: string;
  /** The pinned root of the repository; kept apart from it. */
  readonly initialRoot: Bytes;
  readonly site: Site;
  readonly rule: ApprovalRule;
  readonly clock: Clock;
  /** Needed to publish and to withdraw; an approver's own machine has none. */
  readonly signers?: RepositorySigners;
  /** How releases are sealed to the line; without it they are published in clear. */
  readonly sealing?: SealingOptions;
  /** What production asks of the keys of people; nothing when absent. */
  readonly demands?: KeyDemands;
  /** The name of this machine, for the record. */
  readonly workstation?: string;
  /** Told of every statement before it takes effect; what cannot be recorded does not happen. */
  readonly onStatement?: (envelope: Envelope) => Promise<void>;
  /** Signs refusals for the record; without it they are only answered. */
  readonly refusals?: { readonly signer: Signer; readonly newId: () => string };
  readonly files?: Files;
}

export class GateContext {
  readonly options: GateOptions;
  readonly files: Files;
  readonly store: PromotionStore;
  readonly exceptions: ExceptionStore;
  readonly #refusals: GateRefusals | null;

  constructor(options: GateOptions) {
    const { directory, clock, site, refusals } = options;
    this.options = options;
    this.files = options.files ?? nodeFiles;
    this.store = new PromotionStore(join(directory, 'promotions'), this.files);
    this.exceptions = new ExceptionStore(join(directory, 'exceptions'), this.files);
    const { files } = this;
    const record = (envelope: Envelope): Promise<void> => this.record(envelope);
    this.#refusals =
      refusals === undefined ? null : new GateRefusals({ directory, files, clock, site, record, ...refusals });
  }

  async judge(): Promise<Judge> {
    const { repositoryDir, initialRoot, signers, site, rule, demands = null, sealing = null, clock } = this.options;
    const author = await TrustAuthor.open({
      directory: repositoryDir,
      initialRoot,
      files: this.files,
      ...(signers && { signers }),
    });
    const workspace = await openWorkspace(author, site);
    return { workspace, site, store: this.store, rule, demands, sealing, now: clock.now() };
  }

  async record(envelope: Envelope): Promise<void> {
    await this.options.onStatement?.(envelope);
  }

  /** Does one change alone; a refusal is on record before it is answered. */
  change<T>(
    action: GateAction,
    about: string | null,
    work: (judge: Judge, attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    return withGateLock(this.options.directory, async () => {
      const attempt = new Attempt(action, about);
      try {
        await this.#refusals?.settle();
        return await work(await this.judge(), attempt);
      } catch (error) {
        if (error instanceof RefusedError) await this.#refusals?.record(error, attempt);
        throw error;
      }
    });
  }

  /** Looks without changing anything, and without waiting for somebody who does. */
  async look<T>(action: GateAction, about: string, work: (judge: Judge) => Promise<T>): Promise<T> {
    try {
      return await work(await this.judge());
    } catch (error) {
      if (error instanceof RefusedError) await this.#recordLook(error, new Attempt(action, about));
      throw error;
    }
  }

  async #recordLook(refused: RefusedError, attempt: Attempt): Promise<void> {
    try {
      await withGateLock(this.options.directory, async () => this.#refusals?.record(refused, attempt));
    } catch (error) {
      // Somebody is at a change; what was only looked at is not worth making them wait.
      if (!(error instanceof WitnessmarkError)) throw error;
    }
  }
}
