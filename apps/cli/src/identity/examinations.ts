// SPDX-License-Identifier: Apache-2.0
/** What `doctor` looks at on a station: its key, what the trusted root says of it, its certificate, and the machine itself. */
import { isValidAt, parseTrustedRoot, toTrustedKeys } from '@witnessmark/attestation';
import { describeReasonCode, hasCode } from '@witnessmark/core';
import { formatToken, KeyAccess, parseKeyReference } from '@witnessmark/custody';
import {
  MACHINE_PARTS,
  PART_ABSENT,
  PART_UNREADABLE,
  readCertificate,
  readCertificatePem,
} from '@witnessmark/enrolment';
import type { LoadedConfig, StationConfig } from '../config.ts';
import type { Observation, Patient } from '../examination.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { purposeOfStatement } from '../purpose.ts';
import { IdentityDirectory } from './identity-directory.ts';
import { demandEnrolledMachine } from './machine.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Time enough to carry a request to the office and its answer back. */
const EXPIRY_WARNING_MS = 30 * DAY_MS;
const ENROL = 'Run "witnessmark station enroll", and carry its fingerprint to the office on paper.';

type Config = LoadedConfig<StationConfig>;

/** Whether the key of its statements can be reached and signs; a PIN that a person types is not asked for here. */
export async function examineSigner({ values, pathOf }: Config, { clock }: Patient): Promise<Observation> {
  const reference = parseKeyReference(values.stationKey, pathOf);
  const place = reference.kind === 'pkcs11' ? `token ${formatToken(reference.token)}` : values.stationKey;
  const access = new KeyAccess({ clock, newId: () => '' });
  try {
    const { publicKey, custody } = await access.open(reference, purposeOfStatement);
    const detail = `${place}, ${publicKey.scheme}, ${publicKey.keyid.slice(0, 16)}…`;
    if (custody === 'hardware') return { detail: `${detail}, does not leave it` };
    return { outcome: 'warn', detail: `${detail}, a software key`, next: 'For production, keep it in a token or TPM.' };
  } catch (error) {
    if (!hasCode(error, 'CU-112')) throw error;
    return { outcome: 'skip', detail: `${place}: the PIN is typed by a person, and was not asked for` };
  } finally {
    access.close();
  }
}

/** Whether the key of the newest request is in force, for this station. */
export function examineEnrolment({ values, pathOf }: Config, { clock }: Patient): Observation | null {
  const directory = directoryOf(values, pathOf);
  if (directory === null) return null;
  const enrolled = directory.readRequest();
  if (enrolled === null) return { outcome: 'FAIL', detail: 'this station has not asked to be enrolled', next: ENROL };
  const { stationKey, enrolment } = enrolled.vetted;
  const root = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const entry = toTrustedKeys(root).find(({ key }) => key.keyid === stationKey.keyid);
  const asked = `asked ${enrolment.requestedAt}`;
  if (entry === undefined) {
    const next = 'Bring the request to the office, then the answer here: "witnessmark station enroll --answer FILE".';
    return { outcome: 'warn', detail: `${asked}; the trusted root here does not list the key`, next };
  }
  if (entry.owner !== values.station || entry.role !== 'station' || !isValidAt(entry, clock.now())) {
    return { outcome: 'FAIL', detail: `the key is not in force for ${values.station} [ID-105]`, next: ENROL };
  }
  return judge(`in force for ${entry.owner}, ${entry.custodyGrade}`, entry.validUntil - clock.now());
}

/** Whether the certificate is the one for these keys, and how long it lasts. */
export function examineCertificate({ values, pathOf }: Config, { clock }: Patient): Observation | null {
  const directory = directoryOf(values, pathOf);
  const [own, authority] = [directory?.readPem('certificate') ?? null, directory?.readPem('authority') ?? null];
  if (directory === null || values.identity?.connectionKey === undefined) return null;
  if (own === null || authority === null) return { outcome: 'FAIL', detail: 'none is installed', next: ENROL };
  const certificate = readCertificate(readCertificatePem(own));
  const { id, line, keyid } = certificate.stationName();
  const request = directory.readRequest()?.vetted;
  const isOurs =
    certificate.isIssuedBy(readCertificate(readCertificatePem(authority))) &&
    certificate.publicKey.keyid === request?.connectionKey?.keyid &&
    keyid === request.stationKey.keyid;
  if (!isOurs) return { outcome: 'FAIL', detail: 'it is not for the keys of this station [ID-124]', next: ENROL };
  return judge(`${id} of ${line}`, certificate.notAfter - clock.now());
}

/** Whether this is the machine that was enrolled. */
export async function examineMachine(config: Config): Promise<Observation | null> {
  if (config.values.identity === undefined) return null;
  const { digest, parts } = await demandEnrolledMachine(config);
  const read = MACHINE_PARTS.filter((part) => parts[part] !== PART_ABSENT && parts[part] !== PART_UNREADABLE);
  const unreadable = MACHINE_PARTS.filter((part) => parts[part] === PART_UNREADABLE);
  const detail = `${digest.slice(0, 16)}…, as enrolled: ${read.join(', ')}`;
  if (unreadable.length === 0) return { detail };
  const next = 'Let the station read them as root does, then enrol it again.';
  return { outcome: 'warn', detail: `${detail}; this user may not read ${unreadable.join(', ')}`, next };
}

function directoryOf({ identity }: StationConfig, pathOf: Config['pathOf']): IdentityDirectory | null {
  return identity === undefined ? null : new IdentityDirectory(pathOf(identity.directory));
}

function judge(detail: string, leftMs: number): Observation {
  const days = Math.floor(leftMs / DAY_MS);
  if (leftMs >= EXPIRY_WARNING_MS) return { detail: `${detail}, good for ${days} days` };
  const next = describeReasonCode('ID-103').nextStep;
  if (leftMs > 0) return { outcome: 'warn', detail: `${detail}, runs out within ${days + 1} days`, next };
  return { outcome: 'FAIL', detail: `${detail}, ran out [ID-103]`, next };
}
