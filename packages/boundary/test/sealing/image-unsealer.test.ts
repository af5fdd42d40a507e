// SPDX-License-Identifier: Apache-2.0
import type { SealedImage } from '@witnessmark/attestation';
import { ImageUnsealer, newTransportKey, parseRecipient, sealImage } from '@witnessmark/boundary';
import { concatBytes, encodeUtf8, equalBytes, sha256Hex, type Bytes } from '@witnessmark/core';
import { generateSoftwareKeyAgreement } from '@witnessmark/custody';
import { describe, expect, it } from 'vitest';

const IMAGE = encodeUtf8('an image that nobody outside may read');
const key = generateSoftwareKeyAgreement();

async function makeRelease(number: number): Promise<{ readonly sealed: SealedImage; readonly envelope: Bytes }> {
  const order = { length: IMAGE.length, sha256: sha256Hex(IMAGE), open: () => Promise.resolve([IMAGE]) };
  const seed = new Uint8Array(32).fill(number);
  const chunks: Bytes[] = [];
  for await (const chunk of await sealImage(order, [key.publicKey], seed).open()) chunks.push(chunk);
  const envelope = concatBytes(...chunks);
  const sealed: SealedImage = {
    targetPath: `images/r-${number}.bin.cms`,
    mediaType: 'application/cms',
    sha256: sha256Hex(envelope),
    length: envelope.length,
    recipients: [key.publicKey.keyid],
  };
  return { sealed, envelope };
}

describe('the unsealer of a line', () => {
  it('wraps the content key for a station, which opens the envelope with it', async () => {
    const { sealed, envelope } = await makeRelease(1);
    const unsealer = new ImageUnsealer({ key, readTarget: () => Promise.resolve(envelope) });
    const station = newTransportKey();
    const answer = await unsealer.rewrap(sealed, station.publicKey);
    expect(equalBytes(await station.open(envelope, answer), IMAGE)).toBe(true);
    await expect(newTransportKey().open(envelope, answer)).rejects.toMatchObject({ code: 'BX-202' });
    await expect(station.open(envelope, answer.subarray(1))).rejects.toMatchObject({ code: 'BX-201' });
  });

  it('I14: gives the same content key again, under a fresh wrapping', async () => {
    const { sealed, envelope } = await makeRelease(1);
    const unsealer = new ImageUnsealer({ key, readTarget: () => Promise.resolve(envelope) });
    const station = newTransportKey();
    const [first, second] = [
      await unsealer.rewrap(sealed, station.publicKey),
      await unsealer.rewrap(sealed, station.publicKey),
    ];
    expect(parseRecipient(first).wrappedKey).not.toEqual(parseRecipient(second).wrappedKey);
    expect(await station.open(envelope, first)).toEqual(await station.open(envelope, second));
  });

  it('reads each envelope once, and remembers a bounded number', async () => {
    const releases = await Promise.all(Array.from({ length: 66 }, (_, number) => makeRelease(number)));
    const reads: string[] = [];
    const unsealer = new ImageUnsealer({
      key,
      readTarget: (path) => {
        reads.push(path);
        return Promise.resolve(releases.find(({ sealed }) => sealed.targetPath === path)!.envelope);
      },
    });
    const { publicKey } = newTransportKey();
    for (const { sealed } of releases) await unsealer.rewrap(sealed, publicKey);
    for (const { sealed } of releases.slice(-64)) await unsealer.rewrap(sealed, publicKey);
    expect(reads).toHaveLength(66);
    await unsealer.rewrap(releases[0]!.sealed, publicKey);
    expect(reads).toHaveLength(67);
  });

  it('refuses an envelope that is not the one the release names, or not for this line', async () => {
    const [first, second] = [await makeRelease(1), await makeRelease(2)];
    const { publicKey } = newTransportKey();
    const exchanged = new ImageUnsealer({ key, readTarget: () => Promise.resolve(second.envelope) });
    await expect(exchanged.rewrap(first.sealed, publicKey)).rejects.toMatchObject({ code: 'BX-201' });
    const other = new ImageUnsealer({
      key: generateSoftwareKeyAgreement(),
      readTarget: () => Promise.resolve(first.envelope),
    });
    await expect(other.rewrap(first.sealed, publicKey)).rejects.toMatchObject({ code: 'BX-202' });
  });
});
