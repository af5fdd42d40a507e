// SPDX-License-Identifier: Apache-2.0
/** The contents list a site starts with: what helps with a line problem, and no program with symbols. */
import type { ContentsListDocument } from './contents-list.ts';

const MIB = 1024 * 1024;

export const DEFAULT_DEBUG_CONTENTS: ContentsListDocument = {
  mediaType: 'application/vnd.witnessmark.debug-contents.v1+json',
  name: 'line debugging',
  version: 1,
  rules: [
    { pattern: '*.log', class: 'log', symbols: 'forbidden', maxBytes: 8 * MIB },
    { pattern: 'logs/*.log', class: 'log', symbols: 'forbidden', maxBytes: 8 * MIB },
    { pattern: '*.json', class: 'settings or record', symbols: 'forbidden', maxBytes: MIB },
    { pattern: 'records/*.json', class: 'settings or record', symbols: 'forbidden', maxBytes: MIB },
    { pattern: 'traces/*', class: 'bus or logic trace', symbols: 'forbidden', maxBytes: 8 * MIB },
    { pattern: 'tools/*', class: 'test program', symbols: 'forbidden', maxBytes: 16 * MIB },
  ],
};
