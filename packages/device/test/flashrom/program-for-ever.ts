// SPDX-License-Identifier: Apache-2.0
/** A station's part for a test: programs a part that never gets ready, and says when flashrom has begun. */
import { buildSampleImage, FlashromDriver, W25Q80_BOARD } from '../../src/index.ts';

const [port, temporaryDirectory] = process.argv.slice(2) as [string, string];
const address = { host: '127.0.0.1', port: Number(port) };
const driver = await FlashromDriver.open({ profile: W25Q80_BOARD, address, temporaryDirectory });
const image = buildSampleImage({ version: '1.0.0', securityCounter: 1, seed: 'orphan' });
await driver.program({
  address: 0,
  image,
  onProgress: ({ phase }) => {
    if (phase === 'program') process.stdout.write('begun\n');
  },
});
