// SPDX-License-Identifier: Apache-2.0
/** For tests that look for a content key where none may be. */
export { unwrapContentKey } from '../../src/sealing/content-key.ts';
