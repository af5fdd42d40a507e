// SPDX-License-Identifier: Apache-2.0
/** The release cache of a station: what is in it, whether it is what was put there, and removing what is not. */
import { describeReasonCode, RefusedError } from '@witnessmark/core';
import { KeyAccess } from '@witnessmark/custody';
import { openStationDirectory, SealedCache, type CacheFinding, type CacheKey } from '@witnessmark/station';
import type { CommandInput, CommandResult } from '../command.ts';
import { loadConfig, namedConfig, stationConfigSchema, type LoadedConfig, type StationConfig } from '../config.ts';
import { DataDirectory } from '../data-directory.ts';
import { EXIT } from '../exit-codes.ts';
import { usageError } from '../error.ts';
import type { stationCacheOptions } from '../options/station-cache.ts';
import { prepareStationCache, reportStationPurges } from '../roots/station-cache.ts';
import type { Session } from '../session.ts';
import { promptForPin } from '../signer-reference.ts';

const MAX_LISTED = 64;

type Input = CommandInput<typeof stationCacheOptions>;

const VERBS: Readonly<Record<string, (input: Input) => Promise<CommandResult>>> = { list, check, purge };

export function stationCache(input: Input): Promise<CommandResult> {
  const [verb = ''] = input.args;
  const work = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (work === undefined) throw usageError(`"station cache" does one of ${Object.keys(VERBS).join(', ')}`);
  return work(input);
}

async function list({ options, session }: Input): Promise<CommandResult> {
  return withCache(options, session, ({ cache, key }) => {
    if (cache === null) throw unreadable();
    const entries = [...cache.entries].sort((left, right) => right.lastUse - left.lastUse);
    for (const { digest, bytes } of entries) session.output.data(`${digest}  ${bytes}`);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    session.output.verdict(`${entries.length} entries, ${total} bytes; its key is kept by: ${key.grade}`);
    return { exit: EXIT.yes, document: { keyGrade: key.grade, keyId: key.id, entries, waitingPurges: cache.purges } };
  });
}

async function check({ options, session }: Input): Promise<CommandResult> {
  return withCache(options, session, async ({ cache, indexDamage, scan, key }) => {
    const findings = await (cache ?? scan).check();
    const bad = findings.filter(({ refused }) => refused !== null);
    if (indexDamage !== null) session.output.data(describe('index.sealed', indexDamage));
    for (const { name, refused } of bad) if (refused !== null) session.output.data(describe(name, refused));
    const isSound = bad.length === 0 && indexDamage === null;
    const what = isSound ? 'sound' : `${bad.length + (indexDamage === null ? 0 : 1)} findings`;
    session.output.verdict(
      `${what}: ${findings.length} files, each opened and hashed; its key is kept by: ${key.grade}`,
    );
    const document = {
      keyGrade: key.grade,
      index: indexDamage?.code ?? null,
      files: findings.map(({ name, bytes, refused }) => ({ name, bytes, code: refused?.code ?? null })),
    };
    return { exit: isSound ? EXIT.yes : EXIT.no, document };
  });
}

async function purge({ options, session }: Input): Promise<CommandResult> {
  return withCache(options, session, async ({ cache, scan, config, environment }) => {
    // Beside an index that is not ours no entry counts; all of them go.
    const purging = cache ?? (await SealedCache.reset(scan.options));
    const findings = await purging.check();
    const chosen = findings.filter(({ refused }) => options.all || refused !== null).slice(0, MAX_LISTED);
    const { output } = session;
    if (chosen.length > 0) {
      const reason = chosen.every(({ refused }) => refused === null) ? 'order' : 'damage';
      await purging.purge(chosen.map(toPurged), reason);
    }
    const reported = await reportStationPurges(config, purging, environment);
    for (const { name, refused } of chosen) output.data(`${name}  ${refused?.code ?? 'sound'}`);
    const waiting = purging.purges.length;
    const record = waiting === 0 ? 'on record' : `${waiting} purges go on record when the line answers`;
    output.verdict(`${chosen.length} files removed; ${record}`);
    const removed = chosen.map(({ name, refused }) => ({ name, code: refused?.code ?? null }));
    return { exit: EXIT.yes, document: { removed, reported, waiting } };
  });
}

interface OpenedCache {
  readonly config: LoadedConfig<StationConfig>;
  /** Null when its index is not the one that was written. */
  readonly cache: SealedCache | null;
  readonly indexDamage: RefusedError | null;
  /** The files alone, which an index that is not ours says nothing about. */
  readonly scan: SealedCache;
  readonly key: CacheKey;
  readonly environment: Parameters<typeof prepareStationCache>[1];
}

/** Holds the station's directory meanwhile, as a running station does. */
async function withCache(
  options: Input['options'],
  session: Session,
  work: (opened: OpenedCache) => CommandResult | Promise<CommandResult>,
): Promise<CommandResult> {
  const config = loadConfig(
    namedConfig(options, (data) => DataDirectory.open(data).stationConfig),
    stationConfigSchema,
  );
  const { clock, newId } = session;
  const directory = openStationDirectory(config.pathOf(config.values.directory));
  const keyAccess = new KeyAccess({ clock, newId, askPin: promptForPin(session) });
  try {
    const environment = { keyAccess, clock, newId };
    const { options: cacheOptions, key } = await prepareStationCache(config, environment);
    const scan = SealedCache.unindexed(cacheOptions);
    const { cache, indexDamage } = await tryToOpen(cacheOptions);
    return await work({ config, cache, indexDamage, scan, key, environment });
  } finally {
    keyAccess.close();
    directory.release();
  }
}

async function tryToOpen(
  options: Parameters<typeof SealedCache.open>[0],
): Promise<Pick<OpenedCache, 'cache' | 'indexDamage'>> {
  try {
    return { cache: await SealedCache.open(options), indexDamage: null };
  } catch (error) {
    if (error instanceof RefusedError) return { cache: null, indexDamage: error };
    throw error;
  }
}

function toPurged({ name, digest, bytes, refused }: CacheFinding): Parameters<SealedCache['purge']>[0][number] {
  return { name, digest, bytes, finding: refused?.code ?? null };
}

function describe(name: string, { code, message }: RefusedError): string {
  return `${name}  ${code} ${describeReasonCode(code).operatorText}: ${message}`;
}

function unreadable(): RefusedError {
  return new RefusedError(
    'LS-321',
    'the index of the cache is not the one that was written; see "station cache check"',
  );
}
