// SPDX-License-Identifier: Apache-2.0
/**
 * Composition root of the office. The way of the data: the image the build produced becomes a candidate signed by its
 * author; approvers sign it on their own machines, each with an own key; when enough people have, the gate publishes it in
 * the trust repository. Every statement is in the office's evidence log before it takes effect.
 */
import { join } from 'node:path';
import type { Clock, Envelope } from '@witnessmark/core';
import { loadSoftwareKey, NoteSigner } from '@witnessmark/custody';
import { Gate, OfficeLog } from '@witnessmark/gate';
import type { LoadedConfig, OfficeConfig } from '../config.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';

interface Office {
  readonly gate: Gate;
  close(): Promise<void>;
}

/** The log is opened with the first statement, so that looking on never waits for, or blocks, a writer. */
export function openOffice({ values, pathOf }: LoadedConfig<OfficeConfig>, clock: Clock): Office {
  const { publishing } = values;
  let log: Promise<OfficeLog> | null = null;
  const record = async (envelope: Envelope): Promise<void> => {
    log ??= OfficeLog.open({
      directory: join(pathOf(values.directory), 'evidence'),
      signer: new NoteSigner(values.log.name, loadSoftwareKey(pathOf(values.log.key))),
      clock,
    });
    await (await log).record(envelope);
  };
  const gate = new Gate({
    directory: pathOf(values.directory),
    repositoryDir: pathOf(values.trust.repository),
    initialRoot: readFile(pathOf(values.trust.root), DOCUMENT_BYTES),
    site: values.site,
    rule: values.approvals,
    clock,
    onStatement: record,
    ...(publishing === null
      ? {}
      : {
          signers: {
            online: loadSoftwareKey(pathOf(publishing.onlineKey)),
            effectivity: loadSoftwareKey(pathOf(publishing.effectivityKey)),
          },
        }),
  });
  return { gate, close: async () => (await log)?.close() };
}
