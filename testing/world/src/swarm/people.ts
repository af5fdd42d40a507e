// SPDX-License-Identifier: Apache-2.0
/** Who else is at work besides the operators: a supervisor, a release engineer, a line that fails, and somebody with bad intentions. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isReasonCode, RefusedError, STATEMENT_PAYLOAD_TYPE } from '@witnessmark/core';
import { DISPOSITION_ACTIONS, type Disposition } from '@witnessmark/attestation';
import { ApiError, type OpenStop } from '@witnessmark/api';
import { simImage, type SimFactory } from '../sim/sim-factory.ts';
import { LINE, STATIONS, type StationName } from '../sim/sim-people.ts';
import type { SwarmBoard } from './boards.ts';
import type { Random } from './random.ts';
import type { Actor } from './scheduler.ts';
import type { Troubles } from './troubles.ts';

export interface Site {
  readonly factory: SimFactory;
  readonly random: Random;
  readonly troubles: Troubles;
  readonly boards: readonly SwarmBoard[];
  /** Images of the releases published so far; the first is the first release's. */
  readonly images: Uint8Array[];
}

/** Decides about every open stop and every held unit with an action taken at random; the line refuses wrong ones. */
export async function supervise(site: Site): Promise<void> {
  const { factory, random } = site;
  if (factory.wire.line === null) return;
  for (const stop of await factory.line.line.openStops()) await decide(site, stop, random.pick(DISPOSITION_ACTIONS));
  for (const stop of await findHeldUnits(site)) await decide(site, stop, random.pick(DISPOSITION_ACTIONS));
}

/** At the end of the shift: no station stays stopped, no unit stays undecided. */
export async function clearDesk(site: Site): Promise<void> {
  const { factory } = site;
  for (const stop of await factory.line.line.openStops()) {
    for (const action of ['releaseStation', 'quarantineUnit', 'voidLabel'] as const) {
      if (await decide(site, stop, action)) break;
    }
  }
  for (const stop of await findHeldUnits(site)) await decide(site, stop, 'quarantineUnit');
}

type Decidable = Omit<OpenStop, 'index'>;

async function findHeldUnits({ factory, boards }: Site): Promise<readonly Decidable[]> {
  const found: Decidable[] = [];
  for (const { deviceId } of boards) {
    const unit = await factory.line.store.views.unit(deviceId);
    const last = (await factory.line.store.views.chain(deviceId)).at(-1);
    if (unit === undefined || last?.code === undefined || last.code === null || !isReasonCode(last.code)) continue;
    if (unit.state !== 'held' && !(unit.state === 'failed' && last.code === 'HD-03')) continue;
    found.push({
      refusalId: last.event_id,
      refusalDigest: last.payload_digest,
      code: last.code,
      deviceId,
      station: last.station,
      line: LINE,
    });
  }
  return found;
}

async function decide({ factory }: Site, stop: Decidable, action: Disposition['action']): Promise<boolean> {
  try {
    await factory.decide(stop, action);
    return true;
  } catch (error) {
    if (error instanceof RefusedError || error instanceof ApiError) return false;
    throw error;
  }
}

/** Publishes another release, or withdraws one, as approved people may at any time. */
export async function changeReleases({ factory, troubles, images }: Site): Promise<void> {
  if (troubles.strikes('newRelease')) {
    const counter = images.length + 1;
    const image = simImage(counter);
    images.push(image);
    await factory.publish({ releaseId: `R-${counter}`, counter, image });
  }
  if (troubles.strikes('releaseWithdrawn')) {
    await factory.releases.withdraw(`R-${images.length}`, factory.clock.now());
  }
}

/** The line goes away for a while, or its process ends and another one begins on its disk. */
export async function troubleLine({ factory, troubles, random }: Site, actor: Actor): Promise<void> {
  if (troubles.strikes('lineAway')) {
    const { line } = factory.wire;
    factory.wire.line = null;
    await actor.sleep(random.between(500, 20_000));
    factory.wire.line = line;
  }
  if (troubles.strikes('lineCrash')) {
    // Tiles follow the journal in a thread of their own; what they hold must not depend on its pace.
    await factory.line.log.publish();
    await factory.restartLine();
  }
}

/** A technician empties the copies of a station that says they were changed; it fetches them anew. */
export function emptyCache(factory: SimFactory, name: StationName): void {
  rmSync(factory.cacheDirectory(name), { recursive: true, force: true });
}

/** Changes cached images, and submits what nobody with a key has signed. */
export async function doMischief({ factory, troubles, random }: Site): Promise<void> {
  if (troubles.strikes('cacheTampered')) {
    const folder = factory.cacheDirectory(random.pick(STATIONS));
    const file = random.pick([...listFiles(folder), null]);
    if (file !== null) {
      const bytes = readFileSync(file);
      const at = random.between(0, Math.max(0, bytes.length - 1));
      bytes.fill((bytes[at] ?? 0) ^ (1 << random.between(0, 7)), at, at + 1);
      writeFileSync(file, bytes);
    }
  }
  if (troubles.strikes('forgery') && factory.wire.line !== null) {
    const payload = new TextEncoder().encode(`{"forged":"${'x'.repeat(random.between(0, 40))}"}`);
    const { keyid } = factory.people.line.key.publicKey;
    const signatures = [{ keyid, sig: new Uint8Array(70).fill(random.between(0, 255)) }];
    await factory.wire.submit({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures }).then(
      () => {
        throw new Error('I7: a statement that nobody signed was logged');
      },
      (error: unknown) => {
        if (!(error instanceof RefusedError || error instanceof ApiError)) throw error;
      },
    );
  }
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch {
    return [];
  }
}
