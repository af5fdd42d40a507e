// SPDX-License-Identifier: Apache-2.0
/** Badges of a line: given, unlocked and taken back by a supervisor's signed decision; the PIN stays in a file of the line. */
import { randomBytes } from 'node:crypto';
import { HttpLineService, type EnrolledBadge } from '@witnessmark/api';
import {
  badgeEvent,
  buildStatement,
  isValidAt,
  parseTrustedRoot,
  toTrustedKeys,
  type BadgeEvent,
} from '@witnessmark/attestation';
import { formatInstant, STATEMENT_PAYLOAD_TYPE } from '@witnessmark/core';
import { signEnvelope } from '@witnessmark/custody';
import { BadgeFiles, badgeDigest, makePinRecord } from '@witnessmark/line';
import type { CommandInput, CommandResult, OptionValues } from '../command.ts';
import { lineConfigSchema, loadConfig, namedConfig, type LineConfig, type LoadedConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { CliError } from '../error.ts';
import { EXIT } from '../exit-codes.ts';
import { DOCUMENT_BYTES, readFile } from '../files.ts';
import { openLineClient } from '../line-client.ts';
import type { badgeDecisionOptions, badgeEnrolOptions, badgeListOptions } from '../options/badge.ts';
import { purposeOfStatement } from '../purpose.ts';
import { answerOf, type Session } from '../session.ts';
import { readBadgePin } from '../sign-in.ts';
import { withSigner } from '../signer-reference.ts';

const LINE_TIMEOUT_MS = 10_000;
const SALT_BYTES = 16;

type PlaceOptions = OptionValues<typeof badgeListOptions>;
type DecisionOptions = OptionValues<typeof badgeDecisionOptions>;

export async function badgeEnrol({
  args,
  options,
  session,
}: CommandInput<typeof badgeEnrolOptions>): Promise<CommandResult> {
  const config = openConfig(options);
  const { badges, rules } = config.values;
  if (badges === undefined) {
    throw new CliError('ERR_CLI_CONFIG', 'the line keeps no badges; its configuration names a directory in "badges"');
  }
  const digest = badgeDigest(rules.line, args[0] as string);
  const pin = await choosePin(session, options.pinSource);
  const { digest: recordDigest, bytes } = await makePinRecord(digest, pin, randomBytes(SALT_BYTES));
  // Until its enrolment is logged the record is nobody's.
  await new BadgeFiles(config.pathOf(badges)).keep(recordDigest, bytes);
  return decide(
    session,
    { options, config },
    {
      action: 'enrol',
      person: options.person,
      badgeDigest: { sha256: digest },
      enrolmentId: null,
      pinRecordDigest: { sha256: recordDigest },
    },
  );
}

export function badgeUnlock(input: CommandInput<typeof badgeDecisionOptions>): Promise<CommandResult> {
  return change(input, 'unlock');
}

export function badgeRevoke(input: CommandInput<typeof badgeDecisionOptions>): Promise<CommandResult> {
  return change(input, 'revoke');
}

export async function badgeList({ options, session }: CommandInput<typeof badgeListOptions>): Promise<CommandResult> {
  const { output, signal } = session;
  const badges = await openLine(openConfig(options), options, signal).badges();
  for (const { person, state, enrolledAt, badgeDigest: digest } of badges) {
    output.data(`${state.padEnd(8)}  ${person}  since ${enrolledAt}  badge ${digest.slice(0, 16)}…`);
  }
  output.verdict(`${badges.length} badges, ${badges.filter(({ state }) => state === 'locked').length} locked`);
  return { exit: EXIT.yes, document: { badges: badges.map((badge) => ({ ...badge })) } };
}

interface Place {
  readonly options: DecisionOptions;
  readonly config: LoadedConfig<LineConfig>;
}

async function change(
  { args, options, session }: CommandInput<typeof badgeDecisionOptions>,
  action: 'unlock' | 'revoke',
): Promise<CommandResult> {
  const config = openConfig(options);
  const name = args[0] as string;
  const badge = findBadge(await openLine(config, options, session.signal).badges(), name, config.values.rules.line);
  if (badge === null) {
    session.output.verdict(`nobody has the badge ${name}`);
    return { exit: EXIT.no, document: { badge: null } };
  }
  return decide(
    session,
    { options, config },
    {
      action,
      person: badge.person,
      badgeDigest: { sha256: badge.badgeDigest },
      enrolmentId: badge.id,
      pinRecordDigest: null,
    },
  );
}

/** By the number of the badge first; a person may be called like one. */
function findBadge(badges: readonly EnrolledBadge[], name: string, line: string): EnrolledBadge | null {
  const digest = badgeDigest(line, name);
  return badges.find((badge) => badge.badgeDigest === digest) ?? badges.find(({ person }) => person === name) ?? null;
}

async function decide(
  session: Session,
  { options, config }: Place,
  event: Pick<BadgeEvent, 'action' | 'person' | 'badgeDigest' | 'enrolmentId' | 'pinRecordDigest'>,
): Promise<CommandResult> {
  const { clock, newId, output, signal } = session;
  const { values, pathOf } = config;
  const trustedRoot = parseTrustedRoot(readFile(pathOf(values.trustedRoot), DOCUMENT_BYTES));
  const reason = await answerOf(session, options.reason, { flag: '--reason', text: 'Reason, for the record:' });
  const envelope = await withSigner(options.key, { session, purpose: purposeOfStatement }, (signer) => {
    const now = clock.now();
    const { keyid } = signer.publicKey;
    const key = toTrustedKeys(trustedRoot).find((entry) => entry.key.keyid === keyid && isValidAt(entry, now));
    if (key === undefined) throw new CliError('ERR_CLI_CONFIG', `--key is no key of ${trustedRoot.name}`);
    const decidedBy = { id: key.owner, role: key.role };
    const predicate = { ...event, id: newId(), line: values.rules.line, decidedBy, reason, at: formatInstant(now) };
    const payload = buildStatement(badgeEvent, { name: 'badge', digest: event.badgeDigest }, predicate);
    return signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [signer]);
  });
  const { index } = await openLine(config, options, signal).submit(envelope);
  output.verdict(`badge of ${event.person}: ${event.action} is recorded, log entry ${index}`);
  return { exit: EXIT.yes, document: { action: event.action, person: event.person, logIndex: index } };
}

/** The person types it twice, unseen; the supervisor looks away. */
async function choosePin(session: Session, source: string | undefined): Promise<string> {
  const pin = await readBadgePin(session, source);
  if (source === undefined && (await session.terminal.askSecret('The same PIN again: ')) !== pin) {
    throw new CliError('ERR_CLI_ANSWER_MISSING', 'the two PINs differ; nothing was enrolled');
  }
  return pin;
}

function openConfig(options: Pick<PlaceOptions, 'data' | 'config'>): LoadedConfig<LineConfig> {
  return loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).lineConfig),
    lineConfigSchema,
  );
}

/** The machine of the line itself, unless another address is named or it speaks TLS. */
function openLine({ values }: LoadedConfig<LineConfig>, options: PlaceOptions, signal: AbortSignal): HttpLineService {
  const { host, port, tls } = values.listen;
  if (options.line !== undefined || tls !== undefined) return openLineClient(options, signal);
  return new HttpLineService({ baseUrl: `http://${host}:${port}`, timeoutMs: LINE_TIMEOUT_MS, signal });
}
