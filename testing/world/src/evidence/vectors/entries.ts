// SPDX-License-Identifier: Apache-2.0
import { formatEnvelope, sha256Hex, type Envelope } from '@witnessmark/core';
import type { EvidenceWorld, LoggedEntry } from '../world.ts';

/** Logs an envelope as it is, past everything that would refuse it. */
export function logged(world: EvidenceWorld, envelope: Envelope): LoggedEntry {
  return { index: world.log.append(formatEnvelope(envelope)), envelope, payloadDigest: sha256Hex(envelope.payload) };
}
