// SPDX-License-Identifier: Apache-2.0
/** Where a programmer listens. */

export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

const HOST = /^[A-Za-z0-9.-]{1,253}$/;

/** Throws `TypeError` for an address that would read as something else on a tool's command line or in its script. */
export function expectNetworkAddress({ host, port }: NetworkAddress): void {
  if (!HOST.test(host)) throw new TypeError('the programmer is named by a host name or an IPv4 address');
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) throw new TypeError('a port is a number from 1 to 65535');
}
