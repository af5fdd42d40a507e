// SPDX-License-Identifier: Apache-2.0
/** Command APDUs (ISO/IEC 7816-4 section 5), short and extended, and the status words PIV answers with. */

export interface CommandApdu {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Buffer;
}

export const SW = {
  ok: 0x9000,
  moreData: 0x6100,
  wrongPin: 0x63c0,
  wrongLength: 0x6700,
  securityStatus: 0x6982,
  blocked: 0x6983,
  wrongData: 0x6a80,
  notFound: 0x6a82,
  wrongP1P2: 0x6a86,
  referenceNotFound: 0x6a88,
  unknownInstruction: 0x6d00,
} as const;

/** Ends a command with a status word other than 9000. */
export class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status word ${status.toString(16)}`);
    this.status = status;
  }
}

/** Throws `StatusError` 6700 when the length bytes do not fit. */
export function parseCommandApdu(bytes: Buffer): CommandApdu {
  if (bytes.length < 4) throw new StatusError(SW.wrongLength);
  const [cla, ins, p1, p2] = bytes as unknown as [number, number, number, number];
  return { cla, ins, p1, p2, data: commandData(bytes) };
}

export function formatStatus(status: number): Buffer {
  return Buffer.of(status >> 8, status & 0xff);
}

function commandData(bytes: Buffer): Buffer {
  if (bytes.length <= 5) return Buffer.alloc(0);
  const isExtended = bytes[4] === 0;
  // Case 2E: an extended Le and no data.
  if (isExtended && bytes.length === 7) return Buffer.alloc(0);
  const start = isExtended ? 7 : 5;
  const length = isExtended ? bytes.readUInt16BE(5) : (bytes[4] as number);
  if (start + length > bytes.length) throw new StatusError(SW.wrongLength);
  return Buffer.from(bytes.subarray(start, start + length));
}
