// SPDX-License-Identifier: Apache-2.0
/** Break-glass ceremonies at a line: its statements (spec/break-glass.md), signed in the room, submitted as every other. */
import {
  BREAK_GLASS_SCOPES,
  breakGlassClosing,
  breakGlassOpening,
  buildStatement,
  isValidAt,
  toTrustedKeys,
  type BreakGlassOpening,
  type TrustedRoot,
} from '@witnessmark/attestation';
import type { LineService, LineViews, SiteRecordView } from '@witnessmark/api';
import type { BreakGlassPort, BreakGlassRecord } from '@witnessmark/ceremony';
import { encodeUtf8, formatInstant, RefusedError, sha256Hex, type Bytes, type Envelope } from '@witnessmark/core';
import { toKnownOpening } from '../break-glass.ts';
import { CliError } from '../error.ts';

const OPENING_KIND = 'break-glass-opening';
const CLOSING_KIND = 'break-glass-closing';
const ROLES: ReadonlySet<string> = new Set(['supervisor', 'approver']);

export interface LineBreakGlassOptions {
  readonly line: Pick<LineService, 'submit'> & Pick<LineViews, 'siteRecords'>;
  readonly trustedRoot: TrustedRoot;
  readonly place: BreakGlassOpening['place'];
}

export class LineBreakGlass implements BreakGlassPort {
  readonly #options: LineBreakGlassOptions;

  constructor(options: LineBreakGlassOptions) {
    this.#options = options;
  }

  opening(order: Parameters<BreakGlassPort['opening']>[0]): Promise<Bytes> {
    const { place } = this.#options;
    const { scope, requestedBy, confirmedBy, ...rest } = order;
    const subject = { name: 'line', digest: { sha256: sha256Hex(encodeUtf8(place.line)) } };
    const statement = buildStatement(breakGlassOpening, subject, {
      ...rest,
      place,
      scope: scope.map(toScope),
      requestedBy: this.#personOf(requestedBy, order.openedAt),
      confirmedBy: this.#personOf(confirmedBy, order.openedAt),
    });
    return Promise.resolve(statement);
  }

  async closing({ openingId, resealedBy, ...rest }: Parameters<BreakGlassPort['closing']>[0]): Promise<Bytes> {
    const record = await this.#record(OPENING_KIND, openingId);
    if (record === null) throw new RefusedError('CE-219', `the line has no break-glass opening ${openingId}`);
    const { place } = toKnownOpening(record, 0).opening;
    const subject = { name: 'opening', digest: { sha256: record.digest } };
    return buildStatement(breakGlassClosing, subject, {
      ...rest,
      openingId,
      openingDigest: { sha256: record.digest },
      place,
      resealedBy: this.#personOf(resealedBy, rest.resealedAt),
    });
  }

  async find(id: string): Promise<BreakGlassRecord | null> {
    const record = (await this.#record(OPENING_KIND, id)) ?? (await this.#record(CLOSING_KIND, id));
    return record === null ? null : toRecord(record);
  }

  async submit(envelope: Envelope): Promise<BreakGlassRecord> {
    await this.#options.line.submit(envelope);
    const digest = sha256Hex(envelope.payload);
    const kinds = await Promise.all([OPENING_KIND, CLOSING_KIND].map((kind) => this.#options.line.siteRecords(kind)));
    const record = kinds.flat().find((candidate) => candidate.digest === digest);
    if (record === undefined) throw new CliError('ERR_CLI_INPUT', `the line took ${digest} and does not show it`);
    return toRecord(record);
  }

  async #record(kind: string, id: string): Promise<SiteRecordView | null> {
    const records = await this.#options.line.siteRecords(kind);
    return records.find((record) => record.id === id) ?? null;
  }

  /** The role follows from the trusted root. Throws CE-214 for somebody who may not. */
  #personOf(id: string, at: string): BreakGlassOpening['requestedBy'] {
    const found = toTrustedKeys(this.#options.trustedRoot).find(
      (key) => key.owner === id && ROLES.has(key.role) && isValidAt(key, Date.parse(at)),
    );
    if (found === undefined) {
      throw new RefusedError(
        'CE-214',
        `${id} has no key of a supervisor or approver in ${this.#options.trustedRoot.name}`,
      );
    }
    return { id, role: found.role };
  }
}

function toRecord(record: SiteRecordView): BreakGlassRecord {
  const until = record.kind === OPENING_KIND ? formatInstant(toKnownOpening(record, 0).endsAt) : null;
  return { payloadDigest: record.digest, until };
}

function toScope(text: string): BreakGlassOpening['scope'][number] {
  const scope = BREAK_GLASS_SCOPES.find((candidate) => candidate === text);
  if (scope === undefined) throw new RefusedError('CE-219', `no rule is called ${text}`);
  return scope;
}
