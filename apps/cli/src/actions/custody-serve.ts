// SPDX-License-Identifier: Apache-2.0
import { runCustody } from '@witnessmark/custody';
import type { CommandInput, CommandResult } from '../command.ts';
import type { custodyServeOptions } from '../options/keys.ts';
import { openCustodyPlace } from '../custody-place.ts';
import { EXIT } from '../exit-codes.ts';

export async function custodyServe({
  options,
  session,
}: CommandInput<typeof custodyServeOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const { file, config } = openCustodyPlace(options);
  const stopped = Promise.withResolvers<undefined>();
  const stop = (): void => {
    stopped.resolve(undefined);
  };
  const running = await runCustody(config);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  output.note(`custody of ${config.keys.join(', ')} for ${config.clients.map(({ name }) => name).join(', ')}, ${file}`);
  output.verdict(config.socket);
  try {
    await stopped.promise;
  } finally {
    await running.close();
  }
  const exit = signal.reason === 'SIGINT' ? EXIT.interrupted : EXIT.yes;
  return { exit, document: { socket: config.socket, keys: config.keys } };
}
