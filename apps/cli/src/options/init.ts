// SPDX-License-Identifier: Apache-2.0
/** The options of `init`. */
import { list, optionalInteger, requiredText, textWithDefault } from '../command.ts';

export const DEFAULT_PORT = 7300;
export const DEFAULT_APPROVERS = ['anna:release', 'ben:security', 'chris:quality'];

export const initOptions = {
  data: requiredText('--data <DIR>', 'the directory to make; empty or new', { environment: 'WITNESSMARK_DATA' }),
  plant: textWithDefault('--plant <NAME>', 'the plant', 'plant-1'),
  line: textWithDefault('--line <NAME>', 'the line', 'line-1'),
  station: textWithDefault('--station <NAME>', 'the station', 'station-1'),
  author: textWithDefault('--author <NAME>', 'who proposes releases', 'alex'),
  approver: list(
    '--approver <NAME:ROLE>',
    `who approves releases; three or more (default ${DEFAULT_APPROVERS.join(' ')})`,
  ),
  operator: textWithDefault('--operator <NAME>', 'who works at the station', 'olga'),
  supervisor: textWithDefault('--supervisor <NAME>', 'who decides about line stops', 'sam'),
  sku: textWithDefault('--sku <SKU>', 'the product made', 'GW-210'),
  hwModel: textWithDefault('--hw-model <NAME>', 'its hardware model', 'gateway-210'),
  hwVersion: textWithDefault('--hw-version <NAME>', 'its hardware version', 'A'),
  custody: textWithDefault(
    '--custody <KIND>',
    'where the keys of line and office are: in files, or in a SoftHSM token',
    'files',
    {
      choices: ['files', 'softhsm'],
    },
  ),
  port: optionalInteger('--port <NUMBER>', 'where the line server listens on 127.0.0.1', {
    min: 0,
    max: 65_535,
    fallback: String(DEFAULT_PORT),
  }),
} as const;
