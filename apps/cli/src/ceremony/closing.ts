// SPDX-License-Identifier: Apache-2.0
/** The end of a ceremony: signed by administrator and witness, logged by the office, printed. */
import { join } from 'node:path';
import {
  closeCeremony,
  formatCeremonyDocument,
  nodeCeremonyFiles,
  transcriptName,
  type Ceremony,
} from '@witnessmark/ceremony';
import { encodeUtf8 } from '@witnessmark/core';
import type { Signer } from '@witnessmark/custody';
import type { CommandResult } from '../command.ts';
import { loadConfig, officeConfigSchema } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { writeFile } from '../files.ts';
import { proveInOfficeLog } from '../roots/office-log.ts';
import type { Session } from '../session.ts';
import { openSigner } from '../signer-reference.ts';

const PURPOSE = 'ceremony-transcript';

interface Place {
  readonly data: string | undefined;
  readonly directory: string | undefined;
}

export interface ClosingOptions extends Place {
  readonly config: string | undefined;
  readonly key: readonly string[];
  readonly unlogged: boolean;
}

/** The folder of `--directory`, else of `--data`; throws `ERR_CLI_USAGE` for neither. */
export function ceremoniesIn({ data, directory }: Place): string {
  if (directory !== undefined) return directory;
  if (data !== undefined) return new DataDirectory(data).ceremonies;
  throw usageError('--data (or WITNESSMARK_DATA) or --directory is missing');
}

/** Closes a ceremony of which nothing is open; may be repeated until it is logged. */
export async function closeAndPrint(
  session: Session,
  ceremony: Ceremony,
  options: ClosingOptions,
): Promise<CommandResult> {
  const log = logOf(session, options);
  const root = ceremoniesIn(options);
  const file = await withSigners(session, options.key, (signers) =>
    closeCeremony({ ceremony, files: nodeCeremonyFiles(root), signers, log }),
  );
  const { state } = ceremony;
  const { ceremonyId, environment } = state.settings;
  const fileName = transcriptName(ceremonyId);
  const page = `${ceremonyId}.html`;
  writeFile(join(root, page), encodeUtf8(formatCeremonyDocument({ state, file, fileName })));
  const { output } = session;
  output.data(`transcript  ${join(root, fileName)}`);
  output.data(`page        ${join(root, page)}`);
  const logged = file.logProof !== null;
  const mark = environment.rehearsal ? 'REHEARSAL ' : '';
  output.verdict(`${mark}${ceremonyId} is closed: ${state.outcome ?? ''}, ${logged ? 'logged' : 'in no log yet'}`);
  return { exit: EXIT.yes, document: { ceremonyId, outcome: state.outcome, logged, transcript: fileName, page } };
}

/** Cards are opened one after the other, in the order given. */
async function withSigners<T>(
  session: Session,
  references: readonly string[],
  work: (signers: readonly Signer[]) => Promise<T>,
): Promise<T> {
  const opened: Awaited<ReturnType<typeof openSigner>>[] = [];
  try {
    for (const reference of references) opened.push(await openSigner(reference, { session, purpose: PURPOSE }));
    return await work(opened.map(({ signer }) => signer));
  } finally {
    for (const key of opened) key.close();
  }
}

function logOf(
  session: Session,
  { unlogged, config, data }: ClosingOptions,
): ReturnType<typeof proveInOfficeLog> | null {
  if (unlogged) return null;
  const file = config ?? (data === undefined ? null : DataDirectory.open(data).officeConfig);
  if (file === null) throw usageError('--config or --data is missing; --unlogged closes without the office');
  return proveInOfficeLog(loadConfig(file, officeConfigSchema), session);
}
