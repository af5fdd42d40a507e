// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';
import type { CommandInput, CommandResult } from '../command.ts';
import type { lineServeOptions } from '../options/line.ts';
import { lineConfigSchema, loadConfig, namedConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { EXIT } from '../exit-codes.ts';
import { openLine } from '../roots/line.ts';
import { promptForPin } from '../signer-reference.ts';

export async function lineServe({ options, session }: CommandInput<typeof lineServeOptions>): Promise<CommandResult> {
  const { output, clock, newId, signal } = session;
  const file = namedConfig(options, (data) => DataDirectory.open(data).lineConfig);
  const config = loadConfig(file, lineConfigSchema);
  const { listen, rules } = config.values;
  const stopped = Promise.withResolvers<'signal'>();
  const running = await openLine(config, {
    clock,
    newId,
    askPin: promptForPin(session),
    listen: { host: options.host ?? listen.host, port: options.port ?? listen.port },
    onFault: (error) => {
      output.note(`fault: ${error instanceof WitnessmarkError ? `${error.code} ${error.message}` : String(error)}`);
    },
    onFatal: stopped.reject,
  });
  const stop = (): void => {
    stopped.resolve('signal');
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  output.note(`${rules.line} of ${rules.plant} at ${running.url}: ${running.line.logSize} log entries, ${file}`);
  output.verdict(running.url);
  try {
    await stopped.promise;
  } finally {
    await running.close();
  }
  output.note('everything is published; the line has ended');
  const exit = signal.reason === 'SIGINT' ? EXIT.interrupted : EXIT.yes;
  return { exit, document: { url: running.url, logSize: running.line.logSize } };
}
