// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { CommandInput, CommandResult } from '../command.ts';
import { DEFAULT_APPROVERS, DEFAULT_PORT, type initOptions } from '../options/init.ts';
import { DataDirectory } from '../data-directory.ts';
import { usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { createSite, type Approver } from '../site.ts';

/** Names become file and target names. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

export async function init({ options, session }: CommandInput<typeof initOptions>): Promise<CommandResult> {
  const { output, clock } = session;
  const { data, plant, line, station, author, operator, supervisor, sku, hwModel, hwVersion } = options;
  for (const [flag, value] of Object.entries({ plant, line, station, author, operator, supervisor, sku })) {
    if (!name.safeParse(value).success)
      throw usageError(`--${flag} takes letters, digits, dots, dashes and underlines`);
  }
  const approvers = parseApprovers(options.approver.length > 0 ? options.approver : DEFAULT_APPROVERS, author);
  const directory = new DataDirectory(data);
  const product = { sku, hwModel, hwVersion };
  const listen = { host: '127.0.0.1', port: options.port ?? DEFAULT_PORT };
  const plan = { plant, line, station, author, approvers, operator, supervisor, product, listen };
  const makeServiceHsm =
    options.custody === 'softhsm'
      ? async (custody: string) => (await import('../service-hsm.ts')).createServiceHsm(custody, newSecret)
      : undefined;
  const summary = await createSite(directory, plan, clock.now(), makeServiceHsm);

  output.data(`Made ${data} for ${plant}, ${line}, ${station}`);
  output.data(`  keys           ${summary.keys.length} in ${directory.keys}, software: for trials only`);
  output.data(
    `  approvers      ${approvers.map((person) => `${person.name} (${person.role})`).join(', ')}; 2 must agree`,
  );
  output.data(`  trust root     sha256:${summary.rootDigest}`);
  output.data(`  trusted root   sha256:${summary.trustedRootDigest}`);
  if (makeServiceHsm !== undefined) {
    output.data(`  custody        ${directory.custody}; start it first: witnessmark custody serve --data ${data}`);
  }
  output.data('Nothing is released yet, so nothing can be made.');
  output.verdict(
    `next: witnessmark release propose --data ${data} --image FILE --release-version 1.0.0 --key ${directory.key(`author-${author}`)} --ticket TICKET --reason TEXT`,
  );
  return { exit: EXIT.yes, document: { data: directory.path, ...summary } };
}

function newSecret(): string {
  return randomBytes(32).toString('hex');
}

function parseApprovers(texts: readonly string[], author: string): readonly Approver[] {
  const approvers = texts.map((text) => {
    const [person = '', role = '', ...rest] = text.split(':');
    if (rest.length > 0 || !name.safeParse(person).success || !name.safeParse(role).success) {
      throw usageError('--approver takes NAME:ROLE, for example a.rossi:security');
    }
    return { name: person, role };
  });
  if (approvers.length < 3)
    throw usageError('--approver is needed three times at least, so that one person may be away');
  if (new Set(approvers.map((person) => person.name)).size < approvers.length) {
    throw usageError('--approver names one person twice; a threshold counts people');
  }
  if (approvers.some((person) => person.name === author)) throw usageError('--author cannot be an approver as well');
  return approvers;
}
