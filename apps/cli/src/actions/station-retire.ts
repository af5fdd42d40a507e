// SPDX-License-Identifier: Apache-2.0
/**
 * The end of a station (spec/station-retirement.md): signed, logged by the line, which believes the key no more from then
 * on, and only then, if somebody wants it, are the keys on this machine ended for good.
 */
import { existsSync } from 'node:fs';
import { HttpLineService } from '@witnessmark/api';
import { buildStatement, parseTrustedRoot, stationRetirement, toTrustedKeys } from '@witnessmark/attestation';
import {
  formatEnvelope,
  formatInstant,
  parseEnvelope,
  sha256Hex,
  STATEMENT_PAYLOAD_TYPE,
  type Envelope,
} from '@witnessmark/core';
import { signEnvelope, type Signer } from '@witnessmark/custody';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import type { stationRetireOptions } from '../options/station-identity.ts';
import { loadConfig, namedConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError, usageError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile, writeFile } from '../files.ts';
import { openLineConnection } from '../identity/connection.ts';
import { IdentityDirectory } from '../identity/identity-directory.ts';
import { destroyStationKey } from '../identity/key-making.ts';
import { typedPartOf } from '../office-work.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf, type Session } from '../session.ts';
import { withSigner } from '../signer-reference.ts';

const LINE_TIMEOUT_MS = 10_000;

type Config = LoadedConfig<StationConfig>;
type Options = OptionValues<typeof stationRetireOptions>;

export async function stationRetire({
  options,
  session,
}: CommandInput<typeof stationRetireOptions>): Promise<CommandResult> {
  const { output } = session;
  const config = loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).stationConfig),
    stationConfigSchema,
  );
  const { identity, station } = config.values;
  if (identity === undefined) throw new CliError('ERR_CLI_CONFIG', `${config.file}: identity is missing`);
  const directory = new IdentityDirectory(config.pathOf(identity.directory));
  const keyid = directory.readRequest()?.vetted.stationKey.keyid;
  if (keyid === undefined)
    throw new CliError('ERR_CLI_CONFIG', `${station} was never enrolled here; nothing is to be ended`);
  // The same statement again after a crash or an unreachable line: it has one id, and the line logs it once.
  const retirement = existsSync(directory.retirement)
    ? parseEnvelope(readFile(directory.retirement, DOCUMENT_BYTES))
    : await signRetirement(config, keyid, directory, { options, session });
  const digest = sha256Hex(retirement.payload);
  const index = await deliver(config, retirement);
  output.data(`${station} is retired, log entry ${index}; the line refuses its key from now on`);
  output.data(`  retirement  sha256:${digest}`);
  output.note(`In the office, for everybody else: witnessmark trust propose --revoke ${keyid} --key KEY`);
  const destroyed = options.destroyKeys ? await destroyKeys(config, digest, { options, session }) : null;
  output.verdict(
    destroyed === null ? `${station} is retired; its keys are still here` : `${station} is retired; ${destroyed}`,
  );
  return { exit: EXIT.yes, document: { station, keyid, entry: index, digest, keysDestroyed: destroyed !== null } };
}

interface Work {
  readonly options: Options;
  readonly session: Session;
}

/** By the station itself, or by a supervisor when its key is lost. */
async function signRetirement(
  { values, pathOf }: Config,
  keyid: string,
  directory: IdentityDirectory,
  { options, session }: Work,
): Promise<Envelope> {
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  const { station: id, line, plant } = values;
  const sign = async (signer: Signer): Promise<Envelope> => {
    const payload = buildStatement(
      stationRetirement,
      { name: id, digest: { sha256: keyid } },
      {
        retirementId: session.newId(),
        station: { id, line, plant },
        retiredBy: { id: ownerOf(signer, values, pathOf) },
        reason,
        retiredAt: formatInstant(session.clock.now()),
      },
    );
    return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  };
  const key = { session, purpose: purposeOfStatement };
  const envelope =
    options.key === undefined
      ? await withSigner(values.stationKey, { ...key, pathOf }, sign)
      : await withSigner(options.key, key, sign);
  writeFile(directory.retirement, formatEnvelope(envelope));
  return envelope;
}

function ownerOf({ publicKey }: Signer, { trustedRoot }: StationConfig, pathOf: Config['pathOf']): string {
  const keys = toTrustedKeys(parseTrustedRoot(readFile(pathOf(trustedRoot), DOCUMENT_BYTES)));
  const owner = keys.find(({ key }) => key.keyid === publicKey.keyid)?.owner;
  if (owner === undefined) throw usageError("--key is in nobody's name: the trusted root does not list it");
  return owner;
}

/** Rejects when the line does not answer; nothing is destroyed before it has. */
async function deliver(config: Config, retirement: Envelope): Promise<number> {
  const connection = await openLineConnection(config);
  try {
    const { lineUrl: baseUrl } = config.values;
    const line = new HttpLineService({ baseUrl, timeoutMs: LINE_TIMEOUT_MS, ...connection.client });
    return (await line.submit(retirement)).index;
  } finally {
    connection.close();
  }
}

async function destroyKeys({ values, pathOf }: Config, digest: string, { options, session }: Work): Promise<string> {
  const typed = await answerOf(session, options.confirm, {
    flag: '--confirm',
    text: "Type the first four characters of the retirement's digest to end its keys for good:",
  });
  if (typed.toLowerCase() !== typedPartOf(digest)) throw usageError('--confirm is not the beginning of the digest');
  const references: [string, 'station' | 'station-connection'][] = [[values.stationKey, 'station']];
  const connectionKey = values.identity?.connectionKey;
  if (connectionKey !== undefined) references.push([connectionKey, 'station-connection']);
  let count = 0;
  for (const [reference, policy] of references) {
    if (await destroyStationKey(reference, policy, pathOf, session)) count += 1;
  }
  return `${count} of ${references.length} keys were destroyed`;
}
