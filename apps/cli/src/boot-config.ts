// SPDX-License-Identifier: Apache-2.0
/** How a station's configuration says that boards are started (spec/configuration.md, `boot`). */
import { identifier } from '@witnessmark/attestation';
import { z } from 'zod';

/** How a board is started and where its console is, for recipes that have its firmware name its digest. */
export const bootSchema = z
  .strictObject({
    /** What starts the board, for the record. */
    model: identifier,
    /** From the reset to the line that names the digest; half a minute when absent. */
    timeoutMs: z.int().min(100).max(600_000).optional(),
    /** Run after the reset, without a shell; its standard output is the console. */
    command: z
      .strictObject({
        program: z.string().min(1).max(4096),
        /** `{chip}` is the name of a file with the content of a simulated part. */
        args: z
          .array(
            z
              .string()
              .max(4096)
              .regex(/^[^\0]*$/),
          )
          .max(64)
          .default([]),
      })
      .optional(),
    /** Read while the driver resets the board. */
    serial: z
      .union([
        z.strictObject({
          device: z.string().startsWith('/').max(4096),
          baudRate: z.int().min(50).max(4_000_000).default(115_200),
        }),
        z.strictObject({
          host: z.string().min(1).max(253).default('127.0.0.1'),
          port: z.int().min(1).max(65_535),
        }),
      ])
      .optional(),
  })
  .refine(
    ({ command, serial }) => (command === undefined) !== (serial === undefined),
    'neither command nor serial, or both',
  );
export type BootConfig = z.infer<typeof bootSchema>;
