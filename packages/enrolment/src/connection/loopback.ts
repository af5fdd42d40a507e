// SPDX-License-Identifier: Apache-2.0
/** Which addresses never leave this machine. Names other than `localhost` are not looked up: what they mean can change. */
import { RefusedError } from '@witnessmark/core';

export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(name);
}

/** Plain HTTP is for a trial on one machine. Throws ID-108. */
export function demandProtection(host: string, isProtected: boolean): void {
  if (isProtected || isLoopback(host)) return;
  throw new RefusedError('ID-108', `${host} is not this machine, and the connection has no TLS`);
}
