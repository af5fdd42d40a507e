// SPDX-License-Identifier: Apache-2.0
import { WitnessmarkError } from '@witnessmark/core';

export type CliErrorCode =
  | 'ERR_CLI_USAGE'
  | 'ERR_CLI_ANSWER_MISSING'
  | 'ERR_CLI_CONFIG'
  | 'ERR_CLI_DATA_DIRECTORY'
  | 'ERR_CLI_DEMO_DIRECTORY'
  | 'ERR_CLI_DEMO_EQUIPMENT'
  | 'ERR_CLI_DEMO_STEP'
  | 'ERR_CLI_INPUT'
  | 'ERR_CLI_UNKNOWN_UNIT'
  | 'ERR_CLI_TRANSPORT'
  | 'ERR_CLI_INTERRUPTED';

export class CliError extends WitnessmarkError<CliErrorCode> {}

/** A problem with what was typed; every such message names the argument or flag. */
export function usageError(message: string): CliError {
  return new CliError('ERR_CLI_USAGE', message);
}
