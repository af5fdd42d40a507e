// SPDX-License-Identifier: Apache-2.0
/** Enrolment as the station sees it: a request with a fingerprint for paper, then the office's answer, checked and installed. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { HttpLineService } from '@witnessmark/api';
import { isValidAt, parseTrustedRoot, toTrustedKeys, type TrustedRoot } from '@witnessmark/attestation';
import { formatInstant, hasCode, STATEMENT_PAYLOAD_TYPE, type Bytes, type Envelope } from '@witnessmark/core';
import { parseKeyReference, signEnvelope, type Signer } from '@witnessmark/custody';
import {
  buildStationEnrolment,
  formatPaperFingerprint,
  formatStationRequest,
  parseStationAnswer,
  verifyStationAnswer,
  type StationRequest,
  type VettedRequest,
} from '@witnessmark/enrolment';
import { makeEnrolment } from '@witnessmark/gate';
import { TrustClient, TRUSTED_ROOT_PATH } from '@witnessmark/trust';
import { buildCertificateRequest } from '@witnessmark/x509';
import type { CommandInput, CommandResult } from '../command.ts';
import type { stationEnrollOptions } from '../options/station-identity.ts';
import { loadConfig, namedConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { openLineConnection, type LineConnection } from '../identity/connection.ts';
import { IdentityDirectory } from '../identity/identity-directory.ts';
import { ensureKey } from '../identity/key-making.ts';
import { openStationQuoter, readStationMachine } from '../identity/machine.ts';
import { purposeOfStatement } from '../purpose.ts';
import type { Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

const LINE_TIMEOUT_MS = 10_000;
/** Together longer than a line keeps what it read, unless its rules say more. */
const MAX_ATTEMPTS = 20;
const ATTEMPT_INTERVAL_MS = 1_000;
const NONCE_BYTES = 32;

type Config = LoadedConfig<StationConfig>;

export async function stationEnroll({
  options,
  session,
}: CommandInput<typeof stationEnrollOptions>): Promise<CommandResult> {
  if (options.answer !== undefined && options.again) throw usageError('--answer and --again exclude each other');
  const config = loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).stationConfig),
    stationConfigSchema,
  );
  const { identity } = config.values;
  if (identity === undefined) throw new CliError('ERR_CLI_CONFIG', `${config.file}: identity is missing`);
  const directory = new IdentityDirectory(config.pathOf(identity.directory));
  if (options.answer !== undefined) return installAnswer(options.answer, config, directory, session);
  const existing = options.again ? null : directory.readRequest();
  const request = existing?.request ?? (await makeRequest(config, directory, session));
  if (options.out !== undefined) writeFile(options.out, formatStationRequest(request));
  return showRequest(request, directory, options.out, session);
}

/** Durable before anything is printed: what stands on paper can be asked for again. */
async function makeRequest(config: Config, directory: IdentityDirectory, session: Session): Promise<StationRequest> {
  const { values, pathOf } = config;
  const { station: id, line, plant } = values;
  const connectionKey = values.identity?.connectionKey;
  // Keys that were destroyed with a retirement are made again; others are found.
  await ensureKey(values.stationKey, 'station', pathOf, session);
  if (connectionKey !== undefined) await ensureKey(connectionKey, 'station-connection', pathOf, session);
  const machine = await readStationMachine(config);
  const quoter = await openStationQuoter(values);
  const now = session.clock.now();
  const open = <T>(reference: string, work: (signer: Signer) => Promise<T>): Promise<T> =>
    withSigner(reference, { session, purpose: purposeOfStatement, pathOf }, work);
  const certificateRequest =
    connectionKey === undefined
      ? null
      : await open(connectionKey, (signer) => requestCertificate(signer, { organizationName: plant, commonName: id }));
  return open(values.stationKey, async (signer) => {
    const reference = parseKeyReference(values.stationKey, pathOf);
    const claims = {
      owner: id,
      role: 'station',
      scope: line,
      uses: [],
      custodyGrade: signer.custody === 'hardware' ? 'selfReported' : 'asserted',
      attestation: null,
      rehearsal: false,
      token: reference.kind === 'pkcs11' ? { ...reference.token } : null,
    } as const;
    const keyEnrolment = await makeEnrolment({ ...claims, uses: [] }, signer, now);
    const payload = buildStationEnrolment({
      enrolmentId: session.newId(),
      station: { id, line, plant },
      stationKey: signer.publicKey,
      keyEnrolment,
      certificateRequest,
      machine,
      attestationKey: quoter?.attestationKey ?? null,
      nonce: Uint8Array.from(randomBytes(NONCE_BYTES)),
      now,
    });
    const request = { enrolment: await signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]), keyEnrolment };
    directory.saveRequest(request);
    return request;
  });
}

function requestCertificate(
  signer: Signer,
  subject: { readonly organizationName: string; readonly commonName: string },
): Promise<Bytes> {
  return buildCertificateRequest(subject, signer.publicKey, (bytes) => signer.sign(bytes));
}

function showRequest(
  request: StationRequest,
  directory: IdentityDirectory,
  out: string | undefined,
  { output }: Session,
): CommandResult {
  const vetted = directory.readRequest()?.vetted;
  if (vetted === undefined) throw new TypeError('a request that was saved can be read');
  const { station, requestedAt } = vetted.enrolment;
  output.data(`Request of ${station.id} of ${station.line}, ${station.plant}, made ${requestedAt}`);
  output.data(`  station key   ${vetted.stationKey.keyid}`);
  output.data('');
  output.data('  Write this on paper; the office types it from there:');
  for (const line of formatPaperFingerprint(vetted.digest)) output.data(`      ${line}`);
  output.data('');
  const file = out ?? directory.request;
  output.verdict(`next, in the office: witnessmark trust admit --request ${file} --key KEY --out ANSWER`);
  return {
    exit: EXIT.yes,
    document: {
      request: file,
      fingerprint: formatPaperFingerprint(vetted.digest).join(' '),
      digest: vetted.digest,
      keyid: vetted.stationKey.keyid,
      enrolmentId: vetted.enrolment.enrolmentId,
      signatures: request.enrolment.signatures.length,
    },
  };
}

async function installAnswer(
  path: string,
  config: Config,
  directory: IdentityDirectory,
  session: Session,
): Promise<CommandResult> {
  const { output, clock } = session;
  const own = directory.readRequest();
  if (own === null) throw new CliError('ERR_CLI_CONFIG', 'this station has made no request that could be answered');
  const answer = parseStationAnswer(readFile(path, DOCUMENT_BYTES));
  const keys = toTrustedKeys(readTrustedRoot(config));
  const { admission, certificate } = verifyStationAnswer(answer, own.vetted, { keys, now: clock.now() });
  if (certificate !== null) directory.saveCertificate(certificate);
  const what = admission.changeId === null ? 'as before' : `with change ${admission.changeId}`;
  output.data(`Admitted by ${admission.admittedBy.id} at ${admission.admittedAt} ${what}`);
  if (certificate !== null)
    output.data(`  certificate   installed, valid until ${formatInstant(certificate.notAfter)}`);
  const entry = await announce(config, own.request, own.vetted, session);
  const { station } = own.vetted.enrolment;
  const document = { changeId: admission.changeId, admittedBy: admission.admittedBy.id, entry };
  if (entry === null) {
    const change = admission.changeId ?? 'the key';
    output.verdict(`${change} is not in force yet: its holders sign; run this again afterwards`);
    return { exit: EXIT.waiting, document };
  }
  output.verdict(`${station.id} is enrolled, log entry ${entry}`);
  return { exit: EXIT.yes, document };
}

/** Fetches the trusted root; once the key is in it, has the enrolment logged. Null while it is not. */
async function announce(
  config: Config,
  { enrolment }: StationRequest,
  { stationKey }: VettedRequest,
  session: Session,
): Promise<number | null> {
  const { values, pathOf } = config;
  const { lineUrl } = values;
  const connection = await openLineConnection(config);
  try {
    const now = session.clock.now();
    const base = lineUrl.endsWith('/') ? lineUrl : `${lineUrl}/`;
    const { repository } = values.trust;
    const client = new TrustClient({
      metadataDir: pathOf(values.trust.memory),
      initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
      ...(repository === null
        ? { baseUrl: new URL('trust/', base).href, ...connection.client }
        : { repositoryDir: pathOf(repository) }),
    });
    await client.update(now);
    const bytes = await client.readTarget(TRUSTED_ROOT_PATH);
    const entry = toTrustedKeys(parseTrustedRoot(bytes)).find(({ key }) => key.keyid === stationKey.keyid);
    if (entry === undefined || !isValidAt(entry, now)) return null;
    writeFile(pathOf(values.trustedRoot), bytes);
    return await submitOnceKnown(enrolment, { baseUrl: base, client: connection.client, session });
  } finally {
    connection.close();
  }
}

interface Submission {
  /** Ends in a slash. */
  readonly baseUrl: string;
  readonly client: LineConnection['client'];
  readonly session: Session;
}

/** A line reads its trust repository every few seconds, and whenever it is asked whether it is ready. */
async function submitOnceKnown(enrolment: Envelope, { baseUrl, client, session }: Submission): Promise<number> {
  const line = new HttpLineService({ baseUrl, timeoutMs: LINE_TIMEOUT_MS, signal: session.signal, ...client });
  for (let attempt = 1; ; attempt += 1) {
    const signal = AbortSignal.any([session.signal, AbortSignal.timeout(LINE_TIMEOUT_MS)]);
    await (await (client.fetch ?? globalThis.fetch)(new URL('readyz', baseUrl), { signal })).body?.cancel();
    try {
      return (await line.submit(enrolment)).index;
    } catch (error) {
      if (!hasCode(error, 'LS-502') || attempt === MAX_ATTEMPTS) throw error;
      await pause(ATTEMPT_INTERVAL_MS, undefined, { signal: session.signal });
    }
  }
}

function readTrustedRoot({ values, pathOf }: Config): TrustedRoot {
  return parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
}
