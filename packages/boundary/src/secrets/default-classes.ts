// SPDX-License-Identifier: Apache-2.0
/** The policy a site starts with: keys live in tokens, images travel sealed, source and memory never travel. */
import type { SecretClassesDocument } from './secret-classes.ts';

export const DEFAULT_SECRET_CLASSES: SecretClassesDocument = {
  mediaType: 'application/vnd.witnessmark.secret-classes.v1+json',
  name: 'witnessmark default',
  version: 1,
  classes: [
    {
      class: 'signingKey',
      failureMode: 'Whoever has it can release or record in the name of its holder.',
      inside: ['inToken'],
      outside: ['inToken'],
      cache: [],
    },
    {
      class: 'deviceKey',
      failureMode: 'Whoever has it can be that device, or every device that shares it.',
      inside: ['inToken', 'wrapped'],
      outside: [],
      cache: [],
    },
    {
      class: 'image',
      failureMode: 'Whoever has it can build copies of the product and look for its flaws.',
      inside: ['sealed', 'clear'],
      outside: ['sealed'],
      cache: ['sealed', 'clear'],
    },
    {
      class: 'calibrationSecret',
      failureMode: 'Whoever has it can unlock what a customer did not pay for.',
      inside: ['sealed', 'wrapped'],
      outside: ['sealed'],
      cache: ['sealed'],
    },
    {
      class: 'source',
      failureMode: 'Whoever has it has the product, for ever.',
      inside: [],
      outside: [],
      cache: [],
    },
    {
      class: 'symbols',
      failureMode: 'Whoever has them reads the image almost as its source.',
      inside: ['sealed'],
      outside: ['sealed'],
      cache: [],
    },
    {
      class: 'coreFile',
      failureMode: 'It holds whatever was in memory, keys and images included.',
      inside: [],
      outside: [],
      cache: [],
    },
    {
      class: 'serialList',
      failureMode: 'Whoever has it can print labels that look genuine.',
      inside: ['clear', 'sealed'],
      outside: ['sealed', 'digestOnly'],
      cache: ['clear', 'sealed'],
    },
    {
      class: 'customerName',
      failureMode: 'Somebody learns who buys what, and how many.',
      inside: ['clear', 'sealed'],
      outside: ['sealed'],
      cache: ['clear', 'sealed'],
    },
  ],
  paths: [
    { pattern: 'targets/images/*', class: 'image' },
    { pattern: '*/targets/images/*', class: 'image' },
  ],
};
