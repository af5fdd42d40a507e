// SPDX-License-Identifier: Apache-2.0
export { CALENDAR, CAST, LOG_KEYS, PRODUCTION_POLICY, testTrustedRoot, TRIAL_POLICY } from './cast.ts';
export { draftManifest, testDevice } from './drafts.ts';
export { makeVectorFiles, VECTOR_CASES } from './vectors/index.ts';
export { EvidenceWorld } from './world.ts';

export type { VectorExpectation } from './vectors/index.ts';
