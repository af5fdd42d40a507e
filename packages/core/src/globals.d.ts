// SPDX-License-Identifier: Apache-2.0
/** The only platform globals the browser-safe packages use; both are in the Encoding standard (https://encoding.spec.whatwg.org/). */
declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  constructor(label: string, options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}
