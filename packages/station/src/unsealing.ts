// SPDX-License-Identifier: Apache-2.0
/**
 * Opening sealed images for one unit (spec/image-unsealing.md): the line logs who asks for what before it answers, with
 * content keys wrapped for a key pair that this station made for this unit. What is opened is in memory only.
 */
import type { Bytes, PublicKey } from '@witnessmark/core';
import type { ReleaseManifest } from '@witnessmark/attestation';
import type { UnsealedImages, UnsealingService } from '@witnessmark/api';
import type { Admission } from './admission.ts';
import { StationRefusal } from './error.ts';
import { requireVerified } from './fixture.ts';
import type { FlowTools } from './flow-tools.ts';
import { signStatement } from './signing.ts';
import { formatUnsealing } from './statements.ts';

export function isSealed({ components }: Pick<ReleaseManifest, 'components'>): boolean {
  return components.some(({ sealed }) => sealed !== undefined);
}

/**
 * The images of a release by component name, sealed or not. `keep` hears of every image that was opened, the moment it
 * is there, so that whoever ends the unit can wipe it. Throws the line's refusal, BX-201, BX-202 or LS-201.
 */
export async function unsealImages(
  tools: FlowTools,
  admission: Admission,
  keep: (image: Bytes) => void,
): Promise<ReadonlyMap<string, Bytes>> {
  const { unsealing } = tools.ports;
  if (unsealing === undefined) throw new TypeError('admission lets no sealed release pass without a way to open it');
  const transportKey = unsealing.newTransportKey();
  const asking = { line: unsealing.line, transportKey: transportKey.publicKey };
  const { contentKeys } = await askLine(tools, admission, asking);
  const images = new Map(admission.contents);
  for (const component of admission.unit.release.manifest.components) {
    if (component.sealed === undefined) continue;
    const contentKey = contentKeys.find(({ image }) => image === component.targetPath);
    if (contentKey === undefined) throw missing(component.targetPath);
    const envelope = admission.contents.get(component.name) as Bytes;
    const image = await transportKey.open(envelope, contentKey.recipientInfo);
    keep(image);
    requireVerified(component, image);
    images.set(component.name, image);
  }
  return images;
}

async function askLine(
  { ports, recorder, time }: FlowTools,
  { unit, permit }: Admission,
  { line, transportKey }: { readonly line: UnsealingService; readonly transportKey: PublicKey },
): Promise<UnsealedImages> {
  const { identity: station, driver: fixture, signer, newId } = ports;
  const clock = time.requireSane();
  const context = { id: newId(), permit, transportKey, station, fixture, clock };
  const statement = await signStatement(signer, formatUnsealing(unit, context));
  return recorder.unseal(line, statement, { author: signer.publicKey, at: clock.now, permit: permit.envelope });
}

function missing(image: string): StationRefusal {
  return new StationRefusal('BX-202', { expected: `the content key of ${image}`, observed: 'an answer without it' });
}
