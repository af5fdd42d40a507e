// SPDX-License-Identifier: Apache-2.0
/** Who a station is: its enrolment, the office's answer, and its end (spec/station-enrolment.md, spec/station-retirement.md). */
import { z } from 'zod';
import { digestSet, identifier, instantText, publicKeyText, remark, sha256Text, uuid } from '../fields.ts';
import { PREDICATE_TYPES, type PredicateDefinition } from '../statement.ts';

const station = z.object({ id: identifier, line: identifier, plant: identifier });

/** A keyed digest of one part of the machine, or why there is none. */
const part = z.union([sha256Text, z.enum(['absent', 'unreadable'])]);

/** DER in base64. */
const der = z.string().min(1).max(8192);

const machineSchema = z.object({
  digest: sha256Text,
  parts: z.object({ system: part, board: part, cpu: part, disks: part, network: part, tpm: part }),
});

/** Subject: the station and its key id. Signed with the station key. */
const enrolmentSchema = z.object({
  enrolmentId: uuid,
  station,
  /** Payload digest of the key enrolment that came in the same request; its claims say how the key is kept. */
  keyEnrolment: digestSet,
  /** PKCS#10, signed with the key of the connection; null for a station on the machine of its line. */
  certificateRequest: der.nullable(),
  machine: machineSchema,
  /** The key that signs the TPM's quotes; null without a TPM. */
  attestationKey: publicKeyText.nullable(),
  /** Random: no two requests have one fingerprint. */
  nonce: sha256Text,
  requestedAt: instantText,
});

/** Subject: the payload digest of the enrolment, which is what was compared on paper. Signed by who compared it. */
const admissionSchema = z.object({
  station,
  /** The change of the trusted root that brings the key into force; null for a key that is in force already. */
  changeId: identifier.nullable(),
  /** The client certificate and the authority that issued it; null when none was asked for. */
  certificate: der.nullable(),
  authority: der.nullable(),
  admittedBy: z.object({ id: identifier }),
  admittedAt: instantText,
});

/** Subject: the station and the key id that ends. Signed with that key, or by a supervisor when it is lost. */
const retirementSchema = z.object({
  retirementId: uuid,
  station,
  retiredBy: z.object({ id: identifier }),
  reason: remark.min(1),
  retiredAt: instantText,
});

export type StationEnrolment = z.infer<typeof enrolmentSchema>;
export const stationEnrolment: PredicateDefinition<StationEnrolment> = {
  predicateType: PREDICATE_TYPES.stationEnrolment,
  schema: enrolmentSchema,
};

export type StationAdmission = z.infer<typeof admissionSchema>;
export const stationAdmission: PredicateDefinition<StationAdmission> = {
  predicateType: PREDICATE_TYPES.stationAdmission,
  schema: admissionSchema,
};

export type StationRetirement = z.infer<typeof retirementSchema>;
export const stationRetirement: PredicateDefinition<StationRetirement> = {
  predicateType: PREDICATE_TYPES.stationRetirement,
  schema: retirementSchema,
};
