// SPDX-License-Identifier: Apache-2.0
export { findDispositionRule } from './dispositions.ts';
export { BadgeFiles, makePinRecord } from './badge-book.ts';
export { badgeDigest } from './badges.ts';
export { LineError } from './error.ts';
export { checkSignatureHere } from './key-ring.ts';
export { Line } from './line.ts';
export { checkSignatureIn } from './pool-check.ts';
export { projectEntry } from './projection/index.ts';
export { lineRulesSchema, toLineRules } from './rules.ts';
export { startLineServer } from './server.ts';
export { TufReleaseSource } from './tuf-release-source.ts';

export type { DispositionAction } from './dispositions.ts';
export type { LineErrorCode } from './error.ts';
export type { SignatureCheck } from './key-ring.ts';
export type { LineOptions } from './line-options.ts';
export type { KnownRelease, ReleaseBook, ReleaseSource } from './release-book.ts';
export type { LineRules } from './rules.ts';
export type { ImageUnsealer } from './image-unsealer.ts';
export type { LineServer, LineServerOptions } from './server.ts';
export type { LineTls } from './tls.ts';
export type { TufReleaseSourceOptions } from './tuf-release-source.ts';
