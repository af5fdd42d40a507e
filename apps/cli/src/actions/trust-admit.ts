// SPDX-License-Identifier: Apache-2.0
/**
 * The office's side of an enrolment: the fingerprint is typed from paper, and only then is the request read. The station's
 * key goes the way of every key, as a change of the trusted root that its holders sign; the certificate opens nothing
 * before they have, because the line asks the trusted root about the key that it names.
 */
import { randomBytes } from 'node:crypto';
import { isValidAt, type KeyRole, type TrustedKey } from '@witnessmark/attestation';
import { RefusedError, STATEMENT_PAYLOAD_TYPE, type Bytes, type Instant } from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import {
  buildStationAdmission,
  formatStationAnswer,
  issueCertificate,
  parsePaperFingerprint,
  parseStationRequest,
  readCertificate,
  readCertificatePem,
  vetStationRequest,
  type VettedRequest,
} from '@witnessmark/enrolment';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { trustAdmitOptions } from '../options/station-identity.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { withOffice } from '../office-work.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf, type Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';
import { formatChange } from '../trust-text.ts';

/** As for every change of the trusted root. */
const MAY_ADMIT: readonly KeyRole[] = ['author', 'approver'];
const DAY_MS = 24 * 3600 * 1000;
const DEFAULT_DAYS = 365;
/** Clocks of new stations are not yet kept. */
const BACKDATED_MS = 10 * 60 * 1000;

type Options = OptionValues<typeof trustAdmitOptions>;

export async function trustAdmit({ options, session }: CommandInput<typeof trustAdmitOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  if ((options.authority === undefined) !== (options.authorityKey === undefined)) {
    throw usageError('--authority and --authority-key go together');
  }
  const typed = await answerOf(session, options.fingerprint, {
    flag: '--fingerprint',
    text: 'Fingerprint, from the paper of the station:',
  });
  const request = parseStationRequest(readFile(options.request, DOCUMENT_BYTES));
  const vetted = vetStationRequest(request, parsePaperFingerprint(typed), clock.now());
  if (vetted.connectionKey !== null && options.authority === undefined) {
    throw usageError('--authority and --authority-key are missing: the station asks for a certificate');
  }
  describe(vetted, session);
  return withOffice(session, options, async (_gate, config, { changes }) => {
    const { plant, line } = config.values.site;
    const { station } = vetted.enrolment;
    if (station.plant !== plant || station.line !== line) {
      throw usageError(`--request is from ${station.line} of ${station.plant}; this office is for ${line} of ${plant}`);
    }
    const keys = await changes.trustedKeys();
    const isRenewal = isInForce(vetted, keys, clock.now());
    const words = isRenewal ? null : await askWords(options, session);
    return withSigner(options.key, { session, purpose: purposeOfStatement }, async (signer) => {
      const person = keys.find(({ key }) => key.keyid === signer.publicKey.keyid);
      if (person === undefined || !MAY_ADMIT.includes(person.role) || !isValidAt(person, clock.now())) {
        throw new RefusedError('PL-116', 'the key that is to admit is not that of an author or approver');
      }
      // First, so that an authority that cannot be used leaves no proposal behind; alone the certificate opens nothing.
      const certificate = vetted.connectionKey === null ? null : await certify(vetted, options, session);
      const enrolments = [request.keyEnrolment];
      const status = words === null ? null : await changes.propose({ proposer: signer, ...words, enrolments });
      const payload = buildStationAdmission({
        request: vetted,
        changeId: status?.changeId ?? null,
        certificate,
        admittedBy: person.owner,
        now: clock.now(),
      });
      const admission = await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
      writeFile(options.out, formatStationAnswer({ admission }));
      if (status !== null) for (const text of formatChange(status, options).slice(1)) output.data(text);
      output.note(`Bring ${options.out} to the station: witnessmark station enroll --answer FILE`);
      output.verdict(
        status === null
          ? `${station.id} is in force already; the answer renews its certificate`
          : `${status.changeId} would enrol ${station.id} and waits for its holders`,
      );
      const document = { change: status, answer: options.out, station, keyid: vetted.stationKey.keyid };
      return { exit: EXIT.yes, document };
    });
  });
}

/** The same key of the same station asks again, for a new certificate; nobody has to sign for it twice. */
function isInForce({ stationKey, enrolment }: VettedRequest, keys: readonly TrustedKey[], now: Instant): boolean {
  const { id, line } = enrolment.station;
  const entry = keys.find(({ key }) => key.keyid === stationKey.keyid);
  return entry?.role === 'station' && entry.owner === id && entry.scope === line && isValidAt(entry, now);
}

async function askWords(options: Options, session: Session): Promise<{ ticket: string; reason: string }> {
  const ticket = await answerOf(session, options.ticket, { flag: '--ticket', text: 'Ticket:' });
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  return { ticket, reason };
}

function describe({ enrolment, stationKey, claims }: VettedRequest, { output }: Session): void {
  const { station, requestedAt, attestationKey, machine } = enrolment;
  output.data(
    `The paper matches the request of ${station.id} of ${station.line}, ${station.plant}, made ${requestedAt}`,
  );
  output.data(`  station key   ${stationKey.keyid}, ${claims.custody}, ${claims.custodyGrade}`);
  output.data(`  machine       ${machine.digest}${attestationKey === null ? '' : ', with a TPM'}`);
}

async function certify(
  { connectionKey, enrolment, stationKey }: VettedRequest,
  { authority = '', authorityKey = '', days = DEFAULT_DAYS }: Options,
  session: Session,
): Promise<{ readonly own: Bytes; readonly authority: Bytes }> {
  if (connectionKey === null) throw new TypeError('a certificate was not asked for');
  const der = readCertificatePem(Buffer.from(readFile(authority, DOCUMENT_BYTES)).toString('latin1'));
  const issuer = readCertificate(der);
  return withSigner(authorityKey, { session, purpose: purposeOfStatement }, async (signer) => {
    demandAuthority(issuer, signer);
    const { id, line, plant } = enrolment.station;
    const now = session.clock.now();
    const own = await issueCertificate(
      {
        profile: { kind: 'station', station: { id, line, plant, keyid: stationKey.keyid } },
        subject: { organizationName: plant, commonName: id },
        publicKey: connectionKey,
        issuer: { name: issuer.subject, publicKey: issuer.publicKey },
        notBefore: now - BACKDATED_MS,
        notAfter: Math.min(now + days * DAY_MS, issuer.notAfter),
        randomBytes: (length) => Uint8Array.from(randomBytes(length)),
      },
      (bytes) => signer.sign(bytes),
    );
    return { own, authority: der };
  });
}

/** A certificate that its authority did not sign would be found out at the station; it is not made. */
export function demandAuthority(issuer: ReturnType<typeof readCertificate>, signer: Pick<Signer, 'publicKey'>): void {
  if (issuer.isAuthority && issuer.publicKey.keyid === signer.publicKey.keyid) return;
  throw usageError('--authority is not the certificate of --authority-key');
}
