// SPDX-License-Identifier: Apache-2.0
/** Files that were damaged, renamed, mixed or swapped (scenarios of stored objects). */
import { concatBytes, encodeUtf8, sha256Hex, STATEMENT_PAYLOAD_TYPE } from '@witnessmark/core';
import { deviceSubject } from '@witnessmark/attestation';
import { signEnvelope } from '@witnessmark/custody';
import { CALENDAR, CAST } from '../cast.ts';
import { logged } from './entries.ts';
import {
  DEVICE,
  edit,
  flipBit,
  OTHER_DEVICE,
  play,
  rewritten,
  scene,
  tampered,
  toMade,
  type VectorCase,
} from './scene.ts';

const LAST_SECTOR = 512;

export const FILE_CASES: readonly VectorCase[] = [
  {
    name: 'file-empty_fail',
    why: 'The file holds no bytes.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => ({ serial: DEVICE.serial, bytes: new Uint8Array(0) }),
  },
  {
    name: 'file-truncated_fail',
    why: 'The last 1,000 bytes are missing.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => rewritten((text) => text.slice(0, -1000)),
  },
  {
    name: 'file-last-sector-zero_fail',
    why: 'The last 512 bytes were never written.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: async () => {
      const { serial, bytes } = await scene({});
      return { serial, bytes: concatBytes(bytes.slice(0, -LAST_SECTOR), new Uint8Array(LAST_SECTOR)) };
    },
  },
  {
    name: 'file-not-utf8_fail',
    why: 'One byte is not UTF-8.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: async () => {
      const { serial, bytes } = await scene({});
      return { serial, bytes: bytes.with(20, 0xff) };
    },
  },
  {
    name: 'file-two-objects_fail',
    why: 'A second document follows the first.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => rewritten((text) => text + text),
  },
  {
    name: 'file-duplicate-key_fail',
    why: 'The member "serial" is there twice; readers would differ in which they believe.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => rewritten((text) => text.replace('"serial":', `"serial":"${OTHER_DEVICE.serial}","serial":`)),
  },
  {
    name: 'file-unknown-member_fail',
    why: 'The file has a member that the format does not know.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => rewritten((text) => text.replace('"serial":', '"verdict":"VERIFIED","serial":')),
  },
  {
    name: 'file-other-version_fail',
    why: 'The media type is that of a version this reader does not know.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => rewritten((text) => text.replace('unit-evidence.v1+json', 'unit-evidence.v2+json')),
  },
  {
    name: 'file-padding-missing_fail',
    why: 'A base64 value lost its padding; one byte string has one text.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => rewritten((text) => text.replace('="', '"')),
  },
  {
    name: 'file-approvals-out-of-order_fail',
    why: 'Approvals stand in ascending order of payload digest; one set has one order.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () =>
      rewritten((text) => {
        const value = JSON.parse(text);
        value.releases[0].approvals.reverse();
        return JSON.stringify(value);
      }),
  },
  {
    name: 'file-approval-doubled_fail',
    why: 'One approval is in the file twice, to look like two.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () =>
      rewritten((text) => {
        const value = JSON.parse(text);
        value.releases[0].approvals[1] = value.releases[0].approvals[0];
        return JSON.stringify(value);
      }),
  },
  {
    name: 'file-renamed_fail',
    why: 'Right content, wrong name: the file bears the name of another unit.',
    verdict: 'FAILED',
    code: 'EV-108',
    fileName: `${OTHER_DEVICE.serial}.evidence.json`,
    make: () => scene({}),
  },
  {
    name: 'file-swapped_fail',
    why: 'Valid evidence of another unit stands under the name of this one.',
    verdict: 'FAILED',
    code: 'EV-108',
    fileName: `${DEVICE.serial}.evidence.json`,
    make: () => scene({ device: OTHER_DEVICE }),
  },
  {
    name: 'record-of-another-unit_fail',
    why: 'A signed and logged event of another unit stands among the records.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        before: async ({ world, unit, session, release }) => {
          const other = world.unit(OTHER_DEVICE);
          await world.pass(other, { session, release });
          unit.entries.push(other.entries.at(-1)!);
        },
      }),
  },
  {
    name: 'record-about-two-units_fail',
    why: 'The subject of the event is this device, its identity names another.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        event: edit((event) => ({ ...event, identity: { ...event.identity, deviceId: OTHER_DEVICE.deviceId } })),
      }),
  },
  {
    name: 'header-of-another-unit_fail',
    why: 'The file says it is about another device than its records.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () => tampered((evidence) => ({ ...evidence, deviceId: OTHER_DEVICE.deviceId })),
  },
  {
    name: 'header-serial_fail',
    why: 'The file says another serial than its records, and is named after it.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () => tampered((evidence) => ({ ...evidence, serial: OTHER_DEVICE.serial })),
  },
  {
    name: 'device-exchanged_fail',
    why: 'The hardware identifier after programming is not the one before.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        event: edit((event) => ({
          ...event,
          identity: { ...event.identity, hardwareUid: { sha256: sha256Hex(OTHER_DEVICE.hardwareUid) } },
        })),
      }),
  },
  {
    name: 'refusal-of-another-unit_fail',
    why: 'A refusal about another device stands among the records.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        after: async ({ world, unit }) => {
          await world.refuse(unit, CALENDAR.sessionExpiresAt, {
            edit: (refusal) => ({ ...refusal, deviceId: OTHER_DEVICE.deviceId }),
            subject: deviceSubject(OTHER_DEVICE.deviceId),
          });
        },
      }),
  },
  {
    name: 'refusal-about-two-units_fail',
    why: 'A refusal names this device, its subject is another one.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        after: async ({ world, unit }) => {
          await world.refuse(unit, CALENDAR.sessionExpiresAt, { subject: deviceSubject(OTHER_DEVICE.deviceId) });
        },
      }),
  },
  {
    name: 'decision-about-two-refusals_fail',
    why: 'A decision names one refusal, its subject is another one.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        before: async ({ world, unit }) => {
          const refused = await world.refuse(unit, CALENDAR.sessionOpenedAt + 60_000);
          await world.dispose(unit, refused, CALENDAR.sessionOpenedAt + 120_000, {
            subject: { name: 'refusal', digest: { sha256: OTHER_DEVICE.deviceId } },
          });
        },
      }),
  },
  {
    name: 'refusal-without-device_fail',
    why: 'A refusal that names no device stands among the records of one.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: () =>
      scene({
        after: async ({ world, unit }) => {
          await world.refuse(unit, CALENDAR.sessionExpiresAt, {
            edit: (refusal) => ({ ...refusal, deviceId: null }),
            subject: { name: 'station', digest: { sha256: CAST.station.key.publicKey.keyid } },
          });
        },
      }),
  },
  {
    name: 'decision-about-another-matter_fail',
    why: 'A decision names neither this device nor a refusal in the file.',
    verdict: 'FAILED',
    code: 'EV-107',
    make: async () => {
      const { world, unit } = await play();
      const elsewhere = world.unit(OTHER_DEVICE);
      const refused = await world.refuse(elsewhere, CALENDAR.sessionExpiresAt);
      await world.dispose(unit, refused, CALENDAR.sessionExpiresAt + 60_000, {
        edit: (decision) => ({ ...decision, action: 'releaseStation', deviceId: null }),
      });
      return toMade(await world.evidence(unit));
    },
  },
  {
    name: 'release-statements-exchanged_fail',
    why: "Candidate and approval of a release stand in each other's place.",
    verdict: 'FAILED',
    code: 'EV-101',
    make: () =>
      tampered(({ releases: [release], ...evidence }) => {
        const [first, second] = release!.approvals;
        return { ...evidence, releases: [{ candidate: first!, approvals: [release!.candidate, second!] }] };
      }),
  },
  {
    name: 'record-not-a-statement_fail',
    why: 'A trusted station signed, and the line logged, bytes that are no statement.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: () => appendSigned('{"unit":"good"}'),
  },
  {
    name: 'record-of-unknown-type_unverified',
    why: 'A signed and logged statement is of a type this verifier does not know; it may matter.',
    verdict: 'NOT VERIFIED',
    code: 'EV-207',
    make: () =>
      appendSigned(
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          subject: [deviceSubject(DEVICE.deviceId)],
          predicateType: 'https://witnessmark.dev/spec/provisioning-event/v9',
          predicate: {},
        }),
      ),
  },
  {
    name: 'release-as-log-entry_fail',
    why: 'An approval stands among the log entries of the unit.',
    verdict: 'FAILED',
    code: 'EV-101',
    make: async () => {
      const { world, unit, release } = await play();
      unit.entries.push(logged(world, release.evidence.approvals[0]!));
      return toMade(await world.evidence(unit));
    },
  },
  {
    name: 'payload-bit-flip_fail',
    why: 'One bit of the event is not what was signed.',
    verdict: 'FAILED',
    code: 'EV-102',
    make: () =>
      tampered((evidence) => ({
        ...evidence,
        entries: evidence.entries.map((entry, index) =>
          index === 2
            ? { ...entry, envelope: { ...entry.envelope, payload: flipBit(entry.envelope.payload, 700) } }
            : entry,
        ),
      })),
  },
];

async function appendSigned(payload: string) {
  const { world, unit } = await play();
  const signers = [CAST.station.key, CAST.line.key];
  unit.entries.push(logged(world, await signEnvelope(STATEMENT_PAYLOAD_TYPE, encodeUtf8(payload), signers)));
  return toMade(await world.evidence(unit));
}
