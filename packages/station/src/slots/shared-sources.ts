// SPDX-License-Identifier: Apache-2.0
/**
 * What the slots of a station ask once instead of each for itself: a question that is under way answers everybody who asks
 * meanwhile, and nothing is remembered beyond it.
 */
import type { Bytes } from '@witnessmark/core';
import type { TimeSource } from '../clock/index.ts';
import type { HeldRelease, ReleaseComponent, ReleaseSource } from '../ports.ts';

/**
 * One refresh of the trust repository for all slots that begin a unit at the same moment. A release is looked up, and an
 * image read, between two refreshes and one at a time: what a release names is of one state, and of copies that are fetched
 * into the same cache none is half there.
 */
export function shareReleases(source: ReleaseSource): ReleaseSource {
  const inTurn = queue();
  const refresh = joined((now: number) => inTurn(() => source.refresh(now)));
  const reading = new Map<string, Promise<Bytes>>();
  /** Slots that begin together read an image once; each gets bytes of its own, and hashes them again. */
  const readImage = async (release: HeldRelease, component: ReleaseComponent): Promise<Bytes> => {
    const { sha256 } = component.sealed ?? component;
    const image =
      reading.get(sha256) ??
      inTurn(() => release.readImage(component)).finally(() => {
        reading.delete(sha256);
      });
    reading.set(sha256, image);
    return Uint8Array.from(await image);
  };
  return {
    refresh: (now) => refresh(now),
    releaseInEffect: async (query): Promise<HeldRelease> => {
      const release = await inTurn(() => source.releaseInEffect(query));
      return { ...release, readImage: (component) => readImage(release, component) };
    },
  };
}

/** One reading of the time service for all. */
export function shareTimeSource(source: TimeSource): TimeSource {
  const read = joined(() => source.read());
  return { name: source.name, read: () => read() };
}

/** Runs one piece of work after the other, in the order they came. */
export function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Callers that come while a call is under way get its result. */
function joined<Args extends readonly unknown[], T>(
  call: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let underWay: Promise<T> | null = null;
  return (...args) => {
    underWay ??= call(...args).finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
